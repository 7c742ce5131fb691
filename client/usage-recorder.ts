// Records usage straight into the usage table: one conditional write an event, and no API in between.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import pLimit from 'p-limit';
import { parseUsageEvent } from '../lambdas/contracts/usage-report.ts';
import { BrokenInvariant, InvalidInput, Misconfigured } from '../lambdas/domain/failure.ts';
import type { HourStart } from '../lambdas/domain/hour.ts';
import { hourShardKey } from '../lambdas/domain/keys.ts';
import { DEFAULT_METERING_POLICY } from '../lambdas/domain/metering-policy.ts';
import { type RecordUsagePorts, type ReportEntry, recordUsage } from '../lambdas/flow/record-usage.ts';
import { DynamoCustomerStore } from '../lambdas/stores/customer-store.ts';
import { DynamoUsageStore } from '../lambdas/stores/usage-store.ts';
import { DynamoWorkStore } from '../lambdas/stores/work-store.ts';
import { KnownCustomers, NO_CUSTOMERS } from './known-customers.ts';
import { LateMarkers } from './late-markers.ts';
import { DEFAULT_RETRY_FOR_MS, isPassing, type RetryOptions, retried } from './retry.ts';
import { toWireEvent, type UsageEvent, type UsageOutcome, UsageUnconfirmed } from './usage-event.ts';

export { type UsageEvent, type UsageOutcome, UsageUnconfirmed } from './usage-event.ts';

export interface UsageRecorderOptions extends Partial<RetryOptions> {
  readonly usageTable: string;
  /** Late markers go there. */
  readonly workTable: string;
  /**
   * Needed for events that name a customer by id; with it, ended licences are refused at once, too. It costs a read
   * for each customer and licence that a call names, so hand over many events in one call.
   */
  readonly customersTable?: string;
  /** Yours to close. Without it, the recorder makes one of its own from the SDK's usual settings. */
  readonly dynamo?: DynamoDBClient;
  readonly region?: string;
  readonly endpoint?: string;
  /** As in the deployment's metering policy, in milliseconds; its default, ten minutes, where absent. */
  readonly settleDelayMs?: number;
  /** How many events are written side by side, 50 where absent: as many connections as the SDK keeps. */
  readonly maxInFlight?: number;
  /** Epoch milliseconds, now. It has to be right to within two minutes: late usage is told by it. */
  readonly clock?: () => number;
}

export interface UsageRecorder {
  /**
   * Records events, once per buyer, dimension, hour and id, and says of each, in order, what came of it: `recorded`;
   * `already`, where the same event stands, perhaps by an earlier attempt of this very call; `conflict`, where another
   * event of this id stands, which is kept; or `refused`, with a code and what to do.
   *
   * Rejects with UsageUnconfirmed where a fault outlasts the retries, with Misconfigured, before anything is written,
   * where an event names a customerId and there is no customers table, and with InvalidInput after `close`.
   */
  record(event: UsageEvent): Promise<UsageOutcome>;
  record(events: readonly UsageEvent[]): Promise<readonly UsageOutcome[]>;
  /** Resolves when nothing that was handed over is under way any more, however it ended. */
  flush(): Promise<void>;
  /** Takes no more events, flushes, and closes the connections that the recorder made. */
  close(): Promise<void>;
}

export function createUsageRecorder(options: UsageRecorderOptions): UsageRecorder {
  return new DynamoUsageRecorder(options);
}

const MAX_IN_FLIGHT = 50;

/** Half of the margin by which the flow leaves a marker before its hour closes. */
const SLOW_WRITE_MS = 60_000;

interface LateHour {
  readonly hour: HourStart;
  readonly shard: number;
  /** Positions of the events that are not safe before the marker stands. */
  readonly events: Set<number>;
}

class DynamoUsageRecorder implements UsageRecorder {
  readonly #client: DynamoDBClient;
  readonly #isOwnClient: boolean;
  readonly #ports: Omit<RecordUsagePorts, 'work' | 'customers'>;
  readonly #customers: DynamoCustomerStore | undefined;
  readonly #markers: LateMarkers;
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #retry: RetryOptions;
  readonly #underWay = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(options: UsageRecorderOptions) {
    this.#client = options.dynamo ?? ownClient(options);
    this.#isOwnClient = options.dynamo === undefined;
    this.#limit = pLimit(options.maxInFlight ?? MAX_IN_FLIGHT);
    const { retryForMs = DEFAULT_RETRY_FOR_MS, signal, onRetry, settleDelayMs, customersTable } = options;
    this.#retry = { retryForMs, signal, onRetry };
    this.#customers = customersTable === undefined ? undefined : new DynamoCustomerStore(this.#client, customersTable);
    const work = new DynamoWorkStore(this.#client, options.workTable);
    this.#markers = new LateMarkers((hour, shard) => retried(() => work.markLate(hour, shard), this.#retry));
    this.#ports = {
      usage: new DynamoUsageStore(this.#client, options.usageTable),
      // Refusals are the caller's to keep: it is told of each, and may not write to the rejects table.
      rejects: { keep: async () => {} },
      clock: options.clock ?? Date.now,
      limit: (task) => task(),
      // Without settings any dimension is let in; what the listing does not know is found when its hour closes.
      products: new Map(),
      policy: { ...DEFAULT_METERING_POLICY, ...(settleDelayMs === undefined ? {} : { settleDelayMs }) },
    };
  }

