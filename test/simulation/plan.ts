// What a world holds and what happens in it, drawn from its seed. Every kind of happening has a stream of its own, so
// that leaving one out, or shortening the life, leaves the others as they were.
import type { Entitlement, IncludedBasis } from '../../lambdas/domain/entitlement.ts';
import {
  addHours,
  HOUR_MS,
  type HourStart,
  hourOf,
  hourStartMs,
  MINUTE_MS,
  SECOND_MS,
} from '../../lambdas/domain/hour.ts';
import { hourShardKey, meterKey, shardOf } from '../../lambdas/domain/keys.ts';
import { type Licence, type LicenceName, licenceKeyOf } from '../../lambdas/domain/licence.ts';
import type { MeteringPolicy } from '../../lambdas/domain/metering-policy.ts';
import type { Product } from '../../lambdas/domain/product.ts';
import type { Tags } from '../../lambdas/domain/tag-set.ts';
import { aLicence, aPolicy, aProduct, at } from '../builders.ts';
import { pick, type Random, streamOf, whole } from './random.ts';

/** Everything that a world can be without. */
export const KINDS = [
  'activations',
  'badRows',
  'conflicts',
  'consumption',
  'contracts',
  'crashes',
  'cutOvers',
  'directRows',
  'endings',
  'faults',
  'foreign',
  'huge',
  'indexLag',
  'late',
  'lateNotices',
  'lostMarkers',
  'monthEnd',
  'operators',
  'outages',
  'overwrites',
  'pauses',
  'poison',
  'races',
  'rehearsals',
  'renewals',
  'repeats',
  'replacements',
  'skew',
  'stalls',
  'suspensions',
  'tableFaults',
  'tableOutages',
  'tags',
  'zeros',
] as const;

type Kind = (typeof KINDS)[number];

/** A world by its seed, and what it is to be without: the smallest world that still fails is told by these. */
export interface Recipe {
  readonly seed: number;
  /** Kinds, or single happenings such as `report.12`. */
  readonly without?: readonly string[];
  readonly hours?: number;
  readonly customers?: number;
}

export interface PlannedCustomer {
  readonly index: number;
  readonly licence: Licence;
  readonly name: LicenceName;
  readonly shard: number;
  readonly product: Product;
  readonly startsAtMs: number;
  /** When AWS begins to honour it: a little after its start, sometimes. */
  readonly honouredFromMs: number;
  /** When we are told; `Infinity` for never. */
  readonly heardAtMs: number;
  readonly isStartTold: boolean;
  readonly end?: PlannedEnd;
  /** A further agreement on the same licence. */
  readonly renewedAtMs?: number;
  readonly suspension?: Interval;
  /** From metering by customer identifier to metering by licence. */
  readonly cutOver?: PlannedCutOver;
  /** A further licence of the same buyer, by another ARN. */
  readonly replacedBy?: PlannedCustomer;
  /** The key of the licence that this one replaces. */
  readonly replaces?: string;
  /** The key under which the buyer was metered before, for the licence that takes over. */
  readonly takesOverFrom?: string;
  /** Of a contract with consumption. */
  readonly contract?: PlannedContract;
}

interface PlannedCutOver {
  readonly hour: HourStart;
  readonly actAtMs: number;
  /** The buyer's licence, as a customer beside the one by identifier. */
  readonly counterpart: PlannedCustomer;
}

/** What AWS says of a contract, from when on, and when it is asked. */
interface PlannedContract {
  readonly answers: readonly { readonly fromMs: number; readonly entitlements: readonly Entitlement[] }[];
  readonly asksAtMs: readonly number[];
  /** How many terms it can have at most. */
  readonly terms: number;
}

interface PlannedEnd {
  readonly noticeAtMs: number;
  readonly deprovisionedAtMs: number;
  readonly noticeHeardAtMs: number;
  readonly heardAtMs: number;
}

interface Interval {
  readonly fromMs: number;
  readonly untilMs: number;
}

interface PlannedEvent {
  readonly id: string;
  readonly dimension: string;
  readonly quantity: number;
  readonly atMs: number;
  readonly tags?: Tags;
}

/** How AWS fails while it is out. */
type OutageKind =
  | 'InternalServiceErrorException'
  | 'AccessDeniedException'
  | 'ExpiredTokenException'
  | 'DisabledApiException'
  | 'ThrottlingException';

export type Happening = { readonly id: string; readonly atMs: number } & (
  | {
      readonly kind: 'report';
      readonly customer: PlannedCustomer;
      /** By the new name of a buyer that is cut over, once it is. */
      readonly by: 'licence' | 'customer' | 'newName';
      readonly events: readonly PlannedEvent[];
      /** Whether the caller tries again where it hears nothing, or a fault. */
      readonly isStubborn: boolean;
      readonly diesBeforeMarker: boolean;
      /** Comes just as the next closer looks, which is when markers and zero records race with it. */
      readonly isTimed?: boolean;
    }
  | {
      readonly kind: 'row' | 'overwrite';
      readonly customer: PlannedCustomer;
      readonly item: Record<string, unknown> & { readonly pk: string; readonly sk: string };
      readonly leavesMarker: boolean;
    }
  | { readonly kind: 'start' | 'notice' | 'deprovision' | 'renewal'; readonly customer: PlannedCustomer }
  | {
      readonly kind: 'foreign';
      readonly customer: PlannedCustomer;
      readonly dimension: string;
      readonly quantity: number;
      /** In a region of its own, where AWS takes the hour a second time. */
      readonly isElsewhere: boolean;
    }
  | { readonly kind: 'cutOver' | 'ask'; readonly customer: PlannedCustomer }
  | { readonly kind: 'operator'; readonly act: OperatorAct; readonly aim: number }
);

