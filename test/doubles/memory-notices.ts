// Notices, customers and licences in memory, under the conditions of the real stores; each operation takes a turn.
import type { AccessEvent } from '../../lambdas/domain/access-event.ts';
import type { Customer } from '../../lambdas/domain/customer.ts';
import {
  type EndNotice,
  type Licence,
  type LicenceStart,
  licenceKeyOf,
  licenceNameOf,
  withEnding,
  withStart,
} from '../../lambdas/domain/licence.ts';
import { agreementThread, type Notice, threadOf } from '../../lambdas/domain/notice.ts';
import type { WaitsFor } from '../../lambdas/domain/placement.ts';
import type { Product } from '../../lambdas/domain/product.ts';
import { type Standing, UNKNOWN_STANDING } from '../../lambdas/domain/standing.ts';
import type {
  DueCustomer,
  FoldedCustomer,
  FoldedStanding,
  NoticePorts,
  NoticeStore,
  Thread,
  WaitingThread,
} from '../../lambdas/flow/notice-ports.ts';
import type { ResolvedBuyer } from '../../lambdas/flow/ports.ts';

interface KeptThread {
  readonly notices: Map<string, Notice>;
  readonly successors: Set<string>;
  customerId?: string;
}

interface KeptCustomer {
  customer: Customer;
  folds: number;
  standing: Standing;
  joinedInto?: string;
}

type Step = () => Promise<void>;

/** Everything that both stores hold. */
export class LifecycleTables {
  readonly threads = new Map<string, KeptThread>();
  readonly byLicence = new Map<string, Set<string>>();
  readonly byAccount = new Map<string, Set<string>>();
  readonly waiting = new Map<string, WaitingThread>();
  readonly due = new Map<string, DueCustomer>();
  readonly outbox: AccessEvent[] = [];
  readonly customers = new Map<string, KeptCustomer>();
  readonly licences = new Map<string, Licence>();
  /** Customers of an account and product, and the one who waits for a licence. */
  readonly accounts = new Map<string, Set<string>>();
  readonly awaiting = new Map<string, string>();
  readonly released: string[] = [];

  thread(key: string): KeptThread {
    return entry(this.threads, key, () => ({ notices: new Map(), successors: new Set() }));
  }

  ofCustomer(customerId: string): KeptCustomer {
    const kept = this.customers.get(customerId);
    if (!kept) throw new Error(`There is no customer ${customerId}.`);
    return kept;
  }

  holderOf(licenceKey: string): string {
    return this.licences.get(licenceKey)?.customerId ?? '';
  }

  eventsOf(customerId: string): AccessEvent[] {
    return this.outbox.filter((event) => event.customerId === customerId);
  }
}

class MemoryNoticeStore implements NoticeStore {
  readonly #tables: LifecycleTables;
  readonly #step: Step;

  constructor(tables: LifecycleTables, step: Step = async () => {}) {
    this.#tables = tables;
    this.#step = step;
  }

