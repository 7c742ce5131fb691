// What applying notices needs from outside, besides the ports of the other flows.
import type { AccessEvent } from '../domain/access-event.ts';
import type { Customer } from '../domain/customer.ts';
import type { Notice } from '../domain/notice.ts';
import type { WaitsFor } from '../domain/placement.ts';
import type { Product, Products } from '../domain/product.ts';
import type { Standing } from '../domain/standing.ts';
import type { CustomerStore, ResolvedBuyer, WorkStore } from './ports.ts';

/** All that is kept of one agreement, or of one buyer of the legacy channel. */
export interface Thread {
  readonly notices: readonly Notice[];
  /** Whose it is, once that is known. */
  readonly customerId?: string;
  /** Threads of the agreements that name this one as the one before them. */
  readonly successors: readonly string[];
}

/** A customer as the last fold left it. */
export interface FoldedCustomer {
  readonly customer: Customer;
  readonly joinedInto?: string;
  /** When entitlements were last found changed of which no notice had told. */
  readonly entitlementsFoundAt?: number;
  /** Counts the folds, those that changed nothing among them. */
  readonly folds: number;
  readonly standing: Standing;
}

/** What a fold comes to: the standing, and the events of the change that led to it. */
export interface FoldedStanding {
  readonly standing: Standing;
  readonly events: readonly AccessEvent[];
  /** When to fold again though no notice comes. */
  readonly changesAt?: number;
}

/** A customer who is to be folded at an instant though no notice comes; 0 stands for at once. */
export interface DueCustomer {
  readonly customerId: string;
  readonly changesAt: number;
}

/** An agreement or buyer that is kept and is nobody's yet. */
export interface WaitingThread {
  readonly thread: string;
  readonly waitsFor: string;
  readonly since: number;
}

export interface NoticeStore {
  /** Once per notice id, with what points to its thread: its licence, account, and the agreement before it. */
  keep(notice: Notice, received: string): Promise<'recorded' | 'already'>;
  thread(thread: string): Promise<Thread>;
  threadsOfCustomer(customerId: string): Promise<readonly string[]>;
  threadsOfLicence(licenceKey: string): Promise<readonly string[]>;
  threadsOfAccount(customerAwsAccountId: string, productCode: string): Promise<readonly string[]>;
  /** The customers of an account and product; `awaiting` is the one who has no licence yet. */
  customersOfAccount(
    customerAwsAccountId: string,
    productCode: string,
  ): Promise<{ readonly customerIds: readonly string[]; readonly awaiting?: string }>;
  /**
   * Makes a thread a customer's, if it is still whose it was read to be, and takes it off the list of waiting ones. A
   * former owner is then due at once.
   */
  link(thread: string, customerId: string, owner: string | undefined): Promise<boolean>;
  /**
   * Lists a thread as waiting, for people to see. One that waits for a product is taken off the list: sellers have
   * products that are none of this deployment's.
   */
  noteWaiting(thread: string, waitsFor: WaitsFor, nowMs: number): Promise<void>;
  waiting(): Promise<readonly WaitingThread[]>;
  /** Gives a licence that is nobody's to a customer; false where it has become somebody's. */
  attachLicence(customerId: string, buyer: ResolvedBuyer, product: Product, nowMs: number): Promise<boolean>;
  /**
   * Moves a licence between customers; false where it has moved already. The one it leaves is due at once and, where it
   * holds nothing else, is joined into the other: usage that names it still finds the licence.
   */
  moveLicence(licenceKey: string, from: string, to: string): Promise<boolean>;
  folded(customerId: string): Promise<FoldedCustomer | undefined>;
  /** Writes a fold and its events, all or nothing; false where another fold has been written since the read. */
  tell(read: FoldedCustomer, fold: FoldedStanding): Promise<boolean>;
  /** Has a customer folded at an instant. A repeat changes nothing. */
  noteDue(due: DueCustomer): Promise<void>;
  due(byMs: number): Promise<readonly DueCustomer[]>;
  finishDue(due: DueCustomer): Promise<void>;
}

export interface NoticePorts {
  readonly notices: NoticeStore;
  readonly customers: Pick<CustomerStore, 'licence' | 'upsert' | 'noteStart' | 'noteEnding'>;
  readonly work: Pick<WorkStore, 'releaseAwaiting'>;
  readonly products: Products;
}

/** What SNS asks the owner of a queue whom somebody else subscribed to a topic. */
export interface ConfirmationRequest {
  readonly topicArn: string;
  /** By which anybody could confirm: never logged. */
  readonly token: string;
}

export interface TopicSubscriptions {
  /**
   * Confirms a subscription; a repeat changes nothing. `refused` with SNS's code where no repeat can succeed. Throws
   * Unavailable where SNS did not answer, failed or throttled.
   */
  confirm(
    request: ConfirmationRequest,
  ): Promise<{ readonly kind: 'confirmed' } | { readonly kind: 'refused'; readonly code: string }>;
}
