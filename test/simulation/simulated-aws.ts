// AWS's side of metering in one process: the rules of BatchMeterUsage, its faults and its bill. A small model of its
// own, since a call of the simulator costs a database; test/simulator/simulated-aws.test.ts holds the two together.
import { HOUR_MS, hourOf, SECOND_MS } from '../../lambdas/domain/hour.ts';
import type { SealedHour, WireRecord } from '../../lambdas/domain/ledger.ts';
import { identityOf, type MeteringBatch } from '../../lambdas/domain/metering-batch.ts';
import type { BatchAnswer, InvalidCode, RecordAnswer } from '../../lambdas/domain/metering-result.ts';
import type { TrailRecord } from '../../lambdas/domain/operations/submitted-usage.ts';
import type { Plan, PlannedCustomer } from './plan.ts';
import type { Random } from './random.ts';

interface Billed {
  readonly quantity: number;
  readonly allocations: string;
  readonly region: string;
  /** Which sealed hour of ours it was; undefined for another pipeline's. */
  readonly identity: string | undefined;
}

/** Why AWS did not take a record by its own rules. */
export type Ruling =
  | 'suspended'
  | 'pending'
  | 'beforeStart'
  | 'afterEnd'
  | 'finalHourOver'
  | 'unknownDimension'
  | 'outOfWindow';

const CALLS_PER_SECOND = 10;
const FINAL_WINDOW_MS = HOUR_MS;
const MONTH_GRACE_MS = 6 * HOUR_MS;
const FUTURE_TOLERANCE_MS = 300 * SECOND_MS;
const TIMEOUT_MS = 20 * SECOND_MS;

type Wait = (ms: number) => Promise<void>;

export class SimulatedAws {
  /** The bill, by region, buyer, dimension and hour: AWS removes duplicates within a region only. */
  readonly billed = new Map<string, Billed>();
  /** What no caller may do, whatever AWS makes of it. */
  readonly wrongs: string[] = [];
  readonly rulings = new Map<string, Set<Ruling>>();
  /** AWS's own log of calls. */
  readonly trail: TrailRecord[] = [];
  /** Under which name each hour of a buyer was sent. */
  readonly #names = new Map<string, string>();
  readonly #plan: Pick<Plan, 'customers' | 'products' | 'poison' | 'policy' | 'readings' | 'troubles'>;
  readonly #faultChance: number;
  readonly #random: Random;
  readonly #clock: () => number;
  /** The first sight of each record: every later one has to be the same. */
  readonly #sent = new Map<string, string>();
  #recent: { readonly region: string; readonly atMs: number }[] = [];

  constructor(plan: Plan, random: Random, clock: () => number) {
    this.#plan = plan;
    this.#faultChance = plan.climate.awsFaultChance;
    this.#random = random;
    this.#clock = clock;
  }

