// The work table and the licences in memory, under the conditions of the real ones.
import type { Customer } from '../../lambdas/domain/customer.ts';
import type { HourStart } from '../../lambdas/domain/hour.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import {
  type EndNotice,
  type Licence,
  type LicenceEnding,
  type LicenceStart,
  withEnding,
  withStart,
} from '../../lambdas/domain/licence.ts';
import type {
  CustomerStore,
  HeldGroup,
  LateMarker,
  LookProgress,
  PartialLook,
  TouchedHour,
  WorkStore,
} from '../../lambdas/flow/ports.ts';
import { AT_ONCE, type Io } from './memory-table.ts';

interface Waiting {
  readonly licenceKey: string;
  readonly hour: HourStart;
  readonly shard: number;
}

/** What the work table holds. */
export class WorkTable {
  readonly late = new Map<string, LateMarker>();
  readonly cleared = new Map<string, { version: number; atMs: number }>();
  readonly partial = new Map<HourStart, PartialLook>();
  readonly waiting = new Map<string, Waiting>();
  readonly looks = new Map<HourStart, number>();
  readonly leases = new Map<string, { holder: string; untilMs: number }>();
  readonly groups = new Map<string, HeldGroup>();
  /** Marks are made and read at once: nothing that is billed hangs on when they come. */
  readonly touched = new Map<HourStart, string>();
  marks = 0;
  readonly summarized = new Map<number, HourStart>();
  watermark: HourStart | undefined;

  mark(hour: HourStart, shard: number): void {
    const key = `${hour}#${shard}`;
    this.late.set(key, { hour, shard, version: (this.late.get(key)?.version ?? 0) + 1 });
  }

  /** Markers that ask for a look. */
  marked(): LateMarker[] {
    return [...this.late]
      .filter(([key, { version }]) => this.cleared.get(key)?.version !== version)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, marker]) => marker);
  }
}

export class MemoryWorkStore implements WorkStore {
  readonly table: WorkTable;
  protected readonly io: Io;

  constructor(io: Io = AT_ONCE, table = new WorkTable()) {
    this.io = io;
    this.table = table;
  }

  markLate(hour: HourStart, shard: number): Promise<void> {
    return this.io('write', shard, () => this.table.mark(hour, shard));
  }

  lateMarkers(): Promise<readonly LateMarker[]> {
    return this.io('read', undefined, () => this.table.marked());
  }

  clearLate({ hour, shard, version }: LateMarker, nowMs: number): Promise<void> {
    return this.io('write', shard, () => {
      const key = `${hour}#${shard}`;
      if (this.table.late.get(key)?.version === version) this.table.cleared.set(key, { version, atMs: nowMs });
    });
  }

  async sweepLate(clearedBeforeMs: number): Promise<void> {
    const { late, cleared } = this.table;
    const old = await this.io('read', undefined, () => [...cleared].filter(([, { atMs }]) => atMs < clearedBeforeMs));
    for (const [key, { version }] of old) {
      await this.io('write', undefined, () => {
        // Written again meanwhile: it is a marker again, and stays.
        if (late.get(key)?.version !== version) return;
        late.delete(key);
        cleared.delete(key);
      });
    }
  }

  awaitLicence(licenceKey: string, hour: HourStart, shard: number): Promise<void> {
    return this.io('write', shard, () => {
      this.table.waiting.set(`${licenceKey}#${hour}`, { licenceKey, hour, shard });
    });
  }

  async releaseAwaiting(licenceKey: string): Promise<number> {
    const own = shardOf(licenceKey);
    const waiting = await this.io('read', own, () =>
      [...this.table.waiting].filter(([, each]) => each.licenceKey === licenceKey),
    );
    for (const [key, { hour, shard }] of waiting) {
      await this.markLate(hour, shard);
      await this.io('write', own, () => void this.table.waiting.delete(key));
    }
    return waiting.length;
  }

  async markTouched(hours: Iterable<HourStart>): Promise<void> {
    for (const hour of hours) this.table.touched.set(hour, `${++this.table.marks}`);
  }

  async touchedHours(): Promise<readonly TouchedHour[]> {
    return [...this.table.touched].map(([hour, stamp]) => ({ hour, stamp })).sort((a, b) => (a.hour < b.hour ? -1 : 1));
  }

  async clearTouched({ hour, stamp }: TouchedHour): Promise<void> {
    if (this.table.touched.get(hour) === stamp) this.table.touched.delete(hour);
  }

  async summarizedBefore(look: number): Promise<HourStart | undefined> {
    return this.table.summarized.get(look);
  }

  async noteSummarized(look: number, before: HourStart): Promise<void> {
    if ((this.table.summarized.get(look) ?? '') < before) this.table.summarized.set(look, before);
  }

  watermark(): Promise<HourStart | undefined> {
    return this.io('read', undefined, () => this.table.watermark);
  }

  raiseWatermark(hour: HourStart): Promise<void> {
    return this.io('write', undefined, () => {
      if (this.table.watermark === undefined || this.table.watermark < hour) this.table.watermark = hour;
    });
  }

  looks(from: HourStart): Promise<readonly LookProgress[]> {
    return this.io('read', undefined, () => {
      const found = [...this.table.looks].filter(([hour]) => hour >= from).sort(([a], [b]) => (a < b ? -1 : 1));
      return found.map(([hour, looksDone]) => {
        const partial = this.table.partial.get(hour);
        return { hour, looksDone, ...(partial === undefined ? {} : { partial }) };
      });
    });
  }

  noteLooks({ hour, looksDone }: LookProgress): Promise<void> {
    return this.io('write', undefined, () => {
      this.table.looks.set(hour, Math.max(looksDone, this.table.looks.get(hour) ?? 0));
    });
  }

