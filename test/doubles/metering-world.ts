// One randomised world of metering: the real flow on stores in memory, workers that die between
// any two steps, lost answers, outages, late usage, a licence's end. A seed names a world for ever.
import { HOUR_MS, MINUTE_MS } from '../../lambdas/domain/hour.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import type { MeteringPolicy } from '../../lambdas/domain/metering-policy.ts';
import type { Tags } from '../../lambdas/domain/tag-set.ts';
import type { UsageEvent } from '../../lambdas/domain/usage-event.ts';
import { closeDueHours } from '../../lambdas/flow/close-due-hours.ts';
import type { LedgerStore, MeteringGateway, UsageStore } from '../../lambdas/flow/ports.ts';
import { type ReportEntry, recordUsage } from '../../lambdas/flow/record-usage.ts';
import { sendMetering } from '../../lambdas/flow/send-metering.ts';
import { STATE_SHARDS } from '../../lambdas/stores/ledger-items.ts';
import { aLicence, anHour, aPolicy, aProduct, at } from '../builders.ts';
import { type Gate, MemoryLedgerStore, MemoryRejectStore, MemoryUsageStore } from './memory-ports.ts';
import { MemoryLicences, MemoryWorkStore } from './memory-work.ts';
import { SimulatedAws } from './simulated-aws.ts';
import { type Random, randomOf, Turns } from './turns.ts';

/** Lies in one of the first eight shards, so that the shard of its state is of the same number. */
export const WORLD_LICENCE = 'l-00000000000000000000000000000002';

/** A planted defect: what of the system is replaced by something wrong. */
export interface Defect {
  readonly ledger?: (gate: Gate) => MemoryLedgerStore;
  readonly metering?: (aws: MeteringGateway, usage: MemoryUsageStore) => MeteringGateway;
  readonly policy?: Partial<MeteringPolicy>;
  /** How often workers die, and time passes with work under way, where the defect needs more of it to show. */
  readonly chances?: { readonly die?: number; readonly timePasses?: number };
}

/** For every step that a worker takes. */
const CHANCES = { die: 0.01, timePasses: 0.0005 };

export const STEP_MS = 10 * MINUTE_MS;
const FIRST = at('2026-09-21T00:00:00Z');
/** Times are shortened as in the model: a window of 10 hours, a door of 8. */
const POLICY = aPolicy({
  intakeWindowMs: 8 * HOUR_MS,
  meteringWindowMs: 10 * HOUR_MS,
  laterLooksMs: [2 * HOUR_MS, 8 * HOUR_MS + STEP_MS],
  lingerMs: 0,
});

/** What a world is like: drawn once from its seed. */
export interface Climate {
  readonly steps: number;
  readonly noticeAt: number | undefined;
  readonly revokedAt: number | undefined;
  readonly outage: readonly [number, number];
  readonly closersDown: readonly [number, number];
  readonly isHuge: boolean;
  readonly callsResendsDuplicates: boolean;
}

function climateOf(random: Random): Climate {
  const steps = pick(random, [30, 60, 110]);
  const ends = random() < 0.5;
  const notice = 10 + Math.floor(random() * (steps - 10));
  const outageFrom = Math.floor(random() * steps);
  const downFrom = Math.floor(random() * steps);
  return {
    steps,
    noticeAt: ends ? FIRST + notice * STEP_MS : undefined,
    revokedAt: ends ? FIRST + (notice + Math.floor(random() * 4)) * STEP_MS : undefined,
    outage: [outageFrom, outageFrom + pick(random, [0, 0, 5, 90])],
    closersDown: [downFrom, downFrom + pick(random, [0, 0, 0, 80])],
    isHuge: !ends && random() < 0.2,
    callsResendsDuplicates: random() < 0.5,
  };
}