  /** One call, which takes its time at both ends. */
  async call(batch: MeteringBatch, wait: Wait): Promise<BatchAnswer> {
    await wait(20 + this.#random() * 200);
    this.#inspect(batch);
    const fate = this.#random() / (this.#faultChance || Number.EPSILON);
    const fault = this.#outage(batch) ?? this.#throttle(batch) ?? faultBefore(fate);
    if (fault) {
      // A call that never arrived is in no log.
      const answer = fault.kind === 'unknown' ? 'unknown' : 'refused';
      const isLogged = fault.kind !== 'unknown' || fault.code === 'InternalServiceErrorException';
      for (const { record } of isLogged ? batch.records : []) this.#log(batch.meteringRegion, record, answer);
      return fault;
    }
    // Arrived, and taken by AWS; whether we hear of it is another matter.
    const answer = this.judge(batch, fate);
    if (fate >= 0.5 && fate < 0.7) {
      await wait(TIMEOUT_MS);
      return { kind: 'unknown', code: 'TimeoutError' };
    }
    await wait(20 + this.#random() * 200);
    return answer;
  }

  /** AWS's own judgement of a call that it takes: a refusal of all of it, or an answer for each record. */
  judge(batch: MeteringBatch, fate = 1): BatchAnswer {
    const code = this.#refusalOf(batch);
    if (code) {
      for (const { record } of batch.records) this.#log(batch.meteringRegion, record, 'refused');
      return { kind: 'invalid', code };
    }
    const isPartial = fate >= 0.7 && fate < 1;
    const answers = batch.records.map((record): RecordAnswer => {
      if (!isPartial || this.#random() < 0.4) return this.#bill(batch, record);
      const drawn = this.#random();
      if (drawn < 0.8) return { kind: 'unprocessed' };
      this.#bill(batch, record);
      return drawn < 0.9 ? { kind: 'missing' } : { kind: 'unknownStatus', status: 'PendingReview' };
    });
    return { kind: 'answered', answers };
  }

  /** What another pipeline of the seller meters. */
  billForeign(customer: PlannedCustomer, dimension: string, quantity: number, isElsewhere = false): void {
    const { product, licence } = customer;
    const nowMs = this.#clock();
    const record = { ...namesOf(licence), dimension, quantity, timestampSeconds: nowMs / SECOND_MS };
    if (this.#verdict(customer, nowMs) !== undefined) return;
    const region = isElsewhere ? 'ap-southeast-2' : product.meteringRegion;
    const key = keyOf(region, record);
    const isTaken = this.billed.has(key);
    if (!isTaken) this.billed.set(key, { quantity, allocations: '', region, identity: undefined });
    this.#log(region, record, isTaken ? 'duplicate' : 'metered');
  }

  /** What stands on the bill for a sealed hour. */
  billedFor({ meteringRegion, record }: SealedHour): Billed | undefined {
    return this.billed.get(keyOf(meteringRegion, record));
  }

  /** The last instant before which AWS takes usage of an hour, by window and month. */
  takesUntilMs(hourMs: number): number {
    const at = new Date(hourMs);
    const monthEndMs = Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1) + MONTH_GRACE_MS;
    return Math.min(hourMs + this.#plan.policy.meteringWindowMs, monthEndMs);
  }

  #outage({ meteringRegion }: MeteringBatch): BatchAnswer | undefined {
    const nowMs = this.#clock();
    const outage = this.#plan.troubles.find(
      (each) =>
        each.kind === 'outage' &&
        nowMs >= each.fromMs &&
        nowMs < each.untilMs &&
        (each.region ?? meteringRegion) === meteringRegion,
    );
    if (outage?.kind !== 'outage') return undefined;
    if (outage.how === 'InternalServiceErrorException') return { kind: 'unknown', code: outage.how };
    return { kind: 'refused', code: outage.how, isThrottled: outage.how === 'ThrottlingException' };
  }

  #throttle({ meteringRegion }: MeteringBatch): BatchAnswer | undefined {
    const nowMs = this.#clock();
    this.#recent = this.#recent.filter(({ atMs }) => nowMs - atMs < SECOND_MS);
    const calls = this.#recent.filter(({ region }) => region === meteringRegion).length;
    if (calls >= CALLS_PER_SECOND) return { kind: 'refused', code: 'ThrottlingException', isThrottled: true };
    this.#recent.push({ region: meteringRegion, atMs: nowMs });
    return undefined;
  }

  /** What holds of every call, whether AWS takes it or not. */
  #inspect({ records, productCode, identityStyle, meteringRegion }: MeteringBatch): void {
    const wrong = (what: string) => void this.wrongs.push(what);
    if (records.length < 1 || records.length > 25) wrong(`${records.length} records in one call`);
    if (new Set(records.map(identityOf)).size < records.length) wrong('one hour twice in a call');
    for (const sealed of records) {
      const { record, hour } = sealed;
      const identity = identityOf(sealed);
      if (sealed.productCode !== productCode || sealed.identityStyle !== identityStyle)
        wrong(`mixed call: ${identity}`);
      if (hourOf(record.timestampSeconds * SECOND_MS) !== hour) wrong(`stamped outside of its hour: ${identity}`);
      if ((identityStyle === 'licence') !== (record.licenceArn !== undefined))
        wrong(`identity of two styles: ${identity}`);
      const owner = this.#ownerOf(record);
      // A licence that replaces another is metered beside it; a name that takes over from another never is.
      const buyer = owner?.replaces === undefined ? owner?.licence.customerId : owner.licence.licenceKey;
      const buyersHour = `${buyer} ${record.dimension} ${hour}`;
      const name = this.#names.get(buyersHour) ?? sealed.licenceKey;
      this.#names.set(buyersHour, name);
      if (owner && name !== sealed.licenceKey) wrong(`sent under two names of its buyer: ${identity}`);
      const wire = JSON.stringify([meteringRegion, record]);
      const known = this.#sent.get(identity);
      if (known === undefined) this.#sent.set(identity, wire);
      else if (known !== wire) wrong(`sent in two versions: ${identity}`);
    }
  }