  async keep(notice: Notice): Promise<'recorded' | 'already'> {
    await this.#step();
    const key = threadOf(notice);
    const { notices } = this.#tables.thread(key);
    if (notices.has(notice.noticeId)) return 'already';
    notices.set(notice.noticeId, notice);
    const { agreementId, previousAgreementId, licenceArn, productCode, customerAwsAccountId } = notice;
    if (agreementId === undefined) return 'recorded';
    if (previousAgreementId !== undefined && previousAgreementId !== agreementId) {
      this.#tables.thread(agreementThread(previousAgreementId)).successors.add(key);
    }
    if (licenceArn !== undefined) {
      const licenceKey = licenceKeyOf({ style: 'licence', licenceArn });
      entry(this.#tables.byLicence, licenceKey, () => new Set()).add(key);
    }
    if (productCode !== undefined && customerAwsAccountId !== undefined) {
      entry(this.#tables.byAccount, `${customerAwsAccountId}#${productCode}`, () => new Set()).add(key);
    }
    return 'recorded';
  }

  async thread(key: string): Promise<Thread> {
    await this.#step();
    const { notices, successors, customerId } = this.#tables.thread(key);
    return {
      notices: [...notices.values()],
      successors: [...successors],
      ...(customerId === undefined ? {} : { customerId }),
    };
  }

  async threadsOfCustomer(customerId: string): Promise<readonly string[]> {
    await this.#step();
    return [...this.#tables.threads].filter(([, kept]) => kept.customerId === customerId).map(([key]) => key);
  }

  async threadsOfLicence(licenceKey: string): Promise<readonly string[]> {
    await this.#step();
    return [...(this.#tables.byLicence.get(licenceKey) ?? [])];
  }

  async threadsOfAccount(account: string, productCode: string): Promise<readonly string[]> {
    await this.#step();
    return [...(this.#tables.byAccount.get(`${account}#${productCode}`) ?? [])];
  }

  async customersOfAccount(account: string, productCode: string) {
    await this.#step();
    const awaiting = this.#tables.awaiting.get(`${account}#${productCode}`);
    const customerIds = [...(this.#tables.accounts.get(`${account}#${productCode}`) ?? [])];
    return { customerIds, ...(awaiting === undefined ? {} : { awaiting }) };
  }

  async link(key: string, customerId: string, owner: string | undefined): Promise<boolean> {
    await this.#step();
    const thread = this.#tables.thread(key);
    if (thread.customerId !== owner) return false;
    thread.customerId = customerId;
    this.#tables.waiting.delete(key);
    if (owner !== undefined) this.#putDue(owner, 0);
    return true;
  }

  async noteWaiting(thread: string, waitsFor: WaitsFor, nowMs: number): Promise<void> {
    await this.#step();
    if (this.#tables.thread(thread).customerId !== undefined) return;
    const since = this.#tables.waiting.get(thread)?.since ?? nowMs;
    if (waitsFor === 'product') this.#tables.waiting.delete(thread);
    else this.#tables.waiting.set(thread, { thread, waitsFor, since });
  }

  async waiting(): Promise<readonly WaitingThread[]> {
    await this.#step();
    return [...this.#tables.waiting.values()];
  }

  async attachLicence(customerId: string, buyer: ResolvedBuyer, product: Product, nowMs: number): Promise<boolean> {
    await this.#step();
    const licenceKey = licenceKeyOf({ style: 'licence', licenceArn: buyer.licenceArn ?? '' });
    if (this.#tables.licences.has(licenceKey)) return false;
    this.#tables.licences.set(licenceKey, newLicence(licenceKey, customerId, buyer, product, nowMs));
    append(this.#tables.ofCustomer(customerId), licenceKey);
    return true;
  }

  async moveLicence(licenceKey: string, from: string, to: string): Promise<boolean> {
    await this.#step();
    const licence = this.#tables.licences.get(licenceKey);
    if (licence?.customerId !== from) return false;
    this.#tables.licences.set(licenceKey, { ...licence, customerId: to });
    const left = this.#tables.ofCustomer(from);
    const others = left.customer.licenceKeys.filter((key) => key !== licenceKey);
    if (others.length > 0) left.customer = { ...left.customer, licenceKeys: others };
    else {
      left.joinedInto = to;
      this.#tables.accounts.get(`${left.customer.customerAwsAccountId}#${left.customer.productCode}`)?.delete(from);
    }
    append(this.#tables.ofCustomer(to), licenceKey);
    this.#putDue(from, 0);
    return true;
  }

  async folded(customerId: string): Promise<FoldedCustomer | undefined> {
    await this.#step();
    const kept = this.#tables.customers.get(customerId);
    return kept && { ...kept };
  }

  async tell(read: FoldedCustomer, { standing, events, changesAt }: FoldedStanding): Promise<boolean> {
    await this.#step();
    const { customerId, sequence } = read.customer;
    const kept = this.#tables.ofCustomer(customerId);
    if (kept.folds !== read.folds || kept.customer.sequence !== sequence) return false;
    kept.folds += 1;
    kept.standing = standing;
    kept.customer = { ...kept.customer, sequence: sequence + events.length };
    this.#tables.outbox.push(...events);
    if (changesAt !== undefined) this.#putDue(customerId, changesAt);
    return true;
  }

  async noteDue({ customerId, changesAt }: DueCustomer): Promise<void> {
    await this.#step();
    this.#putDue(customerId, changesAt);
  }

  async due(byMs: number): Promise<readonly DueCustomer[]> {
    await this.#step();
    return [...this.#tables.due.values()].filter(({ changesAt }) => changesAt <= byMs);
  }

  async finishDue({ customerId, changesAt }: DueCustomer): Promise<void> {
    await this.#step();
    this.#tables.due.delete(`${changesAt}#${customerId}`);
  }

  #putDue(customerId: string, changesAt: number): void {
    this.#tables.due.set(`${changesAt}#${customerId}`, { customerId, changesAt });
  }
}

/** The part of the customers' store that notices and registrations meet. */
class MemoryCustomers {
  readonly #tables: LifecycleTables;
  readonly #step: Step;

  constructor(tables: LifecycleTables, step: Step = async () => {}) {
    this.#tables = tables;
    this.#step = step;
  }

  async licence(licenceKey: string): Promise<Licence | undefined> {
    await this.#step();
    return this.#tables.licences.get(licenceKey);
  }

  async upsert(buyer: ResolvedBuyer, product: Product, nowMs: number) {
    await this.#step();
    const { customers, licences, awaiting, accounts } = this.#tables;
    const name = licenceNameOf(product, buyer);
    const licenceKey = name && licenceKeyOf(name);
    const { customerAwsAccountId: account } = buyer;
    const place = `${account}#${product.productCode}`;
    const held = licenceKey === undefined ? undefined : licences.get(licenceKey)?.customerId;
    const waits = awaiting.get(place);
    const others = [...(accounts.get(place) ?? [])].filter((each) => each !== waits);
    const known = held ?? waits ?? (licenceKey === undefined && others.length === 1 ? others[0] : undefined);
    const customerId = known ?? `cus_${customers.size + 1}`;
    if (known === undefined) {
      const customer: Customer = {
        customerId,
        productCode: product.productCode,
        licenceKeys: [],
        createdAt: nowMs,
        sequence: 0,
      };
      customers.set(customerId, { customer, folds: 0, standing: UNKNOWN_STANDING });
      if (licenceKey === undefined) awaiting.set(place, customerId);
    }
    const kept = this.#tables.ofCustomer(customerId);
    if (account !== undefined) {
      kept.customer = { ...kept.customer, customerAwsAccountId: account };
      entry(accounts, place, () => new Set()).add(customerId);
    }
    if (licenceKey !== undefined && held === undefined) {
      licences.set(licenceKey, newLicence(licenceKey, customerId, buyer, product, nowMs));
      append(kept, licenceKey);
      if (waits === customerId) awaiting.delete(place);
    }
    return { kind: known === undefined ? ('created' as const) : ('known' as const), customer: kept.customer };
  }

  async markRegistered(customerId: string, atMs: number): Promise<void> {
    await this.#step();
    const kept = this.#tables.ofCustomer(customerId);
    kept.customer = { ...kept.customer, registeredAt: kept.customer.registeredAt ?? atMs };
  }

  async customer(customerId: string): Promise<Customer> {
    await this.#step();
    return this.#tables.ofCustomer(customerId).customer;
  }

  noteStart(licenceKey: string, start: LicenceStart): Promise<Licence | undefined> {
    return this.#note(licenceKey, (licence) => withStart(licence, start));
  }

  noteEnding(licenceKey: string, ending: EndNotice): Promise<Licence | undefined> {
    return this.#note(licenceKey, (licence) => withEnding(licence, ending));
  }

  async #note(licenceKey: string, change: (licence: Licence) => Licence): Promise<Licence | undefined> {
    await this.#step();
    const licence = this.#tables.licences.get(licenceKey);
    const changed = licence && change(licence);
    if (changed) this.#tables.licences.set(licenceKey, changed);
    return changed;
  }
}

/** The ports of notices over tables in memory. */
export function memoryNoticePorts(tables: LifecycleTables, products: readonly Product[], step?: Step) {
  const customers = new MemoryCustomers(tables, step);
  const ports: NoticePorts = {
    notices: new MemoryNoticeStore(tables, step),
    customers,
    work: {
      releaseAwaiting: async (licenceKey) => {
        await step?.();
        return tables.released.push(licenceKey);
      },
    },
    products: new Map(products.map((product) => [product.productCode, product])),
  };
  return { ports, customers };
}

function newLicence(
  licenceKey: string,
  customerId: string,
  { licenceArn, customerIdentifier, customerAwsAccountId }: ResolvedBuyer,
  product: Product,
  nowMs: number,
): Licence {
  return {
    licenceKey,
    customerId,
    identityStyle: product.identityStyle,
    productCode: product.productCode,
    pricingModel: product.pricingModel,
    meteringRegion: product.meteringRegion,
    firstSeenAt: nowMs,
    periods: [{}],
    ...(licenceArn === undefined ? {} : { licenceArn }),
    ...(customerIdentifier === undefined ? {} : { customerIdentifier }),
    ...(customerAwsAccountId === undefined ? {} : { customerAwsAccountId }),
  };
}

function append(kept: KeptCustomer, licenceKey: string): void {
  const { licenceKeys } = kept.customer;
  if (!licenceKeys.includes(licenceKey)) {
    kept.customer = { ...kept.customer, licenceKeys: [...licenceKeys, licenceKey] };
  }
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