  noteShards(hour: HourStart, partial: PartialLook): Promise<void> {
    return this.io('write', undefined, () => {
      this.table.partial.set(hour, partial);
      if (!this.table.looks.has(hour)) this.table.looks.set(hour, 0);
    });
  }

  takeLease(name: string, holder: string, nowMs: number, untilMs: number): Promise<boolean> {
    return this.io('write', undefined, () => {
      const lease = this.table.leases.get(name);
      if (lease && lease.untilMs > nowMs && lease.holder !== holder) return false;
      this.table.leases.set(name, { holder, untilMs });
      return true;
    });
  }

  dropLease(name: string, holder: string): Promise<void> {
    return this.io('write', undefined, () => {
      if (this.table.leases.get(name)?.holder === holder) this.table.leases.delete(name);
    });
  }

  heldGroups(): Promise<ReadonlyMap<string, HeldGroup>> {
    return this.io('read', undefined, () => new Map(this.table.groups));
  }

  holdGroup(group: HeldGroup): Promise<void> {
    return this.io('write', undefined, () => {
      if (!this.table.groups.has(group.key)) this.table.groups.set(group.key, group);
    });
  }

  releaseGroup(key: string): Promise<boolean> {
    return this.io('write', undefined, () => this.table.groups.delete(key));
  }
}

/** What the customers table holds of licences, and who holds them. */
export class LicenceTable {
  readonly licences = new Map<string, Licence>();
  readonly ending = new Set<string>();
  readonly customers = new Map<string, Customer>();
}

type Licences = Pick<
  CustomerStore,
  | 'customer'
  | 'licence'
  | 'licencesOfShard'
  | 'endingLicences'
  | 'finishEnding'
  | 'noteStart'
  | 'noteEnding'
  | 'noteCutOver'
>;

export class MemoryLicences implements Licences {
  readonly table: LicenceTable;
  protected readonly io: Io;

  constructor(io: Io = AT_ONCE, table = new LicenceTable()) {
    this.io = io;
    this.table = table;
  }

  /** What a registration writes. */
  add(licence: Licence): void {
    this.table.licences.set(licence.licenceKey, licence);
  }

  customer(customerId: string): Promise<Customer | undefined> {
    return this.io('read', undefined, () => this.table.customers.get(customerId));
  }

  licence(licenceKey: string): Promise<Licence | undefined> {
    return this.io('read', shardOf(licenceKey), () => this.table.licences.get(licenceKey));
  }

  async *licencesOfShard(shard: number): AsyncGenerator<readonly Licence[]> {
    yield await this.io('read', shard, () => {
      const found = [...this.table.licences.values()].filter(({ licenceKey }) => shardOf(licenceKey) === shard);
      return found.sort((a, b) => (a.licenceKey < b.licenceKey ? -1 : 1));
    });
  }

  noteStart(licenceKey: string, start: LicenceStart): Promise<Licence | undefined> {
    return this.#note(licenceKey, (licence) => withStart(licence, start));
  }

  noteEnding(licenceKey: string, ending: EndNotice): Promise<Licence | undefined> {
    return this.#note(licenceKey, (licence) => withEnding(licence, ending));
  }

  endingLicences(): Promise<readonly Licence[]> {
    return this.io('read', undefined, () =>
      [...this.table.ending].flatMap((licenceKey) => this.table.licences.get(licenceKey) ?? []),
    );
  }

  finishEnding(licenceKey: string, read: LicenceEnding): Promise<boolean> {
    return this.io('transaction', shardOf(licenceKey), () => {
      const licence = this.table.licences.get(licenceKey);
      if (!isSameEnding(licence?.ending, read)) return false;
      this.table.ending.delete(licenceKey);
      return true;
    });
  }

  noteCutOver(legacy: Licence, licence: Licence): Promise<'noted' | 'moved'> {
    const { cutOverHour, counterpartKey, ...made } = licence;
    return this.io('transaction', shardOf(legacy.licenceKey), () => {
      const { licences, customers } = this.table;
      const [old, held] = [licences.get(legacy.licenceKey), licences.get(licence.licenceKey)];
      const customer = customers.get(legacy.customerId);
      const isTaken = held && (held.customerId !== legacy.customerId || held.cutOverHour !== undefined);
      if (!old || !customer || old.cutOverHour !== undefined || isTaken) return 'moved';
      if (old.ending || held?.ending) return 'moved';
      if (cutOverHour === undefined || counterpartKey === undefined) return 'moved';
      licences.set(old.licenceKey, { ...old, cutOverHour, counterpartKey: licence.licenceKey });
      licences.set(licence.licenceKey, { ...made, ...held, cutOverHour, counterpartKey });
      const licenceKeys = [...new Set([...customer.licenceKeys, licence.licenceKey])];
      customers.set(customer.customerId, { ...customer, licenceKeys });
      return 'noted';
    });
  }

  #note(licenceKey: string, change: (licence: Licence) => Licence): Promise<Licence | undefined> {
    return this.io('transaction', shardOf(licenceKey), () => {
      const before = this.table.licences.get(licenceKey);
      if (!before) return undefined;
      const after = change(before);
      this.table.licences.set(licenceKey, after);
      if (!after.ending && before.ending) this.table.ending.delete(licenceKey);
      // Only a new end: a repeat puts no licence back on the list that it was taken off.
      if (after.ending && !isSameEnding(before.ending, after.ending)) this.table.ending.add(licenceKey);
      return after;
    });
  }
}

function isSameEnding(one: LicenceEnding | undefined, other: LicenceEnding | undefined): boolean {
  return (
    one?.noticeAt === other?.noticeAt &&
    one?.revokedAt === other?.revokedAt &&
    one?.deprovisionedAt === other?.deprovisionedAt
  );
}