/** What an operator does to whatever there is to do it to. */
export type OperatorAct =
  | 'release'
  | 'carryOn'
  | 'withholdAll'
  | 'withholdPart'
  | 'credit'
  | 'accept'
  | 'carryDifference'
  | WideAct;

/** Acts on a range of hours, or on what shares a fault. */
export type WideAct = 'confirm' | 'resubmit' | 'releaseGroup';

export type Trouble = Interval & { readonly id: string } /** Of one region, or of AWS as a whole. */ & (
    | { readonly kind: 'outage'; readonly how: OutageKind; readonly region?: string }
    | { readonly kind: 'closersDown' | 'sendersDown' | 'tablesDown' }
  );

/** How rough it is: chances of what happens at any time. */
interface Climate {
  readonly tickMs: number;
  readonly pageSize: number;
  readonly dieChance: number;
  readonly stallChance: number;
  readonly tableFaultChance: number;
  readonly awsFaultChance: number;
  readonly skewMs: number;
  /** How far the ledger's index by state may be behind its table. */
  readonly indexLagMs: number;
}

/** The points that AWS's texts leave open, drawn for each world. */
interface AwsReadings {
  readonly identicalResend: 'Success' | 'DuplicateRecord';
  readonly windowEdge: 'exact' | 'floorHour';
  readonly outsideOfLicence: 'InvalidLicenseException' | 'CustomerNotSubscribed';
  readonly resendAfterEnd: 'CustomerNotSubscribed' | 'asResend';
  /** Whom AWS's log of calls names. */
  readonly logNames: 'licence' | 'account';
}

export interface Plan {
  readonly recipe: Recipe;
  readonly startMs: number;
  readonly endMs: number;
  readonly policy: MeteringPolicy;
  readonly climate: Climate;
  readonly readings: AwsReadings;
  readonly products: readonly Product[];
  readonly customers: readonly PlannedCustomer[];
  /** A listed dimension that AWS does not know until it is mended. */
  readonly poison?: { readonly productCode: string; readonly dimension: string; readonly mendedAtMs: number };
  readonly troubles: readonly Trouble[];
  readonly happenings: readonly Happening[];
}

const MONTH_STARTS = [at('2026-10-01T00:00:00Z'), at('2027-01-01T00:00:00Z')] as const;
const REGIONS = ['us-east-1', 'eu-west-1'] as const;
const DIMENSIONS = ['requests', 'gb_stored', 'direct'] as const;

export function drawPlan(recipe: Recipe): Plan {
  const { seed, without = [] } = recipe;
  const isOff = (kind: Kind) => without.includes(kind);
  const random = streamOf(seed, 'world');
  // Shortened windows let more happen in an hour of life; half of all worlds keep AWS's own sizes.
  const isReal = random() < 0.5;
  const hours = recipe.hours ?? pick(random, [6, 9, 12, 12, 18, 24, 36, 72]);
  const straddles = random() < 0.3;
  const intoMonth = random() * hours;
  const month = pick(random, MONTH_STARTS);
  const calmStart = at('2026-09-08T00:00:00Z') + Math.floor(random() * 48) * HOUR_MS;
  const startMs =
    straddles && !isOff('monthEnd') ? hourStartMs(hourOf(month - Math.ceil(intoMonth) * HOUR_MS)) : calmStart;
  const endMs = startMs + hours * HOUR_MS;
  const policy = drawPolicy(random, isReal);
  const world = { seed, isOff, startMs, endMs, policy };
  const products = drawProducts(world);
  const count = recipe.customers ?? pick(streamOf(seed, 'customers'), [1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6]);
  const drawn = Array.from({ length: count }, (_, index) => drawCustomer(world, products, index));
  const customers = drawn.flatMap((each) => (each.replacedBy ? [each, each.replacedBy] : [each]));
  const happenings = customers.flatMap((customer) => [
    ...drawCutOver(world, customer),
    ...drawAsks(customer),
    ...drawReports(world, customer),
    ...drawReplaced(world, customer),
    ...drawRows(world, customer),
    ...drawNotices(customer),
    ...drawForeign(world, customer),
  ]);
  const acts = drawOperators(world);
  const isKept = ({ id }: { id: string }) => !without.includes(id);
  const poison = drawPoison(world, products);
  return {
    recipe,
    startMs,
    endMs,
    policy,
    climate: drawClimate(world),
    readings: drawReadings(seed),
    products,
    customers: customers.flatMap((each) => (each.cutOver ? [each, each.cutOver.counterpart] : [each])),
    ...(poison === undefined ? {} : { poison }),
    troubles: drawTroubles(world).filter(isKept),
    happenings: [...happenings, ...acts].filter(isKept).sort((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1)),
  };
}

interface Drawing {
  readonly seed: number;
  readonly isOff: (kind: Kind) => boolean;
  readonly startMs: number;
  readonly endMs: number;
  readonly policy: MeteringPolicy;
}

