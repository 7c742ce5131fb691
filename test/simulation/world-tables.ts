// What a world adds to the tables in memory: it notes what only the check needs to know, and spares looks at nothing.
import type { LicenceEntitlements } from '../../lambdas/domain/entitlement.ts';
import { type HourStart, hourEndMs, hourOf, hoursBetween } from '../../lambdas/domain/hour.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import type { SealedHour } from '../../lambdas/domain/ledger.ts';
import type { MeteringPolicy } from '../../lambdas/domain/metering-policy.ts';
import type { EntitlementChange, EntitlementStore } from '../../lambdas/flow/entitlement-ports.ts';
import { LedgerTables, UsageTable } from '../doubles/memory-ports.ts';
import type { Io } from '../doubles/memory-table.ts';
import { MemoryWorkStore } from '../doubles/memory-work.ts';

/** Notes when each row was written, which only the check needs to know. */
export class NotedUsageTable extends UsageTable {
  readonly writtenAt = new Map<string, number>();
  readonly #clock: () => number;

  constructor(pageSize: number, clock: () => number) {
    super(pageSize);
    this.#clock = clock;
  }

  override set(pk: string, sk: string, item: Record<string, unknown>): void {
    super.set(pk, sk, item);
    const key = `${pk} ${sk}`;
    if (!this.writtenAt.has(key)) this.writtenAt.set(key, this.#clock());
  }
}

/** Knows of shards in which nothing ever stands, and says that they have been looked at: it spares most of all looks. */
export class SparingWork {
  readonly #policy: MeteringPolicy;
  readonly #idle: readonly number[];
  readonly #clock: () => number;
  #span: { from?: HourStart; until?: HourStart; hours: readonly HourStart[] } = { hours: [] };

  constructor(policy: MeteringPolicy, idle: readonly number[], clock: () => number) {
    this.#policy = policy;
    this.#idle = idle;
    this.#clock = clock;
  }

  over(work: MemoryWorkStore): MemoryWorkStore {
    const looks = work.looks.bind(work);
    work.looks = async (from) => {
      const known = new Map((await looks(from)).map((each) => [each.hour, each]));
      const nowMs = this.#clock();
      return this.#hoursUntil(from, hourOf(nowMs)).map((hour) => {
        const { looksDone = 0, partial } = known.get(hour) ?? {};
        const due = this.#due(nowMs - hourEndMs(hour));
        const done = due > looksDone && partial?.looks === due ? partial.shards : [];
        const shards = done.length === 0 ? this.#idle : [...new Set([...this.#idle, ...done])];
        return { hour, looksDone, partial: { looks: due, shards } };
      });
    };
    return work;
  }

  #hoursUntil(from: HourStart, until: HourStart): readonly HourStart[] {
    if (this.#span.from !== from || this.#span.until !== until) {
      this.#span = { from, until, hours: hoursBetween(from, until) };
    }
    return this.#span.hours;
  }

  #due(ageMs: number): number {
    return [this.#policy.settleDelayMs, ...this.#policy.laterLooksMs].filter((atAgeMs) => ageMs >= atAgeMs).length;
  }
}

/** Tells of each seal as it is written. Its index by state may follow later, as DynamoDB's do. */
export class WatchedLedger extends LedgerTables {
  readonly #onSeal: (sealed: SealedHour) => void;
  readonly #onReindex: (changes: readonly (() => void)[]) => void;

  constructor(
    pageSize: number,
    onSeal: (sealed: SealedHour) => void,
    onReindex: (changes: readonly (() => void)[]) => void,
  ) {
    super(pageSize);
    this.#onSeal = onSeal;
    this.#onReindex = onReindex;
  }

  protected override reindex(...changes: readonly (() => void)[]): void {
    this.#onReindex(changes);
  }

  override put(sealed: SealedHour): void {
    if (!this.standing(sealed)) this.#onSeal(sealed);
    super.put(sealed);
  }
}

/** Two senders at once have to be harmless: the lease alone must not be what keeps them from harm. */
export class Leaseless extends MemoryWorkStore {
  override async takeLease(): Promise<boolean> {
    return true;
  }

  override async dropLease(): Promise<void> {}
}

/** What AWS said of contracts, and since when each is known to include anything. */
export class EntitlementTable {
  readonly known = new Map<string, LicenceEntitlements>();
  readonly knownSince = new Map<string, number>();
}

export class WorldEntitlements implements Pick<EntitlementStore, 'entitlements' | 'write'> {
  readonly #io: Io;
  readonly #table: EntitlementTable;
  readonly #clock: () => number;

  constructor(io: Io, table: EntitlementTable, clock: () => number) {
    this.#io = io;
    this.#table = table;
    this.#clock = clock;
  }

  entitlements(licenceKey: string): Promise<LicenceEntitlements | undefined> {
    return this.#io('read', shardOf(licenceKey), () => this.#table.known.get(licenceKey));
  }

  write({ before, after }: EntitlementChange): Promise<'written' | 'moved'> {
    const { licenceKey, versions } = after;
    return this.#io('write', shardOf(licenceKey), () => {
      if (this.#table.known.get(licenceKey) !== before) return 'moved';
      this.#table.known.set(licenceKey, after);
      const isAny = versions.some(({ entitlements }) => entitlements.length > 0);
      if (isAny && !this.#table.knownSince.has(licenceKey)) this.#table.knownSince.set(licenceKey, this.#clock());
      return 'written';
    });
  }
}
