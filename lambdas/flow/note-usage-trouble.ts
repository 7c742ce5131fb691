// Reads:       records that are not settled, those of them that are held or near their deadline, and their customers
// Writes:      an event into the outbox, its mark and the customer's sequence, in one transaction
// Once per:    record and trouble: the mark
// If one fails: it is named and left to the next run; the others go on
// If it stops: the next run finds what is marked and tells the rest
import { asFailure, BrokenInvariant, Unavailable } from '../domain/failure.ts';
import { hourShardKey, meterKey } from '../domain/keys.ts';
import type { SealedHour } from '../domain/ledger.ts';
import { isTrouble, type Trouble, troubledUsage, troublesOf } from '../domain/usage-trouble.ts';
import type { TroubleMark, TroubleOutbox } from './access-ports.ts';
import { liveLists, placeOf } from './live-lists.ts';
import type { NoticeStore } from './notice-ports.ts';
import type { ItemKey, LedgerStore, LiveRecord } from './ports.ts';

type Facts = Readonly<Record<string, string | number>>;

export interface TroublePorts {
  readonly ledger: Pick<LedgerStore, 'open' | 'refused' | 'records'>;
  readonly notices: Pick<NoticeStore, 'folded'>;
  readonly outbox: TroubleOutbox;
  readonly clock: () => number;
  readonly log: { error(code: string, facts?: Facts): void };
  readonly stateShards: number;
  /** How many hours before its deadline a record is told of, each once. */
  readonly warnAtHours: readonly number[];
}

export interface TroubleResult {
  noted: number;
  /** Of customers whose standing has never been told: none is made up for them. */
  waiting: number;
  failed: number;
}

/** How many references are looked up at a time. */
const CHUNK = 50;

/** A transaction that is not written means that the customer was told something else meanwhile. */
const ROUNDS = 8;

interface Suspect extends TroubleMark {
  readonly trouble: Trouble;
}

/**
 * Writes an event for each record that AWS does not take or will soon not take any more, to be told like any other.
 * Throws Unavailable at the end where one failed, so that somebody is woken.
 */
export async function noteUsageTrouble(ports: TroublePorts, hasTime: () => boolean): Promise<TroubleResult> {
  const run = new TroubleRun(ports, hasTime);
  for (const list of liveLists(ports.ledger, ports.stateShards)) {
    if (!hasTime()) break;
    for await (const references of list.pages(leaveToSender)) {
      await run.look(references);
      if (!hasTime()) break;
    }
  }
  return run.end();
}

class TroubleRun {
  readonly #ports: TroublePorts;
  readonly #hasTime: () => boolean;
  readonly #result: TroubleResult = { noted: 0, waiting: 0, failed: 0 };

  constructor(ports: TroublePorts, hasTime: () => boolean) {
    this.#ports = ports;
    this.#hasTime = hasTime;
  }

  async look(references: readonly LiveRecord[]): Promise<void> {
    const { warnAtHours, clock } = this.#ports;
    const suspects = references.flatMap((reference) =>
      troublesOf(reference, warnAtHours, clock()).map((trouble) => suspectOf(reference, trouble)),
    );
    for (let from = 0; from < suspects.length && this.#hasTime(); from += CHUNK) {
      await this.#lookAt(suspects.slice(from, from + CHUNK));
    }
  }

  end(): TroubleResult {
    const result = { ...this.#result };
    if (result.failed === 0) return result;
    throw new Unavailable('TroubleUntold', 'Some records in trouble could not be noted; the log names each.', {
      facts: result,
    });
  }

  async #lookAt(suspects: readonly Suspect[]): Promise<void> {
    const { ledger, outbox } = this.#ports;
    const untold = await outbox.untold(suspects);
    const references = new Map(untold.map((suspect) => [placeOf(suspect), suspect]));
    const records = await ledger.records([...references.values()], leaveToSender);
    const byPlace = new Map(records.map((sealed) => [placeOf(itemKeyOf(sealed)), sealed]));
    for (const suspect of untold) {
      const sealed = byPlace.get(placeOf(suspect));
      // Settled since the index was written, or too young to worry about.
      if (!sealed || !isTrouble(sealed, suspect.trouble, this.#ports.clock())) continue;
      try {
        const outcome = await this.#note(sealed, suspect);
        if (outcome !== 'already') this.#result[outcome] += 1;
      } catch (fault) {
        const { partition, meter, name } = suspect;
        this.#result.failed += 1;
        this.#ports.log.error('TroubleUntold', { partition, meter, name, failureCode: asFailure(fault).code });
      }
    }
  }

  async #note(sealed: SealedHour, suspect: Suspect): Promise<'noted' | 'waiting' | 'already'> {
    const { notices, outbox, clock } = this.#ports;
    const { customerId } = sealed;
    for (let round = 0; round < ROUNDS; round++) {
      const read = await notices.folded(customerId);
      if (!read) throw new BrokenInvariant('CustomerMissing', 'A sealed hour names a customer that is not there.');
      // Its standing would say that there is no access, of which nobody has been told either.
      if (read.folds === 0) return 'waiting';
      const { type } = suspect.trouble;
      const sequence = read.customer.sequence + 1;
      const { standing } = read;
      const event = { type, customerId, sequence, at: clock(), standing, usage: troubledUsage(sealed) };
      const outcome = await outbox.tellTrouble(read, event, suspect);
      if (outcome !== 'moved') return outcome === 'told' ? 'noted' : 'already';
    }
    throw new Unavailable('StandingContended', `A customer's standing kept changing, ${ROUNDS} times.`);
  }
}

/** The sender reads the same records every minute, names what is malformed, and is loud about it. */
function leaveToSender(): void {}

function suspectOf({ partition, meter }: LiveRecord, trouble: Trouble): Suspect {
  return { partition, meter, name: trouble.name, trouble };
}

function itemKeyOf({ hour, shard, licenceKey, dimension }: SealedHour): ItemKey {
  return { partition: hourShardKey(hour, shard), meter: meterKey(licenceKey, dimension) };
}