function drawPolicy(random: Random, isReal: boolean): MeteringPolicy {
  const meteringWindowMs = isReal ? 24 * HOUR_MS : 10 * HOUR_MS;
  const intakeWindowMs = meteringWindowMs - pick(random, [1, 1, 2, 4]) * HOUR_MS;
  return aPolicy({
    meteringWindowMs,
    intakeWindowMs,
    laterLooksMs: [2 * HOUR_MS, intakeWindowMs + 10 * MINUTE_MS],
    settleDelayMs: pick(random, [5, 10, 10, 30]) * MINUTE_MS,
    lingerMs: pick(random, [0, MINUTE_MS]),
  });
}

function drawClimate({ seed, isOff }: Drawing): Climate {
  const random = streamOf(seed, 'climate');
  const chance = (kind: Kind, values: readonly [number, ...number[]]) => {
    const drawn = pick(random, values);
    return isOff(kind) ? 0 : drawn;
  };
  return {
    tickMs: pick(random, [5, 10, 10]) * MINUTE_MS,
    pageSize: pick(random, [2, 3, 5, 100]),
    dieChance: chance('crashes', [0, 0.001, 0.001, 0.005]),
    stallChance: chance('stalls', [0, 0.0005, 0.003]),
    tableFaultChance: chance('tableFaults', [0, 0, 0.002, 0.008]),
    awsFaultChance: chance('faults', [0, 0.1, 0.1, 0.3]),
    skewMs: chance('skew', [0, 0, 15 * SECOND_MS, 55 * SECOND_MS]),
    indexLagMs: chance('indexLag', [0, 0, 0, SECOND_MS, 30 * SECOND_MS, 3 * MINUTE_MS]),
  };
}

function drawReadings(seed: number): AwsReadings {
  const random = streamOf(seed, 'readings');
  return {
    identicalResend: pick(random, ['Success', 'DuplicateRecord']),
    windowEdge: pick(random, ['exact', 'floorHour']),
    outsideOfLicence: pick(random, ['InvalidLicenseException', 'CustomerNotSubscribed']),
    resendAfterEnd: pick(random, ['CustomerNotSubscribed', 'asResend']),
    logNames: pick(random, ['licence', 'licence', 'account']),
  };
}

function drawProducts({ seed, isOff, startMs }: Drawing): Product[] {
  const random = streamOf(seed, 'products');
  return Array.from({ length: pick(random, [1, 1, 2, 3]) }, (_, index) => {
    const zeroRecords = pick(random, ['off', 'off', 'oneDimension', 'all'] as const);
    const pricingModel = pick(random, [
      'subscription',
      'subscription',
      'subscription',
      'subscription',
      'contract',
    ] as const);
    const isUnlisted = random() < 0.15;
    const [isRehearsed, until] = [random() < 0.08, addHours(hourOf(startMs), whole(random, 1, 12))];
    const mode = pick(random, ['dryRun', 'shadow'] as const);
    const rehearsal = random() < 0.25 ? { mode } : { mode, until };
    const ofContract = streamOf(seed, 'consumption', index);
    const isConsumed = ofContract() < 0.2 && pricingModel === 'subscription' && !isOff('consumption');
    const included = pick<Readonly<Record<string, IncludedBasis>> | undefined>(ofContract, [
      undefined,
      { requests: 'perHour' },
      { gb_stored: 'none', direct: 'perTerm' },
    ]);
    return aProduct({
      ...(isConsumed && included ? { included } : {}),
      ...(isRehearsed && !isOff('rehearsals') ? { rehearsal } : {}),
      productCode: `product-${index}`,
      identityStyle: pick(random, ['licence', 'licence', 'legacy'] as const),
      meteringRegion: pick(random, REGIONS),
      lateUsage: pick(random, ['carry', 'carry', 'carry', 'hold'] as const),
      zeroRecords: isOff('zeros') ? 'off' : zeroRecords,
      pricingModel: isConsumed ? 'contractWithConsumption' : isOff('contracts') ? 'subscription' : pricingModel,
      dimensions: isUnlisted ? [] : DIMENSIONS,
    });
  });
}

function drawPoison({ seed, isOff, startMs, endMs }: Drawing, products: readonly Product[]): Plan['poison'] {
  const random = streamOf(seed, 'poison');
  const isDrawn = random() < 0.08;
  const product = products[whole(random, 0, products.length - 1)];
  const dimension = pick(random, ['requests', 'gb_stored']);
  const mendedAtMs = random() < 0.5 ? Infinity : startMs + random() * (endMs - startMs);
  return isDrawn && product && !isOff('poison')
    ? { productCode: product.productCode, dimension, mendedAtMs }
    : undefined;
}

