// One world of metering, lived from its plan: the real flow over tables in memory, workers that wait, stall and die at
// any operation, tables and an AWS that fail, and everything that buyers, sellers and AWS do meanwhile.

import { newActionId } from '../../lambdas/domain/amendment.ts';
import { lastHourOf, lastHourSealsByAt, monthCutOffMs } from '../../lambdas/domain/deadline.ts';
import type { Entitlement } from '../../lambdas/domain/entitlement.ts';
import { Unavailable } from '../../lambdas/domain/failure.ts';
import {
  addHours,
  HOUR_MS,
  type HourStart,
  hourOf,
  hoursBetween,
  MINUTE_MS,
  SECOND_MS,
} from '../../lambdas/domain/hour.ts';
import { hourShardKey, meterKey, SHARD_COUNT, shardOf } from '../../lambdas/domain/keys.ts';
import type { SealedHour } from '../../lambdas/domain/ledger.ts';
import type { Licence } from '../../lambdas/domain/licence.ts';
import type { MeteringPolicy } from '../../lambdas/domain/metering-policy.ts';
import type { Act } from '../../lambdas/domain/operations/act.ts';
import type { TrailRecord } from '../../lambdas/domain/operations/submitted-usage.ts';
import type { Refusal } from '../../lambdas/domain/refusal.ts';
import { closeDueHours } from '../../lambdas/flow/close-due-hours.ts';
import type { ClosePorts } from '../../lambdas/flow/close-hour.ts';
import { carryOn } from '../../lambdas/flow/operations/carry-on.ts';
import { confirm } from '../../lambdas/flow/operations/confirm.ts';
import { cutOver } from '../../lambdas/flow/operations/cut-over.ts';
import { grantCredit } from '../../lambdas/flow/operations/grant-credit.ts';
import { release, releaseGroup } from '../../lambdas/flow/operations/release.ts';
import { resubmit } from '../../lambdas/flow/operations/resubmit.ts';
import { settleDisputed } from '../../lambdas/flow/operations/settle-disputed.ts';
import { withhold } from '../../lambdas/flow/operations/withhold.ts';
import type { MeteringGateway } from '../../lambdas/flow/ports.ts';
import { type RecordUsagePorts, type ReportEntry, recordUsage } from '../../lambdas/flow/record-usage.ts';
import { refreshEntitlements } from '../../lambdas/flow/refresh-entitlements.ts';
import { type SendPorts, sendMetering } from '../../lambdas/flow/send-metering.ts';
import { STATE_SHARDS } from '../../lambdas/stores/ledger-items.ts';
import { toUsageItem } from '../../lambdas/stores/usage-store.ts';
import {
  type LedgerTables,
  MemoryLedgerStore,
  MemoryRejectStore,
  MemoryUsageStore,
  type UsageTable,
} from '../doubles/memory-ports.ts';
import type { Io, OperationKind } from '../doubles/memory-table.ts';
import { LicenceTable, MemoryLicences, MemoryWorkStore, WorkTable } from '../doubles/memory-work.ts';
import type { Happening, OperatorAct, Plan, PlannedCustomer, Trouble, WideAct } from './plan.ts';
import { type Random, streamOf } from './random.ts';
import { latencyMs, Schedule, type Worker } from './schedule.ts';
import { SimulatedAws } from './simulated-aws.ts';
import {
  EntitlementTable,
  Leaseless,
  NotedUsageTable,
  SparingWork,
  WatchedLedger,
  WorldEntitlements,
} from './world-tables.ts';

/** All that the verbs of the flow ask for, as one worker has it. */
type Ports = ClosePorts &
  SendPorts &
  RecordUsagePorts & {
    readonly customers: MemoryLicences;
    readonly ledger: MemoryLedgerStore;
    readonly work: MemoryWorkStore;
    readonly entitlements: WorldEntitlements;
    readonly io: Io;
  };

/** A planted defect: what of the system is replaced by something wrong. */
export interface Defect {
  readonly usage?: (io: Io, table: UsageTable) => MemoryUsageStore;
  readonly ledger?: (io: Io, tables: LedgerTables, clock: () => number) => MemoryLedgerStore;
  readonly work?: (io: Io, table: WorkTable) => MemoryWorkStore;
  readonly licences?: (io: Io, table: LicenceTable, clock: () => number) => MemoryLicences;
  readonly metering?: (aws: MeteringGateway, usage: MemoryUsageStore, clock: () => number) => MeteringGateway;
  readonly policy?: (policy: MeteringPolicy) => MeteringPolicy;
  readonly trail?: (records: readonly TrailRecord[]) => readonly TrailRecord[];
}