  /** A rule that one record breaks, and the whole call is refused for. */
  #refusalOf({ records }: MeteringBatch): InvalidCode | undefined {
    const owners = records.map(({ record }) => this.#ownerOf(record));
    const isUnknown = owners.some((owner) => owner === undefined);
    if (isUnknown || new Set(owners.map((owner) => owner?.product.productCode)).size > 1) {
      return records.some(({ record }) => record.licenceArn !== undefined)
        ? 'InvalidLicenseException'
        : 'InvalidCustomerIdentifierException';
    }
    let code: InvalidCode | undefined;
    for (const [index, sealed] of records.entries()) {
      const owner = owners[index];
      if (owner) code ??= this.#recordRefusal(sealed, owner);
    }
    if (code) return code;
    const outside = records.some(({ record }, index) => {
      const owner = owners[index];
      const verdict = owner && this.#verdict(owner, record.timestampSeconds * SECOND_MS);
      return owner && verdict && this.#isInvalidLicence(owner, verdict);
    });
    if (!outside) return undefined;
    for (const [index, sealed] of records.entries()) {
      const owner = owners[index];
      if (owner) this.#rule(sealed, this.#verdict(owner, sealed.record.timestampSeconds * SECOND_MS));
    }
    return 'InvalidLicenseException';
  }