function drawCustomer(world: Drawing, products: readonly Product[], index: number): PlannedCustomer {
  const { seed, isOff, startMs, endMs } = world;
  const random = streamOf(seed, 'customer', index);
  const product = products[whole(random, 0, products.length - 1)] ?? aProduct();
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
  const customerIdentifier = `Customer${index}`;
  const licenceArn = `arn:aws:license-manager::294406891311:license:l-${hex}`;
  const name: LicenceName =
    product.identityStyle === 'licence'
      ? { style: 'licence', licenceArn }
      : { style: 'legacy', productCode: product.productCode, customerIdentifier };
  const licenceKey = licenceKeyOf(name);
  const isNew = random() < 0.3 && !isOff('activations');
  const intoLife = random();
  const startsAtMs = Math.floor(
    isNew ? startMs + intoLife * 0.7 * (endMs - startMs) : startMs - intoLife * 30 * 24 * HOUR_MS,
  );
  const isPending = random() < 0.2 && !isOff('activations');
  const pendingMs = random() * 30 * MINUTE_MS;
  const isLate = random() < 0.2 && !isOff('lateNotices');
  const lateness = random();
  const heardAtMs = isNew
    ? startsAtMs + (isLate ? (lateness < 0.1 ? Infinity : lateness * 6 * HOUR_MS) : lateness * MINUTE_MS)
    : startMs;
  const isStartTold = random() < 0.6;
  const end = drawEnd(world, index, Math.max(startMs, startsAtMs));
  const renewal = streamOf(seed, 'renewal', index);
  const isRenewed = renewal() < 0.35 && !isOff('renewals');
  const renewedAtMs = end && end.deprovisionedAtMs + Math.floor(renewal() * 3 * HOUR_MS) + 1;
  const suspension = drawSuspension(world, index);
  const contract = drawContract(world, product, { index, startsAtMs, heardAtMs, end });
  const customer: PlannedCustomer = {
    index,
    name,
    product,
    startsAtMs,
    honouredFromMs: isPending && isNew ? startsAtMs + pendingMs : startsAtMs,
    heardAtMs,
    isStartTold,
    shard: shardOf(licenceKey),
    licence: registered({ ...aLicence(), licenceKey }, product, {
      customerIdentifier,
      licenceArn,
      index,
      heardAtMs,
      startMs,
      isNew,
    }),
    ...(end === undefined ? {} : { end }),
    ...(isRenewed && renewedAtMs !== undefined && isStartTold ? { renewedAtMs } : {}),
    ...(suspension === undefined ? {} : { suspension }),
    ...(contract === undefined ? {} : { contract }),
  };
  const replacedBy = drawReplacement(world, customer);
  if (replacedBy) return { ...customer, replacedBy };
  const cutOver = drawCutOverOf(world, customer, licenceArn);
  if (cutOver === undefined) return customer;
  const { renewedAtMs: _renewedAtMs, ...once } = customer;
  return { ...once, cutOver };
}

/** Some of the agreements that end are replaced by one with a licence of its own, a little before, at or after the end. */
function drawReplacement({ seed, isOff }: Drawing, customer: PlannedCustomer): PlannedCustomer | undefined {
  const { index, product, licence, end, renewedAtMs, contract } = customer;
  const random = streamOf(seed, 'replacement', index);
  const isDrawn = random() < 0.5;
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
  const offMs = pick(random, [-30 * MINUTE_MS, -2 * MINUTE_MS, 0, 10 * MINUTE_MS]);
  const lateMs = random() * pick(random, [MINUTE_MS, 20 * MINUTE_MS, 2 * HOUR_MS]);
  if (!isDrawn || !end || renewedAtMs !== undefined || contract || isOff('replacements')) return undefined;
  if (product.identityStyle !== 'licence') return undefined;
  const startsAtMs = Math.max(customer.startsAtMs + HOUR_MS / 2, end.deprovisionedAtMs + offMs);
  const heardAtMs = Math.floor(startsAtMs + (isOff('lateNotices') ? Math.min(lateMs, MINUTE_MS) : lateMs));
  const licenceArn = `arn:aws:license-manager::294406891311:license:l-${hex}`;
  const name: LicenceName = { style: 'licence', licenceArn };
  const licenceKey = licenceKeyOf(name);
  return {
    index: 200 + index,
    name,
    product,
    startsAtMs,
    honouredFromMs: startsAtMs,
    heardAtMs,
    isStartTold: true,
    shard: shardOf(licenceKey),
    licence: { ...licence, licenceKey, licenceArn, firstSeenAt: heardAtMs, periods: [{}] },
    replaces: licence.licenceKey,
  };
}

/** Some of the buyers by customer identifier are to be metered by licence from an hour of the world on. */
function drawCutOverOf(
  { seed, startMs, endMs }: Drawing,
  customer: PlannedCustomer,
  licenceArn: string,
): PlannedCutOver | undefined {
  const { index, product, licence, contract, heardAtMs, renewedAtMs: _renewedAtMs, ...same } = customer;
  const random = streamOf(seed, 'cutOver', index);
  const isDrawn = random() < 0.4;
  const fromMs = Math.min(Math.max(startMs, heardAtMs), endMs);
  const actAtMs = Math.floor(fromMs + random() * 0.5 * (endMs - fromMs)) + MINUTE_MS;
  const hour = addHours(hourOf(actAtMs), whole(random, 3, 5));
  if (!isDrawn || product.identityStyle !== 'legacy') return undefined;
  const name: LicenceName = { style: 'licence', licenceArn };
  const licenceKey = licenceKeyOf(name);
  const { customerIdentifier: _identifier, ...known } = licence;
  const counterpart: PlannedCustomer = {
    ...same,
    index: 100 + index,
    name,
    product: { ...product, identityStyle: 'licence' },
    heardAtMs: Infinity,
    isStartTold: false,
    shard: shardOf(licenceKey),
    licence: { ...known, licenceKey, licenceArn, identityStyle: 'licence' },
    takesOverFrom: licence.licenceKey,
    ...(contract === undefined ? {} : { contract }),
  };
  return { hour, actAtMs, counterpart };
}

