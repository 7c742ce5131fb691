// The outbox, the bus and the log of deliveries in memory, under the conditions of the real ones; each operation takes
// a turn.
import { accessEventId, type Delivery, type DeliveryName } from '../../lambdas/domain/delivery.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import type { ToldEvent } from '../../lambdas/domain/usage-trouble.ts';
import type {
  DeliveryStore,
  EventBus,
  OnMalformedEvent,
  Outbox,
  PutAnswer,
  TroubleMark,
  TroubleOutbox,
} from '../../lambdas/flow/access-ports.ts';
import type { FoldedCustomer } from '../../lambdas/flow/notice-ports.ts';

type Step = () => Promise<void>;

/** Small enough that a few events make several pages. */
const PAGE = 3;

export class OutboxTables {
  readonly waiting = new Map<string, ToldEvent>();
  /** Keys of events that can't be read. */
  readonly malformed = new Set<string>();
  readonly marks = new Set<string>();
  readonly customers = new Map<string, FoldedCustomer>();

  add(...events: readonly ToldEvent[]): void {
    for (const event of events) this.waiting.set(accessEventId(event), event);
  }
}

export class MemoryOutbox implements Outbox, TroubleOutbox {
  readonly shards = 4;
  readonly #tables: OutboxTables;
  readonly #step: Step;

  constructor(tables: OutboxTables, step: Step = async () => {}) {
    this.#tables = tables;
    this.#step = step;
  }

  async *pending(shard: number, onMalformed: OnMalformedEvent): AsyncGenerator<readonly ToldEvent[]> {
    let after = '';
    while (true) {
      await this.#step();
      const rest = this.#ordered((event) => shardOf(event.customerId) % this.shards === shard).filter(
        (event) => sortKey(event) > after,
      );
      const page = rest.slice(0, PAGE);
      after = sortKey(page.at(-1));
      if (page.length > 0) yield this.#readable(page, onMalformed);
      if (rest.length <= PAGE) return;
    }
  }

  async pendingOf(customerId: string, onMalformed: OnMalformedEvent): Promise<readonly ToldEvent[]> {
    await this.#step();
    const own = this.#ordered((event) => event.customerId === customerId);
    return this.#readable(own, onMalformed);
  }

  async markTold(event: ToldEvent): Promise<void> {
    await this.#step();
    this.#tables.waiting.delete(accessEventId(event));
  }

  async untold<M extends TroubleMark>(marks: readonly M[]): Promise<readonly M[]> {
    await this.#step();
    return marks.filter((mark) => !this.#tables.marks.has(markKey(mark)));
  }

  async tellTrouble(read: FoldedCustomer, event: ToldEvent, mark: TroubleMark): Promise<'told' | 'already' | 'moved'> {
    await this.#step();
    if (this.#tables.marks.has(markKey(mark))) return 'already';
    const kept = this.#tables.customers.get(event.customerId);
    if (!kept || kept.customer.sequence !== read.customer.sequence) return 'moved';
    this.#tables.marks.add(markKey(mark));
    const customer = { ...kept.customer, sequence: event.sequence };
    this.#tables.customers.set(event.customerId, { ...kept, customer });
    this.#tables.add(event);
    return 'told';
  }

  #ordered(isWanted: (event: ToldEvent) => boolean): ToldEvent[] {
    const events = [...this.#tables.waiting.values()].filter(isWanted);
    return events.sort((one, other) => (sortKey(one) < sortKey(other) ? -1 : 1));
  }

  #readable(events: readonly ToldEvent[], onMalformed: OnMalformedEvent): readonly ToldEvent[] {
    return events.filter((event) => {
      const id = accessEventId(event);
      if (!this.#tables.malformed.has(id)) return true;
      onMalformed(id, new Error('malformed'));
      return false;
    });
  }
}

function sortKey(event: ToldEvent | undefined): string {
  return event ? `${event.customerId}#${String(event.sequence).padStart(10, '0')}` : '';
}

function markKey({ partition, meter, name }: TroubleMark): string {
  return `${partition}#${meter}#${name}`;
}

/** A bus that takes what `isTaken` lets through, and may take an entry though its answer never arrives. */
export class MemoryBus implements EventBus {
  readonly taken: ToldEvent[] = [];
  readonly calls: (readonly ToldEvent[])[] = [];
  readonly #isTaken: (event: ToldEvent) => boolean;
  readonly #step: Step;
  /** Whether what is not taken is refused for itself. */
  isOwnFault = false;

  constructor(isTaken: (event: ToldEvent) => boolean = () => true, step: Step = async () => {}) {
    this.#isTaken = isTaken;
    this.#step = step;
  }

  async put(events: readonly ToldEvent[]): Promise<readonly PutAnswer[]> {
    await this.#step();
    this.calls.push(events);
    const answers = events.map((event): PutAnswer => {
      if (!this.#isTaken(event)) {
        return this.isOwnFault
          ? { kind: 'refused', code: 'EventTooLarge', isOwn: true }
          : { kind: 'refused', code: 'ThrottlingException' };
      }
      this.taken.push(event);
      return { kind: 'taken' };
    });
    // The call was made; a worker that dies here never learns what came of it.
    await this.#step();
    return answers;
  }
}

type Kept = Pick<DeliveryStore, 'begin' | 'noteTry' | 'delivery' | 'reopen' | 'ofCustomer'>;

export class MemoryDeliveries implements Kept {
  readonly kept = new Map<string, Delivery>();
  readonly #step: Step;

  constructor(step: Step = async () => {}) {
    this.#step = step;
  }

  async begin(delivery: Delivery): Promise<Delivery> {
    await this.#step();
    const kept = this.kept.get(nameOf(delivery));
    if (!kept) this.kept.set(nameOf(delivery), delivery);
    return kept ?? delivery;
  }

  async noteTry(read: Delivery, after: Delivery): Promise<boolean> {
    await this.#step();
    const kept = this.kept.get(nameOf(read));
    const isUnmoved = kept?.tries === read.tries && kept.since === read.since;
    if (kept?.status !== 'pending' || (after.status !== 'delivered' && !isUnmoved)) return false;
    this.kept.set(nameOf(read), after);
    return true;
  }

  async delivery(name: DeliveryName): Promise<Delivery | undefined> {
    await this.#step();
    return this.kept.get(nameOf(name));
  }

  async ofCustomer(customerId: string): Promise<readonly Delivery[]> {
    await this.#step();
    return [...this.kept.values()]
      .filter((each) => each.customerId === customerId)
      .sort((one, other) => one.sequence - other.sequence);
  }

  async reopen(delivery: Delivery): Promise<void> {
    await this.#step();
    this.kept.set(nameOf(delivery), delivery);
  }
}

function nameOf(name: DeliveryName): string {
  return `${accessEventId(name)}#${name.endpoint}`;
}