/** Lambda's limits: a report is answered within half a minute, a scheduled run ends after five. */
const REPORT_LIMIT_MS = 29 * SECOND_MS;
const RUN_LIMIT_MS = 5 * MINUTE_MS;
/** What a run leaves of its time, as the handlers do. */
const RUN_RESERVE_MS = 35 * SECOND_MS;

/** Near a deadline, or while a licence ends, runs start more often: minutes count there. */
const URGENT_TICK_MS = 90 * SECOND_MS;
const URGENT_BEFORE_MS = 2 * HOUR_MS;

/** How often a world is looked at while it lives. */
const AUDITS = 8;
const LOOKS_AT_DEATHS = 5;

export interface Alarm {
  readonly code: string;
  readonly facts: Readonly<Record<string, string | number>>;
  readonly atMs: number;
}

export class MeteringWorld {
  readonly plan: Plan;
  readonly usage: NotedUsageTable;
  readonly ledger: LedgerTables;
  readonly work: WorkTable;
  readonly licences = new LicenceTable();
  readonly entitlements = new EntitlementTable();
  readonly rejects = new Map<string, Refusal>();
  readonly aws: SimulatedAws;
  readonly alarms: Alarm[] = [];
  readonly thrown: unknown[] = [];
  /** Since when a look is owed to a row: its writer was told that it stands, or left a marker. */
  readonly promised = new Map<string, number>();
  /** Meters of which a row was written over. */
  readonly overwritten = new Set<string>();
  /** Those of which every row had been seen by a seal, and a look was asked for: somebody has to be told. */
  readonly mustBeTold = new Map<string, number>();
  /** Every group that was ever held. */
  readonly groupsHeld = new Set<string>();
  /** What was seen to be wrong in the act. */
  readonly wrongs: string[] = [];
  readonly now = () => this.#schedule.nowMs;
  readonly hardEndMs: number;
  readonly #defect: Defect;
  readonly #schedule: Schedule;
  readonly #random: Random;
  readonly #policy: MeteringPolicy;
  readonly #occupied: ReadonlySet<number>;
  readonly #idle: readonly number[];
  readonly #sparing: SparingWork;
  readonly #products: Map<string, Plan['products'][number]>;
  #ids = 0;
  #pending = 0;
  #indexedAtMs = 0;
  #isOver = false;
  #onDeath = () => {};
  /** Reports that come just as a closer looks. */
  #timed: Extract<Happening, { kind: 'report' }>[] = [];