/** What AWS says of a contract: an amount that changes, a renewal, nothing for a while; and when it is asked. */
function drawContract(
  { seed, startMs, endMs, policy }: Drawing,
  { pricingModel }: Product,
  of: { index: number; startsAtMs: number; heardAtMs: number; end: PlannedEnd | undefined },
): PlannedContract | undefined {
  const random = streamOf(seed, 'contract', of.index);
  if (pricingModel !== 'contractWithConsumption') return undefined;
  const fromMs = Math.min(Math.max(startMs, of.startsAtMs), endMs);
  const within = () => fromMs + random() * (endMs - fromMs);
  const amounts = () => ({
    requests: pick(random, [0, 300, 1_000, 3_000, 20_000]),
    gb_stored: pick(random, [0, 200, 1_000]),
  });
  const entitledTo = (quantities: Readonly<Record<string, number>>, expiresAt: number): Entitlement[] =>
    Object.entries(quantities).map(([dimension, value]) => ({
      dimension,
      value: { kind: 'integer', value },
      expiresAt,
    }));
  const renewedAtMs = Math.floor(within());
  const isRenewed = random() < 0.3;
  const firstEndMs = isRenewed ? renewedAtMs : startMs + 90 * 24 * HOUR_MS;
  const toldAtMs = renewedAtMs + pick(random, [-20 * HOUR_MS, -HOUR_MS, 0, 20 * MINUTE_MS]) * random();
  const expiryAt = (atMs: number) => (isRenewed && atMs >= toldAtMs ? firstEndMs + 90 * 24 * HOUR_MS : firstEndMs);
  const setUpMs = random() < 0.2 ? fromMs + random() * 2 * HOUR_MS : Number.NEGATIVE_INFINITY;
  const changes = [setUpMs, ...(isRenewed ? [toldAtMs] : []), ...(random() < 0.4 ? [within()] : [])];
  let quantities = amounts();
  const answers = changes
    .sort((a, b) => a - b)
    .map((atMs) => {
      if (random() < 0.6) quantities = amounts();
      return { fromMs: atMs, entitlements: entitledTo(quantities, expiryAt(atMs)) };
    });
  const pausedMs = random() < 0.15 ? within() : undefined;
  const isOver = of.end !== undefined && random() < 0.7;
  const empties = [...(pausedMs === undefined ? [] : [pausedMs]), ...(isOver && of.end ? [of.end.noticeAtMs] : [])];
  const lastly = answers.filter((each) => pausedMs !== undefined && each.fromMs <= pausedMs).at(-1);
  const resumed = lastly && pausedMs !== undefined ? [{ ...lastly, fromMs: pausedMs + random() * 3 * HOUR_MS }] : [];
  const told = [...answers, ...resumed, ...empties.map((atMs) => ({ fromMs: atMs, entitlements: [] }))];
  return {
    answers: told.sort((a, b) => a.fromMs - b.fromMs),
    asksAtMs: drawAskTimes(random, policy, { fromMs, endMs, heardAtMs: of.heardAtMs }, [...changes, ...empties]),
    terms: 1 + (isRenewed ? 1 : 0) + empties.length,
  };
}

/** By schedule, and often when something changes; late to begin with, sometimes, or never. */
function drawAskTimes(
  random: Random,
  policy: MeteringPolicy,
  { fromMs, endMs, heardAtMs }: { fromMs: number; endMs: number; heardAtMs: number },
  changes: readonly number[],
): number[] {
  const drawn = random();
  const lateMs = random() * (drawn < 0.25 ? 1.2 * policy.meteringWindowMs : 5 * MINUTE_MS);
  if (drawn > 0.93) return [];
  const firstMs = fromMs + lateMs;
  const times = [firstMs];
  // The hours after the first answer, for which the licence has to be known, make good for a run that died between it and
  // the release of what waits.
  const surelyUntilMs = Math.max(firstMs, heardAtMs === Infinity ? firstMs : heardAtMs) + 4 * HOUR_MS;
  for (let atMs = firstMs; atMs < Math.max(endMs + 2 * HOUR_MS, surelyUntilMs); ) {
    atMs += HOUR_MS * (0.9 + random() * 0.3);
    if (random() < 0.9 || atMs < surelyUntilMs) times.push(atMs);
  }
  for (const atMs of changes) if (atMs > firstMs && random() < 0.6) times.push(atMs + random() * MINUTE_MS);
  return times.map(Math.floor);
}

/** A licence as its registration writes it. */
function registered(
  { licenceArn: _arn, customerAwsAccountId: _account, ...licence }: Licence,
  product: Product,
  of: {
    customerIdentifier: string;
    licenceArn: string;
    index: number;
    heardAtMs: number;
    startMs: number;
    isNew: boolean;
  },
): Licence {
  const { productCode, identityStyle, meteringRegion, pricingModel } = product;
  const account = { customerAwsAccountId: `11112222330${of.index}` };
  const names =
    identityStyle === 'licence' ? { licenceArn: of.licenceArn } : { customerIdentifier: of.customerIdentifier };
  return {
    ...licence,
    ...names,
    ...account,
    productCode,
    identityStyle,
    meteringRegion,
    pricingModel,
    customerId: `cus_${of.index}`,
    firstSeenAt: Math.floor(of.isNew ? of.heardAtMs : of.startMs - HOUR_MS),
    periods: [{}],
  };
}

function drawEnd({ seed, isOff, endMs }: Drawing, index: number, fromMs: number): PlannedEnd | undefined {
  const random = streamOf(seed, 'end', index);
  const ends = random() < 0.3;
  const noticeAtMs = Math.floor(fromMs + HOUR_MS + random() * Math.max(HOUR_MS, endMs - fromMs - 2 * HOUR_MS));
  const deprovisionedAtMs =
    noticeAtMs + pick(random, [0, 31 * SECOND_MS, Math.floor(random() * 50 * MINUTE_MS), 2 * HOUR_MS]);
  const isLate = random() < 0.15 && !isOff('lateNotices');
  const delays = [random(), random()].map((drawn) => Math.floor(drawn * (isLate ? 90 : 1) * MINUTE_MS));
  if (!ends || isOff('endings')) return undefined;
  return {
    noticeAtMs,
    deprovisionedAtMs,
    noticeHeardAtMs: noticeAtMs + (delays[0] ?? 0),
    heardAtMs: deprovisionedAtMs + (delays[1] ?? 0),
  };
}