  #recordRefusal(sealed: SealedHour, owner: PlannedCustomer): InvalidCode | undefined {
    const { record } = sealed;
    const nowMs = this.#clock();
    const { poison } = this.#plan;
    if (poison && poison.productCode === owner.product.productCode && poison.dimension === record.dimension) {
      if (nowMs < poison.mendedAtMs) return this.#rule(sealed, 'unknownDimension', 'InvalidUsageDimensionException');
    }
    const { allocations } = record;
    if (allocations) {
      const sum = allocations.reduce((total, { quantity }) => total + quantity, 0);
      const tagSets = new Set(allocations.map(({ tags }) => JSON.stringify(tags)));
      const keys = new Set(allocations.flatMap(({ tags }) => tags.map(([key]) => key)));
      if (keys.size > 5) return 'InvalidTagException';
      if (sum !== record.quantity || tagSets.size < allocations.length) return 'InvalidUsageAllocationsException';
    }
    if (!this.#isInWindow(record.timestampSeconds * SECOND_MS, nowMs)) {
      return this.#rule(sealed, 'outOfWindow', 'TimestampOutOfBoundsException');
    }
    return undefined;
  }

  #isInWindow(stampMs: number, nowMs: number): boolean {
    const windowMs = this.#plan.policy.meteringWindowMs;
    const floorMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
    const isYoung =
      this.#plan.readings.windowEdge === 'exact' ? stampMs > nowMs - windowMs : stampMs >= floorMs - windowMs;
    const at = new Date(stampMs);
    const monthEndMs = Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1) + MONTH_GRACE_MS;
    return isYoung && stampMs <= nowMs + FUTURE_TOLERANCE_MS && nowMs < monthEndMs;
  }

  /** What AWS's log tells of a record, by the licence or by the account alone. */
  #log(region: string, record: WireRecord, answer: TrailRecord['answer']): void {
    const owner = this.#ownerOf(record);
    if (!owner) return;
    const { licenceKey, customerAwsAccountId: accountId } = owner.licence;
    const isByAccount = this.#plan.readings.logNames === 'account' && accountId !== undefined;
    const { dimension, quantity, timestampSeconds } = record;
    const hour = hourOf(timestampSeconds * SECOND_MS);
    const named = isByAccount ? { accountId } : { licenceKey };
    this.trail.push({ ...named, region, dimension, hour, quantity, answer, at: Math.floor(this.#clock()) });
  }

  #bill(batch: MeteringBatch, sealed: SealedHour): RecordAnswer {
    const answer = this.#billed(batch, sealed);
    const said = { success: 'metered', duplicate: 'duplicate' } as const;
    const { kind } = answer;
    this.#log(batch.meteringRegion, sealed.record, kind === 'success' || kind === 'duplicate' ? said[kind] : 'refused');
    return answer;
  }

  #billed(batch: MeteringBatch, sealed: SealedHour): RecordAnswer {
    const { record } = sealed;
    const owner = this.#ownerOf(record);
    const verdict = owner && this.#verdict(owner, record.timestampSeconds * SECOND_MS);
    const key = keyOf(batch.meteringRegion, record);
    const billed = this.billed.get(key);
    if (verdict && (billed === undefined || this.#plan.readings.resendAfterEnd === 'CustomerNotSubscribed')) {
      this.#rule(sealed, verdict);
      return { kind: 'notSubscribed' };
    }
    const allocations = canonical(record);
    if (billed) {
      const isSame = billed.quantity === record.quantity && billed.allocations === allocations;
      const isHonoured = isSame && this.#plan.readings.identicalResend === 'Success';
      return isHonoured ? { kind: 'success', meteringRecordId: key } : { kind: 'duplicate' };
    }
    const identity = identityOf(sealed);
    this.billed.set(key, { quantity: record.quantity, allocations, region: batch.meteringRegion, identity });
    return { kind: 'success', meteringRecordId: key };
  }

  #ownerOf(record: WireRecord): PlannedCustomer | undefined {
    return this.#plan.customers.find(({ licence }) =>
      record.licenceArn === undefined
        ? licence.customerIdentifier !== undefined && licence.customerIdentifier === record.customerIdentifier
        : licence.licenceArn === record.licenceArn && licence.customerAwsAccountId === record.customerAwsAccountId,
    );
  }

  /** Why AWS would not honour usage of an instant now; undefined where it would. */
  #verdict(customer: PlannedCustomer, stampMs: number): Ruling | undefined {
    const nowMs = this.#clock();
    const { suspension, startsAtMs, honouredFromMs, end, renewedAtMs = Infinity } = customer;
    if (suspension && nowMs >= suspension.fromMs && nowMs < suspension.untilMs) return 'suspended';
    if (nowMs < honouredFromMs) return 'pending';
    if (stampMs < startsAtMs) return 'beforeStart';
    if (!end || (stampMs >= renewedAtMs && nowMs >= renewedAtMs)) return undefined;
    if (stampMs > end.deprovisionedAtMs) return 'afterEnd';
    return nowMs >= end.deprovisionedAtMs + FINAL_WINDOW_MS ? 'finalHourOver' : undefined;
  }

  #isInvalidLicence({ product }: PlannedCustomer, verdict: Ruling): boolean {
    if (product.identityStyle === 'legacy' || verdict === 'suspended' || verdict === 'pending') return false;
    return this.#plan.readings.outsideOfLicence === 'InvalidLicenseException';
  }

  #rule(sealed: SealedHour, ruling: Ruling | undefined, code?: InvalidCode): InvalidCode | undefined {
    const identity = identityOf(sealed);
    const known = this.rulings.get(identity) ?? new Set<Ruling>();
    if (ruling) this.rulings.set(identity, known.add(ruling));
    return code;
  }
}

/** Faults by which nothing of a call is metered. Each chance is a share of the climate's. */
function faultBefore(fate: number): BatchAnswer | undefined {
  if (fate < 0.15) return { kind: 'refused', code: 'ThrottlingException', isThrottled: true };
  if (fate < 0.35) return { kind: 'unknown', code: 'InternalServiceErrorException' };
  if (fate < 0.4) return { kind: 'unknown', code: 'ECONNRESET' };
  if (fate < 0.45) return { kind: 'refused', code: 'ExpiredTokenException', isThrottled: false };
  if (fate < 0.5) return { kind: 'unlisted', code: 'UsageRecordLimitException' };
  return undefined;
}

function namesOf({ licenceArn, customerIdentifier }: PlannedCustomer['licence']) {
  return { ...(licenceArn ? { licenceArn } : {}), ...(customerIdentifier ? { customerIdentifier } : {}) };
}

/** AWS's key of de-duplication. */
function keyOf(region: string, record: WireRecord): string {
  const buyer = record.licenceArn ?? record.customerIdentifier ?? '';
  return `${region} ${buyer} ${record.dimension} ${hourOf(record.timestampSeconds * SECOND_MS)}`;
}

function canonical({ allocations = [] }: WireRecord): string {
  return allocations
    .map(({ quantity, tags }) => JSON.stringify([quantity, tags]))
    .sort()
    .join();
}