export class MeteringWorld {
  readonly climate: Climate;
  readonly random: Random;
  readonly turns: Turns;
  readonly usage: TimedUsageStore;
  readonly ledger: MemoryLedgerStore;
  readonly licences: MemoryLicences;
  readonly work: MemoryWorkStore;
  readonly aws: SimulatedAws;
  readonly policy: MeteringPolicy;
  readonly errors: string[] = [];
  readonly now = () => this.#nowMs;
  #nowMs = FIRST;
  #ids = 0;
  readonly #metering: MeteringGateway;
  readonly #defect: Defect;
  readonly #rejects = new MemoryRejectStore();

  constructor(seed: number, defect: Defect = {}) {
    this.#defect = defect;
    this.random = randomOf(seed);
    this.climate = climateOf(this.random);
    this.policy = { ...POLICY, ...defect.policy };
    this.turns = new Turns(this.random);
    const gate: Gate = (shard) => (shard === undefined || shard === shardOf(WORLD_LICENCE) ? this.turns.step() : FREE);
    this.usage = new TimedUsageStore(gate, this.now);
    this.ledger = defect.ledger?.(gate) ?? new MemoryLedgerStore(gate);
    this.licences = new MemoryLicences(gate);
    this.licences.add(aLicence({ licenceKey: WORLD_LICENCE, licenceArn: arnOf(WORLD_LICENCE), firstSeenAt: FIRST }));
    this.work = new MemoryWorkStore(gate);
    const { revokedAt, callsResendsDuplicates } = this.climate;
    this.aws = new SimulatedAws({
      random: this.random,
      clock: this.now,
      step: () => this.turns.step(),
      isOut: () => this.#isWithin(this.climate.outage),
      callsResendsDuplicates,
      windowMs: POLICY.meteringWindowMs,
      finalWindowEndsAt: () => revokedAt && revokedAt + HOUR_MS,
    });
    this.#metering = defect.metering?.(this.aws, this.usage) ?? this.aws;
  }