function drawSuspension({ seed, isOff, startMs, endMs, policy }: Drawing, index: number): Interval | undefined {
  const random = streamOf(seed, 'suspension', index);
  const isDrawn = random() < 0.08;
  const fromMs = startMs + random() * (endMs - startMs);
  const lengthMs = pick(random, [HOUR_MS, 5 * HOUR_MS, policy.meteringWindowMs + 2 * HOUR_MS]);
  return isDrawn && !isOff('suspensions') ? { fromMs, untilMs: fromMs + lengthMs } : undefined;
}

function drawAsks(customer: PlannedCustomer): Happening[] {
  const { index, contract, cutOver } = customer;
  return (contract?.asksAtMs ?? []).flatMap((atMs, n): Happening[] => {
    const ask = { kind: 'ask' as const, id: `ask.${index}-${n}`, atMs };
    const own = { ...ask, customer };
    if (!cutOver) return [own];
    // Each of the buyer's names is asked for on its own.
    return [own, { ...ask, id: `${ask.id}c`, atMs: atMs + SECOND_MS, customer: cutOver.counterpart }];
  });
}

/** The act, and rows past the door around its hour, some of them on the wrong side of it. */
function drawCutOver({ seed, isOff, endMs }: Drawing, customer: PlannedCustomer): Happening[] {
  const { index, cutOver } = customer;
  if (!cutOver || isOff('cutOvers')) return [];
  const { hour, actAtMs, counterpart } = cutOver;
  const random = streamOf(seed, 'aroundCutOver', index);
  const happenings: Happening[] = [{ kind: 'cutOver', id: `cutOver.${index}`, atMs: actAtMs, customer }];
  const rows = whole(random, 0, 6);
  for (let n = 0; n < rows; n++) {
    const of = random() < 0.5 ? customer : counterpart;
    const hoursOff = whole(random, -2, 3);
    const quantity = whole(random, 1, 300);
    const usedAtMs = hourStartMs(addHours(hour, hoursOff)) + Math.floor(random() * HOUR_MS);
    const writtenAtMs = Math.max(usedAtMs, actAtMs + 3 * MINUTE_MS) + Math.floor(random() * random() * 3 * HOUR_MS);
    const leavesMarker = random() < 0.7;
    if (isOff('directRows') || writtenAtMs > endMs) continue;
    const { licenceKey } = of.licence;
    const item = {
      pk: hourShardKey(hourOf(usedAtMs), of.shard),
      sk: `${meterKey(licenceKey, 'direct')}#around-${index}-${n}`,
      quantity,
      time: usedAtMs,
    };
    happenings.push({
      kind: 'row',
      id: `around.${index}-${n}`,
      atMs: writtenAtMs,
      customer: of,
      item,
      leavesMarker,
    });
  }
  return happenings;
}

/** The reports of a customer, hour by hour, each hour from a stream of its own. */
function drawReports(world: Drawing, customer: PlannedCustomer): Happening[] {
  const { seed, isOff, startMs, endMs, policy } = world;
  const { index, startsAtMs, end, renewedAtMs } = customer;
  const happenings: Happening[] = [];
  const character = streamOf(seed, 'habits', index);
  const isTagged = character() < 0.3 && !isOff('tags');
  const isHuge = character() < 0.04 && !isOff('huge');
  const busy = pick(character, [1, 2, 2, 3]);
  for (let hourMs = startMs; hourMs < endMs; hourMs += HOUR_MS) {
    const hour = (hourMs - startMs) / HOUR_MS;
    const random = streamOf(seed, 'report', index, hour);
    for (let n = whole(random, 0, busy); n > 0; n--) {
      const reportedAtMs = Math.floor(hourMs + random() * HOUR_MS);
      const isLate = random() < 0.15;
      const lateMs = random() * random() * policy.intakeWindowMs * 1.05;
      const ageMs = isLate && !isOff('late') ? lateMs : random() * 8 * MINUTE_MS;
      const skewMs = isOff('skew') || random() < 0.8 ? 0 : (random() * 8 - 4) * MINUTE_MS;
      const events = Array.from({ length: pick(random, [1, 1, 2, 4]) }, (_, entry): PlannedEvent => {
        const team = pick(random, [undefined, 'core', 'edge']);
        const quantity = random() < 0.03 && isHuge ? 3_000_000_000 : whole(random, 0, 500);
        const spread = random() * 3 * MINUTE_MS;
        const dimension = pick(random, ['requests', 'requests', 'gb_stored']);
        const atMs = Math.floor(Math.max(reportedAtMs - ageMs + skewMs - spread, startMs, startsAtMs));
        return {
          id: `event-${index}-${hour}-${n}-${entry}`,
          dimension,
          quantity,
          atMs,
          ...(isTagged && team !== undefined ? { tags: { team } } : {}),
        };
      });
      const [diesBeforeMarker, isStubborn, by] = [random() < 0.05, random() < 0.8, random() < 0.3] as const;
      const isByNewName = streamOf(seed, 'newName', index, hour, n)() < 0.5;
      const report = {
        kind: 'report' as const,
        customer,
        isStubborn,
        by: by ? ('customer' as const) : isByNewName ? ('newName' as const) : ('licence' as const),
      };
      const [repeats, repeatAfterMs] = [
        random() < 0.25,
        random() * pick(random, [20 * SECOND_MS, 20 * SECOND_MS, 5 * HOUR_MS]),
      ];
      const [conflicts, conflictAfterMs] = [random() < 0.04, random() * 2 * HOUR_MS];
      const isGone =
        end !== undefined && reportedAtMs > end.deprovisionedAtMs && reportedAtMs < (renewedAtMs ?? Infinity);
      if (reportedAtMs < startsAtMs || (isGone && reportedAtMs > (end?.deprovisionedAtMs ?? 0) + 2 * HOUR_MS)) continue;
      const id = `report.${index}-${hour}-${n}`;
      happenings.push({
        ...report,
        id,
        atMs: reportedAtMs,
        events,
        diesBeforeMarker: diesBeforeMarker && !isOff('lostMarkers'),
      });
      const isRacing = random() < 0.12;
      if (isRacing && !isOff('races')) {
        const twins = events.map((event) => ({ ...event, id: `${event.id}t` }));
        const twin = { ...report, id: `${id}t`, atMs: reportedAtMs, events: twins, diesBeforeMarker: false };
        happenings.push({ ...twin, isTimed: true });
      }
      if (repeats && !isOff('repeats')) {
        happenings.push({
          ...report,
          id: `${id}r`,
          atMs: reportedAtMs + repeatAfterMs,
          events,
          diesBeforeMarker: false,
        });
      }
      if (conflicts && !isOff('conflicts')) {
        const others = events.map((event) => ({ ...event, quantity: event.quantity + 7 }));
        happenings.push({
          ...report,
          id: `${id}c`,
          atMs: reportedAtMs + conflictAfterMs,
          events: others,
          diesBeforeMarker: false,
        });
      }
    }
  }
  return happenings;
}