  record(event: UsageEvent): Promise<UsageOutcome>;
  record(events: readonly UsageEvent[]): Promise<readonly UsageOutcome[]>;
  async record(reported: UsageEvent | readonly UsageEvent[]): Promise<UsageOutcome | readonly UsageOutcome[]> {
    const events = isList(reported) ? reported : [reported];
    // Before anything is awaited: times are fixed here, whatever becomes of the caller's objects.
    const entries = events.map((event) => parseUsageEvent(toWireEvent(event)));
    this.#check(entries);
    const recording = this.#recordAll(events, entries);
    this.#underWay.add(recording);
    try {
      const outcomes = await recording;
      return isList(reported) ? outcomes : only(outcomes);
    } finally {
      this.#underWay.delete(recording);
    }
  }

  async flush(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.flush();
    if (this.#isOwnClient) this.#client.destroy();
  }

  #check(entries: readonly ReportEntry[]): void {
    if (this.#isClosed) throw new InvalidInput('RecorderClosed', 'The recorder was closed and takes no more events.');
    const needsCustomers = entries.some((entry) => entry.kind === 'event' && entry.event.subject.kind === 'customer');
    if (needsCustomers && !this.#customers) {
      throw new Misconfigured(
        'CustomersTableMissing',
        'An event names its buyer by customerId. Name the licence instead, or give the recorder the customersTable and the right to read it.',
      );
    }
  }

  async #recordAll(events: readonly UsageEvent[], entries: readonly ReportEntry[]): Promise<readonly UsageOutcome[]> {
    const late = new Map<string, LateHour>();
    const customers = this.#customers ? new KnownCustomers(this.#customers) : NO_CUSTOMERS;
    let outage: unknown;
    const record = async (entry: ReportEntry, index: number) => {
      // The database has been down for as long as is worth waiting: the rest would only wait as long again, in turn.
      if (outage !== undefined) throw outage;
      try {
        return await retried(() => this.#recordOne(entry, index, customers, late), this.#retry);
      } catch (fault) {
        if (isPassing(fault)) outage ??= fault;
        throw fault;
      }
    };
    const attempts = await Promise.allSettled(entries.map((entry, index) => this.#limit(record, entry, index)));
    const outcomes = attempts.map((attempt) => (attempt.status === 'fulfilled' ? attempt.value : undefined));
    const faults = attempts.filter((attempt) => attempt.status === 'rejected').map(({ reason }) => reason as unknown);
    // After the events, also where some failed: those that stand must not wait for the caller to come again.
    await Promise.all(
      [...late.values()].map(async ({ hour, shard, events: waiting }) => {
        try {
          await this.#limit(() => this.#markers.leave(hour, shard));
        } catch (fault) {
          faults.push(fault);
          for (const index of waiting) outcomes[index] = undefined;
        }
      }),
    );
    if (faults.length > 0) throw new UsageUnconfirmed(events, outcomes, faults.every(isPassing), faults[0]);
    return outcomes.filter((outcome) => outcome !== undefined);
  }

  async #recordOne(
    entry: ReportEntry,
    index: number,
    customers: RecordUsagePorts['customers'],
    late: Map<string, LateHour>,
  ): Promise<UsageOutcome> {
    const markLate = async (hour: HourStart, shard: number) => {
      const key = hourShardKey(hour, shard);
      const lateHour = late.get(key) ?? { hour, shard, events: new Set() };
      late.set(key, lateHour);
      lateHour.events.add(index);
    };
    const ports = { ...this.#ports, customers, work: { markLate } };
    const startedAtMs = this.#ports.clock();
    const outcome = only(await recordUsage(ports, [entry]));
    // Whether a marker is due was decided before the write. After one so slow that the hour may have been closed
    // meanwhile, the event is looked at again as one that stands already.
    if (this.#ports.clock() - startedAtMs >= SLOW_WRITE_MS) await recordUsage(ports, [entry]);
    return outcome;
  }
}

/** The SDK sets no time limit by itself: a connection that died silently would hold its event for ever. */
function ownClient({ region, endpoint }: UsageRecorderOptions): DynamoDBClient {
  return new DynamoDBClient({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
  });
}

function isList(reported: UsageEvent | readonly UsageEvent[]): reported is readonly UsageEvent[] {
  return Array.isArray(reported);
}

function only(outcomes: readonly UsageOutcome[]): UsageOutcome {
  const [outcome] = outcomes;
  if (outcome) return outcome;
  throw new BrokenInvariant('OutcomeMissing', 'An event was recorded without an outcome.');
}