  constructor(plan: Plan, defect: Defect = {}) {
    this.plan = plan;
    this.#defect = defect;
    this.#schedule = new Schedule(plan.startMs);
    this.#random = streamOf(plan.recipe.seed, 'life');
    this.#policy = defect.policy?.(plan.policy) ?? plan.policy;
    this.#products = new Map(plan.products.map((product) => [product.productCode, product]));
    this.usage = new NotedUsageTable(plan.climate.pageSize, this.now);
    const onSeal = (sealed: SealedHour) => this.#noteSeal(sealed);
    this.ledger = new WatchedLedger(plan.climate.pageSize, onSeal, (changes) => this.#reindex(changes));
    this.work = new WorkTable();
    this.#noteGroups(this.work.groups);
    this.aws = new SimulatedAws(plan, streamOf(plan.recipe.seed, 'aws'), this.now);
    const shards = plan.customers.map(({ shard }) => shard);
    this.#occupied = new Set([...shards, ...shards.map((shard) => shard % STATE_SHARDS)]);
    this.#idle = Array.from({ length: SHARD_COUNT }, (_, shard) => shard).filter((shard) => !shards.includes(shard));
    this.#sparing = new SparingWork(this.#policy, this.#idle, this.now);
    const lastTroubleMs = Math.max(plan.endMs, ...plan.troubles.map(({ untilMs }) => untilMs));
    this.hardEndMs = Math.max(lastTroubleMs + 3 * HOUR_MS, plan.endMs + plan.policy.meteringWindowMs + 3 * HOUR_MS);
  }

  /** Lives through the whole of the world; `check` looks at it from time to time, with work under way. */
  async live(check: () => string | undefined): Promise<string | undefined> {
    let wrong: string | undefined;
    let looksAtDeaths = LOOKS_AT_DEATHS;
    this.work.watermark = hourOf(this.plan.startMs);
    for (const happening of this.plan.happenings) {
      this.#pending += 1;
      this.#schedule.at(happening.atMs, () => {
        this.#pending -= 1;
        this.#happen(happening);
      });
    }
    const everyMs = (this.plan.endMs - this.plan.startMs) / AUDITS;
    const look = () => {
      wrong ??= check();
      if (wrong) this.#isOver = true;
    };
    this.#onDeath = () => {
      // What a death leaves half done is there to be seen until somebody mends it.
      if (--looksAtDeaths >= 0) this.#schedule.at(this.now(), look);
    };
    const audit = () => {
      look();
      this.#schedule.at(this.now() + everyMs * (0.5 + this.#random()), audit);
    };
    this.#schedule.at(this.plan.startMs + everyMs, audit);
    this.#schedule.at(this.plan.startMs + this.#random() * MINUTE_MS, () => this.#tick());
    await this.#schedule.run(this.hardEndMs, () => this.#isOver);
    return wrong;
  }

  isIn(kind: Trouble['kind'], atMs: number): boolean {
    return this.plan.troubles.some((each) => each.kind === kind && atMs >= each.fromMs && atMs < each.untilMs);
  }

  /** How much of a span none of these troubles lay on; outages count where they are of the region. */
  goodMs(fromMs: number, untilMs: number, kinds: readonly Trouble['kind'][], region?: string): number {
    const isThere = (each: Trouble) => each.kind !== 'outage' || (each.region ?? region) === region;
    const troubles = this.plan.troubles
      .filter((each) => kinds.includes(each.kind) && isThere(each))
      .sort((a, b) => a.fromMs - b.fromMs);
    let [good, at] = [0, fromMs];
    for (const trouble of troubles) {
      if (trouble.untilMs <= at) continue;
      good += Math.max(0, Math.min(trouble.fromMs, untilMs) - at);
      at = Math.max(at, trouble.untilMs);
    }
    return good + Math.max(0, untilMs - at);
  }

  #tick(): void {
    const nowMs = this.now();
    if (nowMs > this.plan.endMs && this.#isQuiet()) {
      this.#isOver = true;
      return;
    }
    const several = () => (this.#random() < 0.7 ? 1 : this.#random() < 0.8 ? 2 : 3);
    if (!this.isIn('closersDown', nowMs)) for (let n = several(); n > 0; n--) this.#soon(() => this.#close());
    if (!this.isIn('sendersDown', nowMs)) for (let n = several(); n > 0; n--) this.#soon(() => this.#send());
    const everyMs = this.#isUrgent() ? URGENT_TICK_MS : this.plan.climate.tickMs;
    this.#schedule.at(nowMs + everyMs * (0.8 + this.#random() * 0.4), () => this.#tick());
  }

  #soon(act: () => void): void {
    this.#schedule.at(this.now() + this.#random() * 1_500, act);
  }

  #isUrgent(): boolean {
    if (this.licences.ending.size > 0) return true;
    const deadline = this.ledger.soonestDeadline();
    return deadline !== undefined && deadline - this.now() < URGENT_BEFORE_MS;
  }

  /** Whether nothing can come any more: all that was used is accounted for, and nothing is left to be sent. */
  #isQuiet(): boolean {
    if (
      this.#pending > 0 ||
      this.#timed.length > 0 ||
      this.licences.ending.size > 0 ||
      this.ledger.soonestDeadline() !== undefined
    )
      return false;
    if (this.work.marked().length > 0) return false;
    const accounted = new Map<string, number>();
    for (const sealed of this.ledger.sealedHours()) {
      const key = `${hourShardKey(sealed.hour, sealed.shard)} ${meterKey(sealed.licenceKey, sealed.dimension)}`;
      accounted.set(key, sealed.accounted);
    }
    const add = (key: string, quantity: number) => accounted.set(key, (accounted.get(key) ?? 0) - quantity);
    for (const [pk, , item] of this.usage.entries()) {
      const row = this.usage.parsed(item);
      if (row.kind === 'good') add(`${pk} ${row.meter}`, row.quantity);
    }
    for (const [pk, , entry] of this.ledger.entries.entries()) {
      if (entry.kind === 'carry') add(`${pk} ${meterKey(entry.licenceKey, entry.dimension)}`, entry.quantity);
    }
    return [...accounted.values()].every((left) => left === 0);
  }

  #happen(happening: Happening): void {
    switch (happening.kind) {
      case 'report':
        if (happening.isTimed) this.#timed.push(happening);
        else this.#report(happening, happening.isStubborn ? 4 : 1);
        break;
      case 'row':
      case 'overwrite':
        this.#write(happening);
        break;
      case 'foreign':
        this.aws.billForeign(happening.customer, happening.dimension, happening.quantity, happening.isElsewhere);
        break;
      case 'operator':
        this.#operate(happening, newActionId(this.now(), happening.id.replace('.', '-')), 4);
        break;
      case 'cutOver':
        this.#cutOver(happening.customer, newActionId(this.now(), happening.id.replace('.', '-')), 4);
        break;
      case 'ask':
        this.#ask(happening.customer);
        break;
      case 'start':
      case 'notice':
      case 'deprovision':
      case 'renewal':
        this.#tell(happening.kind, happening.customer);
    }
  }

  #report(report: Extract<Happening, { kind: 'report' }>, tries: number): void {
    let isAnswered = false;
    const { customer } = report;
    const worker = this.#work(`report ${report.id}`, REPORT_LIMIT_MS, async (ports) => {
      const entries = report.events.map(
        (event): ReportEntry => ({
          kind: 'event',
          received: '',
          event: {
            ...event,
            subject:
              report.by === 'customer'
                ? { kind: 'customer', customerId: customer.licence.customerId }
                : { kind: 'licence', name: this.#nameFor(report) },
          },
        }),
      );
      const work = report.diesBeforeMarker ? { markLate: () => this.#die(worker) } : ports.work;
      const outcomes = await recordUsage({ ...ports, work }, entries);
      isAnswered = true;
      for (const [index, { outcome }] of outcomes.entries()) {
        const event = report.events[index];
        if (!event || (outcome !== 'recorded' && outcome !== 'already')) continue;
        const { customerId } = customer.licence;
        const names = this.plan.customers.filter(({ licence }) => licence.customerId === customerId);
        const items = names.map(({ shard, licence: { licenceKey } }) => {
          const { dimension, quantity, atMs, id: eventId } = event;
          return toUsageItem({ hour: hourOf(atMs), shard, licenceKey, dimension, eventId, quantity, atMs });
        });
        // Under one of the buyer's names; which one, the hour of a cut-over decides, or what was heard of a replacement.
        const standing = items.filter(({ pk, sk }) => this.usage.get(pk, sk));
        if (standing.length !== 1) this.wrongs.push(`${outcome}, but it stands ${standing.length} times: ${event.id}`);
        if (this.#isTooLate(event.atMs, customer)) continue;
        for (const { pk, sk } of standing) this.#promise(pk, sk);
      }
    });
    // A caller that hears nothing reports the same again.
    this.#schedule.at(this.now() + REPORT_LIMIT_MS + this.#random() * MINUTE_MS, () => {
      if (!isAnswered && tries > 1) this.#report({ ...report, diesBeforeMarker: false }, tries - 1);
    });
  }

  /** The name by which a report tells its buyer. The new one counts from the cut-over's act on, for hours before it too. */
  #nameFor({ by, customer }: Extract<Happening, { kind: 'report' }>) {
    const isCutOver = this.licences.licences.get(customer.licence.licenceKey)?.cutOverHour !== undefined;
    return by === 'newName' && isCutOver && customer.cutOver ? customer.cutOver.counterpart.name : customer.name;
  }

  /** A repeat that the door would not let in any more is told that its event stands, and leaves no marker for it. */
  #isTooLate(atMs: number, { licence }: PlannedCustomer): boolean {
    const { policy } = this.plan;
    const isOld = this.now() - atMs > policy.intakeWindowMs || this.now() >= monthCutOffMs(atMs, policy);
    return isOld || this.licences.licences.get(licence.licenceKey)?.endNotices !== undefined;
  }

  /** What a seller writes itself, past the door. */
  #write({ kind, item, customer, leavesMarker }: Extract<Happening, { kind: 'row' | 'overwrite' }>): void {
    const hour = item.pk.slice(0, 13) as HourStart;
    const before = this.usage.get(item.pk, item.sk);
    if (kind === 'overwrite') {
      if (!before || before['quantity'] === item['quantity']) return;
      const meter = `${item.pk} ${this.usage.parsed(before).meter}`;
      this.overwritten.add(meter);
      if (leavesMarker && this.#isAllSeen(item.pk, meter)) this.mustBeTold.set(meter, this.now());
    }
    this.usage.set(item.pk, item.sk, item);
    if (!leavesMarker) return;
    this.work.mark(hour, customer.shard);
    this.#promise(item.pk, item.sk);
  }

  /** The last hour of a licence takes what came late to the earlier ones, so that they come first. */
  #noteSeal({ licenceKey, hour, shard }: SealedHour): void {
    const ending = this.licences.licences.get(licenceKey)?.ending;
    const { policy, climate } = this.plan;
    if (!ending || hour !== lastHourOf(ending, policy)) return;
    if (this.now() >= lastHourSealsByAt(ending, policy) - 2 * climate.skewMs - SECOND_MS) return;
    const beforeMs = this.now() - RUN_LIMIT_MS;
    const first = hourOf(ending.noticeAt - policy.meteringWindowMs);
    for (const earlier of hoursBetween(first, hour)) {
      const left = this.#leftOf(hourShardKey(earlier, shard), licenceKey, beforeMs);
      if (left) this.wrongs.push(`last hour sealed before ${left} was accounted for`);
    }
  }

  /** A meter of which more was used by then than is accounted for. */
  #leftOf(partition: string, licenceKey: string, beforeMs: number): string | undefined {
    const left = new Map<string, number>();
    const add = (meter: string, quantity: number) => left.set(meter, (left.get(meter) ?? 0) + quantity);
    for (const [sk, item] of this.usage.partition(partition)) {
      const row = this.usage.parsed(item);
      const isInTime = (this.usage.writtenAt.get(`${partition} ${sk}`) ?? 0) < beforeMs;
      if (row.kind === 'good' && row.licenceKey === licenceKey && isInTime) add(row.meter, row.quantity);
    }
    for (const [, entry] of this.ledger.entries.partition(partition)) {
      if (entry.licenceKey !== licenceKey) continue;
      const meter = meterKey(licenceKey, entry.dimension);
      if (entry.kind === 'sealed') add(meter, -entry.accounted);
      else if (entry.carriedAt < beforeMs) add(meter, entry.quantity);
    }
    const found = [...left].find(([meter, quantity]) => quantity > 0 && !this.overwritten.has(`${partition} ${meter}`));
    return found && `${partition} ${found[0]}`;
  }

  /** Changes of an index come late, and record by record in their order: one that moves stands in both lists, or in none. */
  #reindex(changes: readonly (() => void)[]): void {
    const { indexLagMs } = this.plan.climate;
    const isGone = indexLagMs > 0 && this.#random() < 0.5;
    for (const change of isGone ? changes.toReversed() : changes) {
      this.#indexedAtMs = Math.max(this.#indexedAtMs, this.now() + this.#random() * indexLagMs);
      if (indexLagMs === 0) change();
      else this.#schedule.at(this.#indexedAtMs, change);
    }
  }

  #noteGroups(groups: WorkTable['groups']): void {
    const set = groups.set.bind(groups);
    groups.set = (key, group) => {
      this.groupsHeld.add(key);
      return set(key, group);
    };
  }

  #die(worker: Worker): Promise<never> {
    worker.isDead = true;
    this.#onDeath();
    return new Promise(() => {});
  }

  #isAllSeen(partition: string, meter: string): boolean {
    let rows = 0;
    for (const [, item] of this.usage.partition(partition)) {
      if (`${partition} ${this.usage.parsed(item).meter}` === meter) rows += 1;
    }
    const entry = this.ledger.entries.get(partition, meter.slice(partition.length + 1));
    return entry?.kind === 'sealed' && entry.seen.count === rows;
  }

  #promise(pk: string, sk: string): void {
    const key = `${pk} ${sk}`;
    if (!this.promised.has(key)) this.promised.set(key, this.now());
  }

  /** What AWS tells of a licence. What could not be noted is told again. */
  #tell(kind: 'start' | 'notice' | 'deprovision' | 'renewal', customer: PlannedCustomer): void {
    const { licence, end, startsAtMs, renewedAtMs, isStartTold, index, cutOver } = customer;
    const { licenceKey, customerId, productCode } = licence;
    let isNoted = false;
    this.#pending += 1;
    this.#work(`tell ${kind}`, REPORT_LIMIT_MS, async ({ customers, work, io }) => {
      if (kind === 'start') {
        await io('transaction', shardOf(licenceKey), () => {
          if (this.licences.licences.has(licenceKey)) return;
          this.licences.licences.set(licenceKey, licence);
          const known = this.licences.customers.get(customerId);
          const made = { customerId, productCode, licenceKeys: [], createdAt: licence.firstSeenAt, sequence: 1 };
          const licenceKeys = [...(known?.licenceKeys ?? []), licenceKey];
          this.licences.customers.set(customerId, { ...(known ?? made), licenceKeys });
        });
        if (isStartTold) await customers.noteStart(licenceKey, { agreementId: `agmt-${index}`, from: startsAtMs });
        await work.releaseAwaiting(licenceKey);
      }
      const agreement = isStartTold ? { agreementId: `agmt-${index}` } : {};
      let noted: Licence | undefined = licence;
      if ((kind === 'notice' || kind === 'deprovision') && end) {
        const gone = end.deprovisionedAtMs;
        const ending = { noticeAt: gone, revokedAt: gone, deprovisionedAt: gone };
        const told = { ...agreement, ...(kind === 'notice' ? { noticeAt: end.noticeAtMs } : ending) };
        noted = await customers.noteEnding(licenceKey, told);
        // One agreement, whatever its buyer is metered by: the other name ends with it, if it is known.
        if (cutOver) await customers.noteEnding(cutOver.counterpart.licence.licenceKey, told);
      }
      if (kind === 'renewal' && renewedAtMs !== undefined) {
        noted = await customers.noteStart(licenceKey, { agreementId: `agmt-${index}-2`, from: renewedAtMs });
      }
      isNoted = noted !== undefined;
    });
    // A notice of a licence that nobody has told us of waits for it.
    const againMs = Math.max(this.now(), customer.heardAtMs) + 30 * SECOND_MS;
    this.#schedule.at(againMs, () => {
      this.#pending -= 1;
      if (!isNoted) this.#tell(kind, customer);
    });
  }

  /** Done again under its id where it died. */
  #cutOver(customer: PlannedCustomer, actionId: string, tries: number): void {
    const { licence, cutOver: planned } = customer;
    const licenceArn = planned?.counterpart.licence.licenceArn;
    if (!planned || licenceArn === undefined) return;
    let isDone = false;
    this.#pending += 1;
    this.#work('cutOver', REPORT_LIMIT_MS, async (ports) => {
      const wanted = { legacyKey: licence.licenceKey, licenceArn, hour: planned.hour };
      await cutOver(ports, wanted, { actionId, who: 'operator', why: 'a simulated act' });
      isDone = true;
    });
    this.#schedule.at(this.now() + REPORT_LIMIT_MS + SECOND_MS, () => {
      this.#pending -= 1;
      if (!isDone && tries > 1) this.#cutOver(customer, actionId, tries - 1);
    });
  }

  /** Asks AWS what a contract includes, as the schedule and notices do. */
  #ask({ licence, contract }: PlannedCustomer): void {
    const truth = (): readonly Entitlement[] =>
      contract?.answers.findLast(({ fromMs }) => fromMs <= this.now())?.entitlements ?? [];
    this.#work('refresher', REPORT_LIMIT_MS, async (ports, _hasTime, worker) => {
      const ask = async () => {
        await this.#schedule.wait(worker, 20 + this.#random() * 300);
        if (this.#random() < this.plan.climate.awsFaultChance * 0.3) throw busy();
        const entitlements = truth();
        await this.#schedule.wait(worker, 20 + this.#random() * 300);
        return { kind: 'answered' as const, entitlements, foreign: 0 };
      };
      await refreshEntitlements({ ...ports, marketplace: { ask } }, licence.licenceKey);
    });
  }

  /** An operator's act on whatever the ledger then offers; one that failed or died is done again under its id. */
  #operate(happening: Extract<Happening, { kind: 'operator' }>, actionId: string, tries: number): void {
    const act = { actionId, who: 'operator', why: 'a simulated act' };
    let isDone = false;
    const run = this.#actOf(happening, act);
    if (!run) return;
    this.#work('operator', REPORT_LIMIT_MS, async (ports) => {
      await run(ports);
      isDone = true;
    });
    this.#pending += 1;
    this.#schedule.at(this.now() + REPORT_LIMIT_MS + SECOND_MS, () => {
      this.#pending -= 1;
      if (!isDone && tries > 1) this.#operate(happening, actionId, tries - 1);
    });
  }

  #actOf(
    happening: Extract<Happening, { kind: 'operator' }>,
    act: Act,
  ): ((ports: Ports) => Promise<unknown>) | undefined {
    const { act: kind, aim } = happening;
    if (kind === 'confirm' || kind === 'resubmit' || kind === 'releaseGroup') return this.#wideAct(kind, aim, act);
    const aimed = this.#aimed(kind, aim);
    return aimed && ((ports) => this.#doAct(kind, aimed, act, ports));
  }

  #wideAct(kind: WideAct, aim: number, act: Act): ((ports: Ports) => Promise<unknown>) | undefined {
    const { customers, startMs, policy } = this.plan;
    const of = customers[Math.floor(aim * customers.length)];
    const nowMs = Math.floor(this.now());
    const end = addHours(hourOf(nowMs), 1);
    if (!of) return undefined;
    const { licenceKey } = of.licence;
    const isOfAll = kind === 'confirm' && nowMs % 2 === 0;
    const range = { first: hourOf(startMs - HOUR_MS), end, ...(isOfAll ? {} : { licenceKey }) };
    if (kind === 'resubmit') {
      const first = hourOf(Math.max(startMs, nowMs - policy.meteringWindowMs));
      const terms = { range: { ...range, first }, releaseQuarantined: nowMs % 2 === 0 };
      return (ports) => resubmit(ports, terms, act);
    }
    if (kind === 'releaseGroup') {
      const keys = [...this.work.groups.keys()];
      const key = keys[Math.floor(aim * keys.length)];
      return key === undefined ? undefined : (ports) => releaseGroup(ports, key, act);
    }
    const records = this.aws.trail.slice();
    const trail = { records: this.#defect.trail?.(records) ?? records, unread: [] };
    // The log holds every call up to now, whether the operator says so or not.
    const window = nowMs % 3 === 0 ? {} : { window: { from: startMs - 25 * HOUR_MS, to: nowMs - 2 * MINUTE_MS } };
    return (ports) => confirm(ports, { range, trail, ...window }, act);
  }

  #doAct(kind: Exclude<OperatorAct, WideAct>, record: SealedHour, act: Act, ports: Ports): Promise<unknown> {
    const aws = this.aws.billedFor(record)?.quantity ?? 0;
    switch (kind) {
      case 'release':
        return release(ports, record, act, { withGroups: true });
      case 'carryOn':
        return carryOn(ports, record, act);
      case 'withholdAll':
        return withhold(ports, record, 'all', act);
      case 'withholdPart':
        return withhold(ports, record, Math.ceil(record.record.quantity / 3), act);
      case 'credit':
        return grantCredit(ports, record, Math.ceil(record.record.quantity / 2), act);
      case 'accept':
        return settleDisputed(ports, record, { kind: 'accept', awsQuantity: aws }, act);
      case 'carryDifference':
        return settleDisputed(ports, record, { kind: 'carryDifference', awsQuantity: aws }, act);
    }
  }

  /** A record that an act makes sense for, as far as there is one. */
  #aimed(act: Exclude<OperatorAct, WideAct>, aim: number): SealedHour | undefined {
    const fits = ({ status, heldLate, record }: SealedHour): boolean => {
      switch (act) {
        case 'release':
          return status === 'quarantined';
        case 'carryOn':
          return status === 'expired' || heldLate > 0;
        case 'withholdAll':
        case 'withholdPart':
          return status === 'open' && record.quantity > 2;
        case 'credit':
          return record.quantity > 2;
        case 'accept':
        case 'carryDifference':
          return status === 'disputed';
      }
    };
    const fitting = this.ledger.sealedHours().filter(fits);
    return fitting[Math.floor(aim * fitting.length)];
  }

  #close(): void {
    for (const report of this.#timed.splice(0)) {
      this.#schedule.at(this.now() + this.#random() * 600, () => this.#report(report, report.isStubborn ? 4 : 1));
    }
    this.#work('closer', RUN_LIMIT_MS, (ports, hasTime) => closeDueHours(ports, hasTime));
  }

  #send(): void {
    this.#work('sender', RUN_LIMIT_MS, (ports, hasTime) => sendMetering(ports, hasTime));
  }

  #work(
    name: string,
    limitMs: number,
    run: (ports: Ports, hasTime: () => boolean, worker: Worker) => Promise<unknown>,
  ): Worker {
    const { skewMs } = this.plan.climate;
    const startedAtMs = this.now();
    const worker = {
      name,
      startedAtMs,
      endsAtMs: startedAtMs + limitMs,
      skewMs: Math.round((this.#random() * 2 - 1) * skewMs),
      isDead: false,
    };
    const hasTime = () => this.now() < worker.endsAtMs - RUN_RESERVE_MS;
    run(this.#ports(worker), hasTime, worker).catch((error: unknown) => {
      if (!worker.isDead) this.thrown.push(error);
    });
    return worker;
  }

  #ports(worker: Worker): Ports {
    const defect = this.#defect;
    const io = this.#ioOf(worker);
    const clock = () => Math.floor(this.now()) + worker.skewMs;
    const usage = defect.usage?.(io, this.usage) ?? new MemoryUsageStore(io, this.usage);
    const wait = (ms: number) => this.#schedule.wait(worker, ms);
    const aws: MeteringGateway = { send: (batch) => this.aws.call(batch, wait) };
    const isLeaseless = worker.name === 'sender' && this.#random() < 0.4;
    const work = defect.work?.(io, this.work) ?? new MemoryWorkStore(io, this.work);
    let [slowMs, slowUntilMs] = [2 * SECOND_MS, 0];
    return {
      io,
      usage,
      customers: defect.licences?.(io, this.licences, clock) ?? new MemoryLicences(io, this.licences),
      ledger: defect.ledger?.(io, this.ledger, clock) ?? new MemoryLedgerStore(io, this.ledger),
      work: isLeaseless ? new Leaseless(io, this.work) : this.#sparing.over(work),
      rejects: new MemoryRejectStore(io, this.rejects),
      entitlements: new WorldEntitlements(io, this.entitlements, this.now),
      metering: defect.metering?.(aws, usage, clock) ?? aws,
      pace: {
        take: async () => {
          if (this.now() < slowUntilMs) await wait(slowUntilMs - this.now());
        },
        depart: async () => {},
        throttled: () => {
          slowMs = Math.min(2 * slowMs, MINUTE_MS);
          slowUntilMs = this.now() + slowMs;
        },
      },
      clock,
      newId: () => `${(++this.#ids).toString(16).padStart(8, '0')}`,
      limit: atOnce,
      limitCalls: atOnce,
      limitWrites: atOnce,
      log: {
        error: (code: string, facts: Alarm['facts'] = {}) => {
          if (!worker.isDead) this.alarms.push({ code, facts, atMs: this.now() });
        },
        warn: () => {},
      },
      products: this.#products,
      policy: this.#policy,
      lingerMs: this.#policy.lingerMs,
      stateShards: STATE_SHARDS,
    };
  }

  /** Every operation takes its time, may fail before it is applied or after, and may be the last of its worker. */
  #ioOf(worker: Worker): Io {
    const random = this.#random;
    const { stallChance, tableFaultChance, dieChance } = this.plan.climate;
    const isIdle = (shard: number) => !this.#occupied.has(shard);
    const operate = async <T>(kind: OperationKind, shard: number | undefined, apply: () => T): Promise<T> => {
      if (shard !== undefined && isIdle(shard)) return apply();
      await this.#schedule.wait(worker, latencyMs(random, stallChance));
      const drawn = random();
      const failChance = this.isIn('tablesDown', this.now()) ? 0.9 : tableFaultChance;
      if (drawn < failChance * 0.6) throw busy();
      if (drawn > 1 - dieChance / 2) return this.#die(worker);
      const result = apply();
      if (kind === 'read') return result;
      // Applied, but no answer came. The client tries again, where its own tries are not used up: a transaction is told
      // apart by its token, while any other write meets what it wrote itself.
      if (drawn < failChance * 0.8) throw busy();
      if (drawn < failChance) return kind === 'transaction' ? result : apply();
      if (drawn > 1 - dieChance) return this.#die(worker);
      return result;
    };
    return Object.assign(operate, { isIdle });
  }
}

function busy(): Unavailable {
  return new Unavailable('DatabaseBusy', 'The table did not answer in time.');
}

const atOnce = <T>(task: () => Promise<T>) => task();
