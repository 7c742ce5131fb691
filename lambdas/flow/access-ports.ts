// What telling the seller's product needs from outside.
import type { Delivery, DeliveryName, PostOutcome } from '../domain/delivery.ts';
import type { ToldEvent } from '../domain/usage-trouble.ts';
import type { FoldedCustomer } from './notice-ports.ts';
import type { ItemKey, OnMalformed } from './ports.ts';

/** Told of each stored event that is none of ours by its members, by its key; it is left where it is. */
export type OnMalformedEvent = (key: string, fault: unknown) => void;

export interface Outbox {
  /** The shards; a customer's events stand in one. */
  readonly shards: number;
  /** The events of a shard that were not marked told, each customer's in order, consistently. */
  pending(shard: number, onMalformed: OnMalformedEvent): AsyncIterable<readonly ToldEvent[]>;
  /** One customer's, in order. */
  pendingOf(customerId: string, onMalformed: OnMalformedEvent): Promise<readonly ToldEvent[]>;
  /** Takes an event out. A repeat changes nothing. */
  markTold(event: ToldEvent): Promise<void>;
}

export type PutAnswer =
  | { readonly kind: 'taken' }
  | {
      readonly kind: 'refused';
      readonly code: string;
      /** Whether it is this event that the bus does not take: another may go. */
      readonly isOwn?: boolean;
    };

export interface EventBus {
  /** Puts up to ten events; answers for each, in order. Never throws for what the bus answers, or that it does not. */
  put(events: readonly ToldEvent[]): Promise<readonly PutAnswer[]>;
}

/** What marks a trouble of a record as told. */
export interface TroubleMark extends ItemKey {
  readonly name: string;
}

export interface TroubleOutbox {
  /** Those of the marks, all different, that do not stand yet. */
  untold<M extends TroubleMark>(marks: readonly M[]): Promise<readonly M[]>;
  /**
   * Writes an event, the mark and the customer's sequence, or none of it. Once per mark; `'moved'` where the customer
   * has been told something else since the read.
   */
  tellTrouble(read: FoldedCustomer, event: ToldEvent, mark: TroubleMark): Promise<'told' | 'already' | 'moved'>;
}

export interface DeliveryStore {
  /** Notes an event before its first try, once per event and endpoint; gives what stands. */
  begin(delivery: Delivery): Promise<Delivery>;
  /**
   * Notes what a try came to; false where another try was noted since the read. That it was delivered is noted as long
   * as nothing has settled the delivery.
   */
  noteTry(read: Delivery, after: Delivery): Promise<boolean>;
  delivery(name: DeliveryName): Promise<Delivery | undefined>;
  /** Writes a delivery over what stands. */
  reopen(delivery: Delivery): Promise<void>;
  /** A customer's deliveries in the order of its events. */
  ofCustomer(customerId: string): Promise<readonly Delivery[]>;
  /** Deliveries of an endpoint that are not delivered, oldest first. */
  undelivered(
    endpoint: string,
    status: 'pending' | 'givenUp' | 'stopped',
    onMalformed: OnMalformed,
  ): AsyncIterable<readonly Delivery[]>;
}

export interface DeliveryQueue {
  /** Keeps a message that is being handled out of sight for so long. */
  hide(receiptHandle: string, seconds: number): Promise<void>;
  /** Asks for an event to be posted to an endpoint. */
  send(endpoint: string, body: string): Promise<void>;
}

export interface WebhookEndpoint {
  readonly name: string;
  readonly url: string;
  readonly secretArn: string;
}

/** Every key that an endpoint's receiver may verify with. Throws Misconfigured or Unavailable. */
export type WebhookKeys = (secretArn: string) => Promise<readonly Buffer[]>;

export type WebhookPoster = (post: {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
}) => Promise<PostOutcome>;