/** Usage by customer around a replacement, some of it reported again once that was heard of. */
function drawReplaced({ seed, isOff, endMs }: Drawing, customer: PlannedCustomer): Happening[] {
  const { index, replacedBy } = customer;
  if (!replacedBy) return [];
  const { startsAtMs, heardAtMs } = replacedBy;
  const random = streamOf(seed, 'aroundReplacement', index);
  return Array.from({ length: whole(random, 0, 4) }, (_, n): Happening[] => {
    const usedAtMs = Math.floor(startsAtMs + (random() * 1.4 - 0.4) * (heardAtMs - startsAtMs));
    const event = {
      id: `replaced-${index}-${n}`,
      dimension: 'requests',
      quantity: whole(random, 1, 500),
      atMs: usedAtMs,
    };
    const [atMs, againMs] = [usedAtMs + random() * 3 * MINUTE_MS, heardAtMs + random() * 10 * MINUTE_MS];
    const isRepeated = random() < 0.6 && !isOff('repeats');
    if (usedAtMs < customer.startsAtMs || atMs > endMs) return [];
    const report = { kind: 'report', customer, events: [event], by: 'customer', isStubborn: true } as const;
    const first = { ...report, id: `replaced.${index}-${n}`, atMs, diesBeforeMarker: false };
    return isRepeated ? [first, { ...first, id: `${first.id}r`, atMs: Math.max(atMs, againMs) }] : [first];
  }).flat();
}

/** Rows that a seller writes past the door: good ones, bad ones, and some written over later. */
function drawRows(world: Drawing, customer: PlannedCustomer): Happening[] {
  const { seed, isOff, startMs, endMs } = world;
  const { index, startsAtMs, licence, shard } = customer;
  const isWriter = streamOf(seed, 'writer', index)() < 0.25;
  if (!isWriter) return [];
  const happenings: Happening[] = [];
  const writesFromMs = Math.max(startMs, startsAtMs);
  for (let hourMs = hourStartMs(hourOf(writesFromMs)); hourMs < endMs; hourMs += HOUR_MS) {
    const hour = (hourMs - startMs) / HOUR_MS;
    const random = streamOf(seed, 'row', index, hour);
    const isDrawn = random() < 0.3;
    const usedAtMs = Math.floor(Math.max(hourMs + random() * HOUR_MS, writesFromMs));
    const writtenAtMs = usedAtMs + Math.floor(pick(random, [0, 0, 20 * MINUTE_MS, 3 * HOUR_MS]) * random());
    const [leavesMarker, isBad, isOverwritten] = [random() < 0.5, random() < 0.3, random() < 0.12] as const;
    const quantity = whole(random, 1, 300);
    const good = {
      pk: hourShardKey(hourOf(usedAtMs), shard),
      sk: `${meterKey(licence.licenceKey, 'direct')}#row-${index}-${hour}`,
      quantity,
      time: usedAtMs,
    };
    const bad = pick(random, [
      { ...good, quantity: quantity + 0.5 },
      { ...good, quantity: -quantity },
      { ...good, quantity: `${quantity}` },
      { ...good, time: usedAtMs - 2 * HOUR_MS },
      { ...good, tags: { team: 'a;b' } },
      { ...good, sk: `${licence.licenceKey}#direct` },
    ]);
    const overwrittenAtMs = writtenAtMs + Math.floor(random() * 5 * HOUR_MS);
    const changed = pick(random, [quantity + whole(random, 1, 40), Math.max(0, quantity - whole(random, 1, 40))]);
    const again = { leavesMarker: random() < 0.7, item: { ...good, quantity: changed } };
    if (!isDrawn || hourOf(usedAtMs) < hourOf(hourMs)) continue;
    if (isBad) {
      if (!isOff('badRows'))
        happenings.push({
          kind: 'row',
          id: `row.${index}-${hour}`,
          atMs: writtenAtMs,
          customer,
          item: bad,
          leavesMarker,
        });
      continue;
    }
    if (isOff('directRows')) continue;
    happenings.push({ kind: 'row', id: `row.${index}-${hour}`, atMs: writtenAtMs, customer, item: good, leavesMarker });
    if (isOverwritten && !isOff('overwrites')) {
      happenings.push({
        kind: 'overwrite',
        id: `overwrite.${index}-${hour}`,
        atMs: overwrittenAtMs,
        customer,
        ...again,
      });
    }
  }
  return happenings;
}