  /** Lives through the whole of the world; `check` looks at it from time to time. */
  async live(check: () => Promise<string | undefined>): Promise<string | undefined> {
    await this.work.raiseWatermark(anHour('2026-09-21T00'));
    for (let step = 0; step < this.climate.steps + 90; step++) {
      this.#nowMs = FIRST + step * STEP_MS;
      await this.#takeNotice();
      if (step < this.climate.steps) this.#report();
      if (!this.#isWithin(this.climate.closersDown)) this.#workOn();
      await this.turns.run({ ...CHANCES, ...this.#defect.chances });
      const violation = step % 12 === 0 ? await check() : undefined;
      if (violation) return violation;
    }
    return check();
  }

  #isWithin([from, until]: readonly [number, number]): boolean {
    return this.#nowMs >= FIRST + from * STEP_MS && this.#nowMs < FIRST + until * STEP_MS;
  }

  async #takeNotice(): Promise<void> {
    const { noticeAt, revokedAt } = this.climate;
    if (noticeAt === undefined || revokedAt === undefined || this.#nowMs < noticeAt) return;
    await this.licences.noteEnding(WORLD_LICENCE, { noticeAt });
    if (this.#nowMs < revokedAt) return;
    await this.licences.noteEnding(WORLD_LICENCE, { noticeAt, revokedAt, deprovisionedAt: revokedAt });
  }

  #report(): void {
    for (let left = pick(this.random, [0, 0, 1, 2]); left > 0; left--) {
      const ageMs = pick(this.random, [0, 0, 0, 0, 1, 2, 5, 9, 20, 40]) * STEP_MS;
      const latest = this.climate.revokedAt === undefined ? Infinity : this.climate.revokedAt - 1;
      const event: ReportEntry = {
        kind: 'event',
        received: '',
        event: {
          id: `event-${++this.#ids}`,
          dimension: pick(this.random, ['requests', 'requests', 'gb_stored']),
          quantity: this.climate.isHuge && this.random() < 0.05 ? 3_000_000_000 : 1 + Math.floor(this.random() * 500),
          atMs: Math.max(FIRST, Math.min(this.#nowMs - ageMs, latest)),
          subject: { kind: 'licence', name: { style: 'licence', licenceArn: arnOf(WORLD_LICENCE) } },
          ...this.#tags(),
        },
      };
      // A caller that heard nothing reports again.
      for (let times = pick(this.random, [1, 1, 2]); times > 0; times--) {
        this.turns.start(() => recordUsage(this.#ports(), [event]));
      }
    }
  }

  #tags(): { tags?: Tags } {
    const team = pick(this.random, [undefined, undefined, 'core', 'edge']);
    return team === undefined ? {} : { tags: { team } };
  }

  #workOn(): void {
    // The schedules tick each minute; only in a final hour is one tick in ten minutes too few.
    const more = this.#isFinalHour() ? 4 : 0;
    for (let closers = pick(this.random, [1, 1, 2]) + more; closers > 0; closers--) {
      this.turns.start(() => closeDueHours(this.#ports(), () => true));
    }
    for (let senders = pick(this.random, [1, 1, 2]) + more; senders > 0; senders--) {
      // The lease alone must not be what keeps two senders from harm.
      const work = this.random() < 0.5 ? this.work : { ...leaseless(this.work) };
      this.turns.start(() => sendMetering({ ...this.#ports(), work }, () => true));
    }
  }

  #isFinalHour(): boolean {
    const { noticeAt = Infinity, revokedAt = Infinity } = this.climate;
    return this.#nowMs >= noticeAt && this.#nowMs < revokedAt + HOUR_MS;
  }

  #ports() {
    const atOnce = <T>(task: () => Promise<T>) => task();
    return {
      customers: { ...this.#customers() },
      usage: this.usage satisfies UsageStore,
      ledger: this.ledger satisfies LedgerStore,
      work: this.work,
      rejects: this.#rejects,
      metering: this.#metering,
      pace: { take: async () => {}, depart: async () => {}, throttled: () => {} },
      clock: this.now,
      newId: () => `${(++this.#ids).toString(16).padStart(8, '0')}`,
      limit: atOnce,
      limitCalls: atOnce,
      limitWrites: atOnce,
      log: {
        error: (code: string, facts?: object) => void this.errors.push(`${code} ${JSON.stringify(facts)}`),
        warn: () => {},
      },
      products: new Map([['metrics-cloud', aProduct()]]),
      policy: this.policy,
      lingerMs: 0,
      stateShards: STATE_SHARDS,
    };
  }

  #customers() {
    return {
      customer: async () => undefined,
      licence: (licenceKey: string) => this.licences.licence(licenceKey),
      licencesOfShard: (shard: number) => this.licences.licencesOfShard(shard),
      endingLicences: () => this.licences.endingLicences(),
      finishEnding: (...read: Parameters<MemoryLicences['finishEnding']>) => this.licences.finishEnding(...read),
    };
  }
}

const FREE = Promise.resolve();

function leaseless(work: MemoryWorkStore) {
  return {
    takeLease: async () => true,
    dropLease: async () => {},
    heldGroups: () => work.heldGroups(),
    holdGroup: (group: Parameters<MemoryWorkStore['holdGroup']>[0]) => work.holdGroup(group),
  };
}

function arnOf(licenceKey: string): string {
  return `arn:aws:license-manager::294406891311:license:${licenceKey}`;
}

function pick<T>(random: Random, values: readonly T[]): T {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined && !values.includes(value as T)) throw new Error('Nothing to pick from.');
  return value as T;
}

/** Notes when each event was written, which only the test needs to know. */
class TimedUsageStore extends MemoryUsageStore {
  readonly written: { event: UsageEvent; at: number }[] = [];
  readonly #clock: () => number;

  constructor(gate: Gate, clock: () => number) {
    super(gate);
    this.#clock = clock;
  }

  override async put(event: UsageEvent): Promise<'recorded' | 'already' | 'conflict'> {
    const outcome = await super.put(event);
    if (outcome === 'recorded') this.written.push({ event, at: this.#clock() });
    return outcome;
  }
}
