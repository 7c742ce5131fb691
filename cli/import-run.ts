// Takes the rows of a file to their destination, batch by batch, and counts what came of them.
import { type UsageEvent, type UsageOutcome, UsageUnconfirmed } from '../client/usage-event.ts';
import { MAX_EVENTS_PER_REPORT } from '../lambdas/contracts/usage-report.ts';
import type { FileRow } from './usage-file.ts';

/** A row that was not taken, as it stands in the file of rejects. */
export interface RejectedRow {
  readonly line: number;
  readonly id: string;
  readonly outcome: 'conflict' | 'refused';
  readonly code: string;
  readonly message: string;
}

export interface ImportTally {
  rows: number;
  recorded: number;
  already: number;
  conflict: number;
  refused: number;
  /** Sent, and no answer came that says what became of them. */
  unconfirmed: number;
  readonly reasons: Record<string, number>;
}

export interface ImportOptions {
  /** Outcomes in the order of the events; rejects with UsageUnconfirmed. */
  readonly send: (events: readonly UsageEvent[]) => Promise<readonly UsageOutcome[]>;
  readonly onReject: (row: RejectedRow) => Promise<void>;
  readonly onProgress: (tally: ImportTally) => void;
  readonly signal: AbortSignal;
}

export interface ImportResult {
  readonly tally: ImportTally;
  readonly ended: 'finished' | 'interrupted' | 'fault';
  readonly fault?: unknown;
}

/** Enough to keep the other side busy while the next batch is read; memory holds no more of the file than this. */
const BATCHES_IN_FLIGHT = 4;

type EventRow = Extract<FileRow, { kind: 'event' }>;

/**
 * Imports rows until they end, a fault outlasts the retries, or the signal says to stop; what is under way is waited
 * for in each case. Throws what reading the rows throws, and what `send` throws besides UsageUnconfirmed. Running it again on the same file adds nothing twice.
 */
export async function importRows(rows: AsyncIterable<FileRow>, options: ImportOptions): Promise<ImportResult> {
  const run = new ImportRun(options);
  let batch: EventRow[] = [];
  try {
    for await (const row of rows) {
      run.tally.rows += 1;
      if (row.kind === 'malformed') {
        await run.reject({ line: row.line, id: row.id, outcome: 'refused', code: 'malformed', message: row.message });
        continue;
      }
      batch.push(row);
      if (batch.length < MAX_EVENTS_PER_REPORT) continue;
      await run.start(batch);
      batch = [];
      if (run.isStopped()) break;
    }
    if (!run.isStopped() && batch.length > 0) await run.start(batch);
  } catch (error) {
    // Whoever stops us closes the file under our hands.
    if (!options.signal.aborted) throw error;
  } finally {
    await run.settle();
  }
  const { tally, fault } = run;
  // Nothing was sent, because it can't be: that is no fault which a repeat could mend.
  if (fault !== undefined && !(fault instanceof UsageUnconfirmed)) throw fault;
  if (options.signal.aborted) return { tally, ended: 'interrupted' };
  return fault === undefined ? { tally, ended: 'finished' } : { tally, ended: 'fault', fault };
}

class ImportRun {
  readonly #options: ImportOptions;
  readonly #underWay = new Set<Promise<void>>();
  readonly tally: ImportTally = {
    rows: 0,
    recorded: 0,
    already: 0,
    conflict: 0,
    refused: 0,
    unconfirmed: 0,
    reasons: {},
  };
  fault: unknown;

  constructor(options: ImportOptions) {
    this.#options = options;
  }

  isStopped(): boolean {
    return this.fault !== undefined || this.#options.signal.aborted;
  }

  /** Resolves when the batch is on its way and there is room for another. */
  async start(batch: readonly EventRow[]): Promise<void> {
    const sending: Promise<void> = this.#send(batch)
      .catch((error: unknown) => {
        this.fault ??= error;
      })
      .finally(() => this.#underWay.delete(sending));
    this.#underWay.add(sending);
    if (this.#underWay.size >= BATCHES_IN_FLIGHT) await Promise.race(this.#underWay);
  }

  async settle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async reject(row: RejectedRow): Promise<void> {
    this.tally[row.outcome] += 1;
    this.tally.reasons[row.code] = (this.tally.reasons[row.code] ?? 0) + 1;
    await this.#options.onReject(row);
  }

  async #send(batch: readonly EventRow[]): Promise<void> {
    // The shape was checked as the file was read.
    const events = batch.map(({ written }) => written as unknown as UsageEvent);
    let outcomes: readonly (UsageOutcome | undefined)[] = [];
    try {
      outcomes = await this.#options.send(events);
    } catch (fault) {
      this.fault ??= fault;
      if (fault instanceof UsageUnconfirmed) outcomes = fault.outcomes;
    }
    for (const [index, { line }] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) this.tally.unconfirmed += 1;
      else if ('code' in outcome) await this.reject({ line, ...outcome });
      else this.tally[outcome.outcome] += 1;
    }
    this.#options.onProgress(this.tally);
  }
}
