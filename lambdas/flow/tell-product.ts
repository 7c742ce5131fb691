// Reads:       events that wait in the outbox, shard by shard, each customer's in order
// Writes:      puts them on the bus; takes out those that the bus took
// Once per:    event, at least: its id stays, and who has seen a higher sequence of the customer drops it
// If one fails: that customer's later events wait with it; the others go on
// If it stops: what was put and not taken out is put again by the next run
import { Unavailable } from '../domain/failure.ts';
import { MINUTE_MS } from '../domain/hour.ts';
import type { ToldEvent } from '../domain/usage-trouble.ts';
import type { EventBus, Outbox } from './access-ports.ts';

type Facts = Readonly<Record<string, string | number>>;

export interface TellPorts {
  readonly outbox: Outbox;
  readonly bus: EventBus;
  readonly clock: () => number;
  readonly log: { error(code: string, facts?: Facts): void };
}

export interface TellResult {
  told: number;
  refused: number;
  malformed: number;
}

/** PutEvents takes as many entries. */
const EVENTS_PER_CALL = 10;

/**
 * After this many calls in a row of which nothing was taken, a run leaves the bus alone until the next. What the bus
 * finds wrong with an event is no fault of the bus: it must not keep the events behind it waiting for ever.
 */
const FAULTS_IN_A_ROW = 3;

/**
 * Tells what waits, until nothing does or time runs out. Safe if several ever run: some events are then told twice.
 * Throws Unavailable at the end where an event was refused or is malformed, so that somebody is woken.
 */
export async function tellProduct(ports: TellPorts, hasTime: () => boolean): Promise<TellResult> {
  const run = new TellRun(ports, hasTime);
  const { shards } = ports.outbox;
  // Begins elsewhere each minute: a full shard must not keep the last ones waiting for ever.
  const first = Math.floor(ports.clock() / MINUTE_MS) % shards;
  for (let index = 0; index < shards; index++) {
    for await (const events of ports.outbox.pending((first + index) % shards, run.onMalformed)) {
      await run.tell(events);
      if (run.isOver()) return run.end();
    }
  }
  return run.end();
}

/**
 * Tells what waits of some customers only: to be called right after a change. What it throws is no reason for the caller
 * to fail, since the schedule tells what is left.
 */
export async function tellCustomers(
  ports: TellPorts,
  customerIds: Iterable<string>,
  hasTime: () => boolean,
): Promise<TellResult> {
  const run = new TellRun(ports, hasTime);
  for (const customerId of new Set(customerIds)) {
    if (run.isOver()) break;
    await run.tell(await ports.outbox.pendingOf(customerId, run.onMalformed));
  }
  return run.end();
}

class TellRun {
  readonly #ports: TellPorts;
  readonly #hasTime: () => boolean;
  readonly #result: TellResult = { told: 0, refused: 0, malformed: 0 };
  /** Customers one of whose events was refused: what follows it must not overtake it. */
  readonly #stuck = new Set<string>();
  #faultsInARow = 0;

  constructor(ports: TellPorts, hasTime: () => boolean) {
    this.#ports = ports;
    this.#hasTime = hasTime;
  }

  readonly onMalformed = (key: string): void => {
    this.#result.malformed += 1;
    this.#ports.log.error('EventMalformed', { event: key });
  };

  isOver(): boolean {
    return this.#faultsInARow >= FAULTS_IN_A_ROW || !this.#hasTime();
  }

  /** One event a customer and call: the next of a customer goes out when the bus has taken the one before it. */
  async tell(events: readonly ToldEvent[]): Promise<void> {
    const queues = Map.groupBy(events, ({ customerId }) => customerId);
    while (!this.isOver()) {
      for (const customerId of this.#stuck) queues.delete(customerId);
      const heads = [...queues.values()].slice(0, EVENTS_PER_CALL).flatMap(([head]) => (head ? [head] : []));
      if (heads.length === 0) return;
      const taken = await this.#put(heads);
      await Promise.all(taken.map((event) => this.#ports.outbox.markTold(event)));
      this.#result.told += taken.length;
      for (const { customerId } of taken) {
        const rest = queues.get(customerId)?.slice(1) ?? [];
        if (rest.length > 0) queues.set(customerId, rest);
        else queues.delete(customerId);
      }
    }
  }

  end(): TellResult {
    const result = { ...this.#result };
    if (result.refused === 0 && result.malformed === 0) return result;
    throw new Unavailable('TellingIncomplete', 'Some events could not be told; the log names each.', {
      facts: result,
    });
  }

  async #put(events: readonly ToldEvent[]): Promise<readonly ToldEvent[]> {
    const answers = await this.#ports.bus.put(events);
    const taken: ToldEvent[] = [];
    for (const [index, event] of events.entries()) {
      const answer = answers[index] ?? { kind: 'refused', code: 'AnswerMissing' };
      if (answer.kind === 'taken') {
        taken.push(event);
        continue;
      }
      const { customerId, sequence, type } = event;
      this.#stuck.add(customerId);
      this.#result.refused += 1;
      this.#ports.log.error('EventRefused', { customerId, sequence, type, refused: answer.code });
    }
    const isFault = answers.every((answer) => answer.kind === 'refused' && !answer.isOwn);
    this.#faultsInARow = isFault ? this.#faultsInARow + 1 : 0;
    return taken;
  }
}
