// The work table and the licences in memory, under the conditions of the real ones.
import type { HourStart } from '../../lambdas/domain/hour.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import { type Licence, type LicenceEnding, mergeEnding } from '../../lambdas/domain/licence.ts';
import type {
  CustomerStore,
  HeldGroup,
  LateMarker,
  LookProgress,
  PartialLook,
  WorkStore,
} from '../../lambdas/flow/ports.ts';
import { type Gate, NO_GATE } from './memory-ports.ts';

interface Waiting {
  readonly licenceKey: string;
  readonly hour: HourStart;
  readonly shard: number;
}

export class MemoryWorkStore implements WorkStore {
  readonly #gate: Gate;
  readonly #late = new Map<string, LateMarker>();
  readonly #cleared = new Map<string, { version: number; atMs: number }>();
  readonly #partial = new Map<HourStart, PartialLook>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #looks = new Map<HourStart, number>();
  readonly #leases = new Map<string, { holder: string; untilMs: number }>();
  readonly #groups = new Map<string, HeldGroup>();
  #watermark: HourStart | undefined;

  constructor(gate: Gate = NO_GATE) {
    this.#gate = gate;
  }

  async markLate(hour: HourStart, shard: number): Promise<void> {
    await this.#gate(shard);
    this.#mark(hour, shard);
  }

  async lateMarkers(): Promise<readonly LateMarker[]> {
    await this.#gate();
    return [...this.#late.entries()]
      .filter(([key, { version }]) => this.#cleared.get(key)?.version !== version)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, marker]) => marker);
  }

  async clearLate({ hour, shard, version }: LateMarker, nowMs: number): Promise<void> {
    await this.#gate(shard);
    const key = `${hour}#${shard}`;
    if (this.#late.get(key)?.version === version) this.#cleared.set(key, { version, atMs: nowMs });
  }

  async sweepLate(clearedBeforeMs: number): Promise<void> {
    await this.#gate();
    for (const [key, { version, atMs }] of this.#cleared) {
      if (atMs >= clearedBeforeMs || this.#late.get(key)?.version !== version) continue;
      this.#late.delete(key);
      this.#cleared.delete(key);
    }
  }

  async awaitLicence(licenceKey: string, hour: HourStart, shard: number): Promise<void> {
    await this.#gate(shard);
    this.#waiting.set(`${licenceKey}#${hour}`, { licenceKey, hour, shard });
  }

  async releaseAwaiting(licenceKey: string): Promise<number> {
    await this.#gate(shardOf(licenceKey));
    const waiting = [...this.#waiting].filter(([, each]) => each.licenceKey === licenceKey);
    for (const [key, { hour, shard }] of waiting) {
      this.#mark(hour, shard);
      this.#waiting.delete(key);
    }
    return waiting.length;
  }

  async watermark(): Promise<HourStart | undefined> {
    await this.#gate();
    return this.#watermark;
  }

  async raiseWatermark(hour: HourStart): Promise<void> {
    await this.#gate();
    if (this.#watermark === undefined || this.#watermark < hour) this.#watermark = hour;
  }

  async looks(from: HourStart): Promise<readonly LookProgress[]> {
    await this.#gate();
    const found = [...this.#looks].filter(([hour]) => hour >= from).sort(([a], [b]) => (a < b ? -1 : 1));
    return found.map(([hour, looksDone]) => {
      const partial = this.#partial.get(hour);
      return { hour, looksDone, ...(partial === undefined ? {} : { partial }) };
    });
  }

  async noteLooks({ hour, looksDone }: LookProgress): Promise<void> {
    await this.#gate();
    this.#looks.set(hour, Math.max(looksDone, this.#looks.get(hour) ?? 0));
  }

  async noteShards(hour: HourStart, partial: PartialLook): Promise<void> {
    await this.#gate();
    this.#partial.set(hour, partial);
    if (!this.#looks.has(hour)) this.#looks.set(hour, 0);
  }

  async takeLease(name: string, holder: string, nowMs: number, untilMs: number): Promise<boolean> {
    await this.#gate();
    const lease = this.#leases.get(name);
    if (lease && lease.untilMs > nowMs && lease.holder !== holder) return false;
    this.#leases.set(name, { holder, untilMs });
    return true;
  }

  async dropLease(name: string, holder: string): Promise<void> {
    await this.#gate();
    if (this.#leases.get(name)?.holder === holder) this.#leases.delete(name);
  }

  async heldGroups(): Promise<ReadonlyMap<string, HeldGroup>> {
    await this.#gate();
    return new Map(this.#groups);
  }

  async holdGroup(group: HeldGroup): Promise<void> {
    await this.#gate();
    if (!this.#groups.has(group.key)) this.#groups.set(group.key, group);
  }

  async releaseGroup(key: string): Promise<boolean> {
    await this.#gate();
    return this.#groups.delete(key);
  }

  #mark(hour: HourStart, shard: number): void {
    const key = `${hour}#${shard}`;
    this.#late.set(key, { hour, shard, version: (this.#late.get(key)?.version ?? 0) + 1 });
  }
}

type Licences = Pick<CustomerStore, 'licence' | 'licencesOfShard' | 'endingLicences' | 'finishEnding' | 'noteEnding'>;

export class MemoryLicences implements Licences {
  readonly #gate: Gate;
  readonly #licences = new Map<string, Licence>();
  readonly #ending = new Set<string>();

  constructor(gate: Gate = NO_GATE) {
    this.#gate = gate;
  }

  add(licence: Licence): void {
    this.#licences.set(licence.licenceKey, licence);
  }

  async licence(licenceKey: string): Promise<Licence | undefined> {
    await this.#gate(shardOf(licenceKey));
    return this.#licences.get(licenceKey);
  }

  async *licencesOfShard(shard: number): AsyncGenerator<readonly Licence[]> {
    await this.#gate(shard);
    const found = [...this.#licences.values()].filter(({ licenceKey }) => shardOf(licenceKey) === shard);
    yield found.sort((a, b) => (a.licenceKey < b.licenceKey ? -1 : 1));
  }

  async noteEnding(licenceKey: string, ending: LicenceEnding): Promise<Licence | undefined> {
    await this.#gate(shardOf(licenceKey));
    const licence = this.#licences.get(licenceKey);
    if (!licence) return undefined;
    const ended = { ...licence, ending: mergeEnding(licence.ending, ending) };
    if (JSON.stringify(ended) !== JSON.stringify(licence)) this.#ending.add(licenceKey);
    this.#licences.set(licenceKey, ended);
    return ended;
  }

  async endingLicences(): Promise<readonly Licence[]> {
    await this.#gate();
    return [...this.#ending].flatMap((licenceKey) => this.#licences.get(licenceKey) ?? []);
  }

  async finishEnding(licenceKey: string): Promise<void> {
    await this.#gate();
    this.#ending.delete(licenceKey);
  }
}