function drawNotices(customer: PlannedCustomer): Happening[] {
  const { index, heardAtMs, end, renewedAtMs } = customer;
  const notices: Happening[] = [];
  if (heardAtMs !== Infinity) notices.push({ kind: 'start', id: `start.${index}`, atMs: heardAtMs, customer });
  if (end) {
    notices.push({ kind: 'notice', id: `notice.${index}`, atMs: end.noticeHeardAtMs, customer });
    notices.push({ kind: 'deprovision', id: `deprovision.${index}`, atMs: end.heardAtMs, customer });
  }
  if (renewedAtMs !== undefined) notices.push({ kind: 'renewal', id: `renewal.${index}`, atMs: renewedAtMs, customer });
  return notices;
}

/** Another pipeline of the seller's meters some of the same hours, with amounts of its own. */
function drawForeign({ seed, isOff, startMs, endMs }: Drawing, customer: PlannedCustomer): Happening[] {
  const random = streamOf(seed, 'foreign', customer.index);
  if (random() >= 0.05 || isOff('foreign')) return [];
  return Array.from({ length: whole(random, 1, 3) }, (_, n): Happening => {
    const hourMs = startMs + whole(random, 0, (endMs - startMs) / HOUR_MS - 1) * HOUR_MS;
    return {
      kind: 'foreign',
      id: `foreign.${customer.index}-${n}`,
      atMs: hourMs + whole(random, 1, 80) * MINUTE_MS,
      customer,
      dimension: pick(random, ['requests', 'gb_stored']),
      quantity: whole(random, 1, 500),
      isElsewhere: random() < 0.4,
    };
  });
}

function drawOperators({ seed, isOff, startMs, endMs, policy }: Drawing): Happening[] {
  const random = streamOf(seed, 'operators');
  const isBusy = random() < 0.4;
  if (isOff('operators')) return [];
  return Array.from({ length: isBusy ? whole(random, 2, 10) : whole(random, 0, 1) }, (_, n): Happening => {
    const lateMs = random() < 0.3 ? policy.meteringWindowMs : 0;
    return {
      kind: 'operator',
      id: `operator.${n}`,
      atMs: Math.floor(startMs + lateMs + random() * (endMs - startMs)),
      act: pick(random, [
        'release',
        'release',
        'carryOn',
        'carryOn',
        'withholdAll',
        'withholdPart',
        'credit',
        'credit',
        'accept',
        'carryDifference',
        'confirm',
        'confirm',
        'resubmit',
        'releaseGroup',
      ]),
      aim: random(),
    };
  });
}

function drawTroubles({ seed, isOff, startMs, endMs, policy }: Drawing): Trouble[] {
  const troubles: Trouble[] = [];
  const draw = (kind: Trouble['kind'], chance: number, lengths: readonly [number, ...number[]], off: Kind) => {
    const random = streamOf(seed, 'trouble', kind);
    for (let n = 0; n < 2; n++) {
      const isDrawn = random() < chance;
      const fromMs = startMs + random() * (endMs - startMs);
      const drawnMs = pick(random, lengths);
      const how = pick(random, [
        'InternalServiceErrorException',
        'AccessDeniedException',
        'ExpiredTokenException',
        'DisabledApiException',
        'ThrottlingException',
      ] as const);
      if (!isDrawn || isOff(off)) continue;
      // AWS throttles for minutes: each second of it costs as much here as an hour of any other fault.
      const lengthMs = kind === 'outage' && how === 'ThrottlingException' ? Math.min(drawnMs, HOUR_MS) : drawnMs;
      const untilMs = Math.min(fromMs + lengthMs, endMs + policy.meteringWindowMs);
      const when = { id: `${kind}.${n}`, fromMs, untilMs };
      const ofRegion = streamOf(seed, 'outageRegion', n);
      const where = ofRegion() < 0.5 ? { region: pick(ofRegion, REGIONS) } : {};
      troubles.push(kind === 'outage' ? { ...when, kind, how, ...where } : { ...when, kind });
    }
  };
  const long = policy.meteringWindowMs + 2 * HOUR_MS;
  draw('outage', 0.2, [20 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS, long], 'outages');
  draw('closersDown', 0.07, [HOUR_MS, 4 * HOUR_MS, long], 'pauses');
  draw('sendersDown', 0.07, [HOUR_MS, 4 * HOUR_MS, long], 'pauses');
  draw('tablesDown', 0.1, [5 * MINUTE_MS, 40 * MINUTE_MS, 3 * HOUR_MS], 'tableOutages');
  return troubles;
}
