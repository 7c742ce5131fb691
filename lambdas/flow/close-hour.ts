// Reads:       the ledger and then the usage of one hour and shard, and the shard's licences
// Writes:      seals, carries and holds, as domain/close.ts decides; rejects for rows that can't be billed
// Once per:    licence, dimension and hour; a carry once per origin and amount accounted for before
// If it stops: the next look reads the same facts and goes on; a look at a closed hour writes nothing
import { countedOf, decideClose, lastHourFor, type MeterHour, pricingModelOf, zeroSeal } from '../domain/close.ts';
import {
  type Allowance,
  countingVersionAt,
  ENTITLEMENTS_BELIEVED_MS,
  type EntitlementVersion,
  entitledQuantity,
  type LicenceEntitlements,
  termGoneOn,
} from '../domain/entitlement.ts';
import { asFailure, BrokenInvariant } from '../domain/failure.ts';
import { addHours, type HourStart, hourEndMs } from '../domain/hour.ts';
import { meterKey } from '../domain/keys.ts';
import type { Carry, Credit, SealedHour } from '../domain/ledger.ts';
import { handOverHour, type Licence } from '../domain/licence.ts';
import { lastLookMs, type MeteringPolicy } from '../domain/metering-policy.ts';
import { type Products, zeroDimensions } from '../domain/product.ts';
import type { Refusal } from '../domain/refusal.ts';
import type { Meter } from '../domain/seal.ts';
import { ANY_TAGS } from '../domain/tag-set.ts';
import { type BadRow, NEWER_ROW } from '../domain/usage-row.ts';
import { Cursor } from './cursor.ts';
import type {
  CustomerStore,
  EntitlementReader,
  LedgerStore,
  MeterName,
  RejectStore,
  UsageStore,
  WorkStore,
} from './ports.ts';
import { type MeterReading, readMeters } from './read-meters.ts';

export interface ClosePorts {
  readonly customers: Pick<CustomerStore, 'licence' | 'licencesOfShard' | 'endingLicences' | 'finishEnding'>;
  readonly usage: Pick<UsageStore, 'rows'>;
  readonly ledger: Pick<
    LedgerStore,
    'entries' | 'seal' | 'sealCarried' | 'carry' | 'holdLate' | 'include' | 'hasten' | 'sealed' | 'credits' | 'counter'
  >;
  readonly entitlements: EntitlementReader;
  readonly work: WorkStore;
  readonly rejects: RejectStore;
  readonly clock: () => number;
  /** Runs tasks side by side, a bounded number at a time. */
  readonly limit: <T>(task: () => Promise<T>) => Promise<T>;
  readonly log: Record<'warn' | 'error', (code: string, facts?: Readonly<Record<string, string | number>>) => void>;
  readonly products: Products;
  readonly policy: MeteringPolicy;
}

/** What looks have done, by count. */
export interface LookResult {
  sealed: number;
  carried: number;
  held: number;
  /** Late usage that the contract includes. */
  included: number;
  rejected: number;
  awaiting: number;
  broken: number;
  /** Meters that may not be closed yet. */
  waiting: number;
  /** Meters and hours that a fault kept from being closed. */
  failed: number;
  /** Meters with more to do than one look does: the look has to be made again. */
  unfinished: number;
}

export function nothingDone(): LookResult {
  return {
    sealed: 0,
    carried: 0,
    held: 0,
    included: 0,
    rejected: 0,
    awaiting: 0,
    broken: 0,
    waiting: 0,
    failed: 0,
    unfinished: 0,
  };
}

export function addLook(sum: LookResult, look: LookResult): void {
  for (const name of Object.keys(look) as (keyof LookResult)[]) sum[name] += look[name];
}

export interface Look {
  readonly hour: HourStart;
  readonly shard: number;
  /** Only this licence, for an ending one. */
  readonly licence?: Licence;
  /** Whether all earlier hours of that licence are settled. */
  readonly earlierSettled?: boolean;
}

/** How many meters of a partition may wait for their turn: memory must not grow with the number of customers. */
const PENDING_LIMIT = 256;

/** Rows that can't be billed are kept up to this many a look: a writer gone wrong writes them by the ten thousand. */
const REJECTS_KEPT = 1_000;

/** Looks at one hour and shard, and makes what is accounted for equal to what was used. Safe at any time, twice. */
export async function closeHour(ports: ClosePorts, look: Look): Promise<LookResult> {
  const result = nothingDone();
  const { hour, shard, licence: only } = look;
  // Filled as licences are read, in the order of their keys: before any meter of theirs has its turn.
  const unreadable = new Map<string, unknown>();
  const noteUnreadable = (licenceKey: string, fault: unknown) => void unreadable.set(licenceKey, fault);
  const licences = new Cursor(only ? once([only]) : ports.customers.licencesOfShard(shard, noteUnreadable));
  let pending: Promise<void>[] = [];
  const start = async (licenceKey: string, task: () => Promise<void>) => {
    pending.push(ports.limit(() => contained(ports, { hour, licenceKey }, result, task)));
    if (pending.length < PENDING_LIMIT) return;
    await Promise.all(pending);
    pending = [];
  };
  const partition = { hour, shard, ...(only === undefined ? {} : { licenceKey: only.licenceKey }) };
  const onBadRow = async (row: BadRow) => {
    result.rejected += 1;
    if (result.rejected <= REJECTS_KEPT) await start(row.sortKey, () => rejectRow(ports, hour, row));
    else if (result.rejected === REJECTS_KEPT + 1) ports.log.error('RejectsCut', { hour, shard, kept: REJECTS_KEPT });
  };
  const credits = new ShardCredits(ports.ledger, shard);
  let passing: { readonly licence: Licence; readonly used: Set<string> } | undefined;
  const sealZeros = async ({ licence, used }: { licence: Licence; used: ReadonlySet<string> }) => {
    const product = ports.products.get(licence.productCode);
    for (const dimension of product ? zeroDimensions(product, used) : []) {
      await start(licence.licenceKey, () => sealZero(ports, { hour, shard, licence, dimension }, result));
    }
  };
  for await (const reading of readMeters(ports, partition, onBadRow)) {
    const { licenceKey, tally } = reading;
    // Nothing used and nothing sealed: the dimension counts as idle, and may want a zero record.
    if (tally.used === 0 && !tally.hasNewerRows && !reading.sealed) continue;
    for (;;) {
      const next = await licences.peek();
      if (!next || next.licenceKey > licenceKey) break;
      licences.advance();
      if (passing) await sealZeros(passing);
      passing = { licence: next, used: new Set() };
    }
    if (unreadable.has(licenceKey)) {
      // Not as of an unknown licence: nobody will tell us of it again. The look fails at it, and is made again.
      await start(licenceKey, () => Promise.reject(unreadable.get(licenceKey)));
      continue;
    }
    const licence = passing?.licence.licenceKey === licenceKey ? passing.licence : undefined;
    if (licence) passing?.used.add(reading.dimension);
    await start(licenceKey, () => closeMeter(ports, look, reading, licence, credits, result));
  }
  if (passing) await sealZeros(passing);
  // Read for their zero records only: without any to send, an idle shard costs no look at its licences.
  const wantsZeros = [...ports.products.values()].some((product) => product.zeroRecords !== 'off');
  for (let idle = wantsZeros && (await licences.peek()); idle; idle = await licences.peek()) {
    licences.advance();
    await sealZeros({ licence: idle, used: new Set() });
  }
  // One of no usage may want a zero record.
  if (wantsZeros) for (const [key, fault] of unreadable) await start(key, () => Promise.reject(fault));
  await Promise.all(pending);
  return result;
}

/** A shard's credits, read when the first hour is to be sealed, so that a look that seals nothing costs no read. */
class ShardCredits {
  readonly #ledger: Pick<LedgerStore, 'credits'>;
  readonly #shard: number;
  #read: Promise<ReadonlyMap<string, Credit>> | undefined;

  constructor(ledger: Pick<LedgerStore, 'credits'>, shard: number) {
    this.#ledger = ledger;
    this.#shard = shard;
  }

  async of({ licenceKey, dimension }: MeterName): Promise<Credit | undefined> {
    this.#read ??= this.#ledger.credits(this.#shard);
    return (await this.#read).get(meterKey(licenceKey, dimension));
  }

  /** Once a credit was found changed. */
  forget(): void {
    this.#read = undefined;
  }
}

/** Does a piece of closing; its fault is logged and counted, and leaves the pieces beside it alone. */
export async function contained(
  ports: Pick<ClosePorts, 'log'>,
  facts: Readonly<Record<string, string | number>>,
  result: LookResult,
  task: () => Promise<void>,
): Promise<void> {
  try {
    await task();
  } catch (error) {
    result.failed += 1;
    const fault = error instanceof Error ? error.name : 'Unknown';
    ports.log.error('CloseFailed', { ...facts, failureCode: asFailure(error).code, fault });
  }
}

async function* once<T>(page: readonly T[]): AsyncGenerator<readonly T[]> {
  yield page;
}

/** More steps than this in one look wait for the next look: a loop must end. One tag set takes one step. */
const STEP_LIMIT = 5_000;

async function closeMeter(
  ports: ClosePorts,
  look: Look,
  reading: MeterReading,
  licence: Licence | undefined,
  credits: ShardCredits,
  result: LookResult,
): Promise<void> {
  const product = licence && ports.products.get(licence.productCode);
  const { hour, shard, earlierSettled = false } = look;
  const creditOf = async () => (licence && !reading.sealed ? credits.of(reading) : undefined);
  let meter: MeterHour = { ...reading, hour, shard, licence, product, earlierSettled, credit: await creditOf() };
  for (let step = 0; step < STEP_LIMIT; step++) {
    // Asked anew before each step: what one step counts of a contract's term changes the next.
    const sealed = await takeStep(ports, { ...meter, allowance: await allowanceOf(ports, meter) }, result);
    if (sealed === 'done') return wakeLastHour(ports, meter);
    if (sealed === 'creditMoved') {
      credits.forget();
      meter = { ...meter, credit: await creditOf() };
    } else if (sealed !== 'counterMoved') {
      meter = sealed === 'targetSealed' ? { ...meter, mayCarry: false } : { ...meter, sealed };
    }
  }
  result.unfinished += 1;
}

/**
 * What came late before a cut-over goes into the last hour that is metered under the old name, whose looks may be over:
 * it is asked for again. By each look that finds units sent on, so that one which died after its carry is made good for.
 */
async function wakeLastHour({ work, clock, policy }: ClosePorts, { hour, shard, licence, sealed }: MeterHour) {
  if (!licence || handOverHour(licence) === undefined || !sealed || sealed.carriedOut === 0) return;
  const last = lastHourFor(licence, policy);
  if (last !== undefined && hour < last && clock() >= hourEndMs(last)) await work.markLate(last, shard);
}

/** What the contract includes of the meter's usage; `'unknown'` while AWS has not said, or not for too long. */
async function allowanceOf(ports: ClosePorts, meter: MeterHour): Promise<Allowance | 'unknown' | undefined> {
  const { licence, product, licenceKey, dimension, hour, sealed, tally } = meter;
  if (!licence || pricingModelOf(product, licence) !== 'contractWithConsumption') return undefined;
  // Nothing to count, and nothing to read for.
  if (tally.used === (sealed?.accounted ?? 0)) return 'unknown';
  const known = await ports.entitlements.entitlements(licenceKey);
  const version = known && countingVersionAt(known, hour);
  if (!version || ports.clock() - known.checkedAt > ENTITLEMENTS_BELIEVED_MS) return 'unknown';
  const named = entitledQuantity(version, dimension);
  const basis = product?.included?.[dimension] ?? (named === undefined ? 'none' : 'perTerm');
  const entitled = { basis, entitledQuantity: named ?? 0, termStart: version.termStart };
  if (basis === 'perTerm') {
    const former = await formerTerm(ports, licence, known, version);
    const { termStart, countedUnder = licenceKey } = { ...entitled, ...former };
    const { used, overage } = await ports.ledger.counter({ licenceKey: countedUnder, dimension, termStart });
    return { ...entitled, ...former, used, overage };
  }
  return { ...entitled, ...(sealed ? countedOf(sealed) : { used: 0, overage: 0 }) };
}

/** The term that a buyer's contract began under the name before the cut-over, where it still runs. */
async function formerTerm(
  { entitlements }: ClosePorts,
  { identityStyle, cutOverHour, counterpartKey }: Licence,
  known: LicenceEntitlements,
  version: EntitlementVersion,
): Promise<Pick<Allowance, 'termStart' | 'countedUnder'> | undefined> {
  if (identityStyle !== 'licence' || cutOverHour === undefined || counterpartKey === undefined) return undefined;
  const former = await entitlements.entitlements(counterpartKey);
  const termStart = former && termGoneOn(former, addHours(cutOverHour, -1), known, version);
  return termStart && { termStart, countedUnder: counterpartKey };
}

type StepOutcome = SealedHour | 'done' | 'targetSealed' | 'creditMoved' | 'counterMoved';

/** Does the next thing; gives back the ledger item as it then stands, or why there is none to go on with. */
async function takeStep(ports: ClosePorts, meter: MeterHour, result: LookResult): Promise<StepOutcome> {
  const { ledger } = ports;
  const step = decideClose(meter, ports.clock(), ports.policy);
  switch (step.kind) {
    case 'nothing':
      return 'done';
    case 'wait':
      result.waiting += 1;
      // The code that can read them may come back after the last look that is due.
      if (meter.tally.hasNewerRows) await ports.work.markLate(meter.hour, meter.shard);
      return 'done';
    case 'awaitLicence':
      result.awaiting += 1;
      await ports.work.awaitLicence(meter.licenceKey, meter.hour, meter.shard);
      // Told of it between the look and the note? Whoever told us found nothing waiting, so it is for us to release.
      if (await ports.customers.licence(meter.licenceKey)) await ports.work.releaseAwaiting(meter.licenceKey);
      return 'done';
    case 'awaitEntitlement':
      // Listed like usage of an unknown licence: the answer of AWS has the hour looked at again at once.
      result.awaiting += 1;
      await ports.work.awaitLicence(meter.licenceKey, meter.hour, meter.shard);
      // Answered between the look and the note? Whoever wrote the answer found nothing waiting.
      if ((await allowanceOf(ports, meter)) !== 'unknown') await ports.work.releaseAwaiting(meter.licenceKey);
      return 'done';
    case 'unknownDimension':
      result.rejected += 1;
      await ports.rejects.keep(unlistedDimension(meter, ports));
      return 'done';
    case 'seal': {
      const outcome = await ledger.seal(step.sealed, meter.credit, step.step);
      if (outcome === 'creditMoved' || outcome === 'counterMoved') return outcome;
      if (outcome === 'exists') return asItStands(ports, meter);
      result.sealed += 1;
      noteTagOverflow(ports, step.sealed, step.sealed.tagOverflowQuantity);
      return step.sealed;
    }
    case 'sealCarried': {
      const outcome = await ledger.sealCarried(step.sealed, step.carries, step.onlyInto, step.step);
      if (outcome === 'targetSealed' || outcome === 'counterMoved') return outcome;
      if (outcome === 'exists') return asItStands(ports, meter);
      result.carried += step.carries.length;
      noteTagOverflow(ports, step.sealed, undividedQuantity(step.carries));
      result.held += step.sealed.heldLate > 0 ? 1 : 0;
      return step.sealed;
    }
    case 'carry': {
      const origin = originOf(meter);
      const outcome = await ledger.carry(origin, step.carry, step.onlyInto, step.inclusion);
      if (outcome === 'carried') {
        result.carried += 1;
        noteTagOverflow(ports, meter, undividedQuantity([step.carry]));
      }
      if (outcome === 'targetSealed') {
        const { tagSet, quantity } = step.carry;
        const late = { tagSet, quantity, reason: 'lastHourSealed' };
        const held = await ledger.holdLate(origin, late, step.inclusion);
        if (held === 'held') result.held += 1;
      }
      return asItStands(ports, meter);
    }
    case 'holdLate':
      if ((await ledger.holdLate(originOf(meter), step, step.inclusion)) === 'held') result.held += 1;
      return asItStands(ports, meter);
    case 'include':
      if ((await ledger.include(originOf(meter), step.tagSet, step.inclusion)) === 'included') result.included += 1;
      return asItStands(ports, meter);
    case 'broken':
      await checkBroken(ports, meter, step.problem, result);
      return 'done';
  }
}

/** The sealed hour that late usage is measured against, with the rows now seen. */
function originOf({ sealed, tally }: MeterHour): SealedHour {
  if (!sealed) throw new BrokenInvariant('LateWithoutSeal', 'Late usage was found for an hour that is not sealed.');
  return { ...sealed, seen: tally.seen };
}

/** The item after a write that met, or made, another version than was read. What was used stays as read. */
async function asItStands(ports: ClosePorts, meter: MeterHour): Promise<SealedHour | 'done'> {
  const sealed = await ports.ledger.sealed(meter.hour, meter.licenceKey, meter.dimension);
  // Another closer that saw more rows may have accounted for them: nothing broken, and nothing left to do here.
  if (!sealed || sealed.accounted > meter.tally.used) return 'done';
  return sealed;
}

/** What looks broken is read again before anyone is woken: a look that raced with another explains most of it. */
async function checkBroken(ports: ClosePorts, meter: MeterHour, problem: string, result: LookResult): Promise<void> {
  const { hour, shard, licenceKey, dimension } = meter;
  for await (const again of readMeters(ports, { hour, shard, licenceKey })) {
    if (again.dimension !== dimension) continue;
    if (decideClose({ ...meter, ...again }, ports.clock(), ports.policy).kind !== 'broken') {
      // All is well, but what this look came for has not been done by it.
      result.unfinished += 1;
      return;
    }
    result.broken += 1;
    const accounted = again.sealed?.accounted ?? 0;
    ports.log.error('LedgerBroken', { problem, hour, licenceKey, dimension, used: again.tally.used, accounted });
  }
}

async function sealZero(ports: ClosePorts, meter: Meter, result: LookResult): Promise<void> {
  const product = ports.products.get(meter.licence.productCode);
  const zero = product && zeroSeal(meter, product, ports.clock(), ports.policy);
  if (zero && (await ports.ledger.seal(zero)) === 'sealed') result.sealed += 1;
}

/** The units are billed, but the buyer does not see them under their tags. */
function noteTagOverflow(
  { log }: ClosePorts,
  { hour, licenceKey, dimension }: MeterName & { readonly hour: HourStart },
  quantity = 0,
): void {
  if (quantity > 0) log.warn('TagsOverflown', { hour, licenceKey, dimension, quantity });
}

/** Units that go on without their tags. */
function undividedQuantity(carries: readonly Carry[]): number {
  return carries.reduce((sum, { tagSet, quantity }) => sum + (tagSet === ANY_TAGS ? quantity : 0), 0);
}

function unlistedDimension(
  { hour, licenceKey, dimension, tally }: MeterHour,
  { clock, policy }: Pick<ClosePorts, 'clock' | 'policy'>,
): Refusal {
  const lastLookAt = new Date(hourEndMs(hour) + lastLookMs(policy)).toISOString();
  return {
    at: clock(),
    hour,
    source: 'close',
    code: 'dimensionUnknown',
    message: `The product's settings do not list this dimension. Deploy settings that list it before ${lastLookAt}, the last look at this hour, and the usage is billed at the next one; after that, only once a late marker asks for another look. If it was written by mistake, write the usage again under a listed dimension.`,
    subject: licenceKey,
    dimension,
    eventId: hour,
    quantity: tally.used,
    received: '',
  };
}

const WHEN_BAD = 'Write the usage again as a new row with this mended; this row is never billed.';
const WHEN_NEWER =
  'The dimension of this licence and hour waits for the version that wrote it: deploy that, and its next look bills the row. Do not write the usage again. If v was written by mistake, put the row anew with v 1.';

/** Copies a row that can't be billed to the rejects. The row stays where it is; the copy is kept once. */
async function rejectRow(ports: ClosePorts, hour: HourStart, row: BadRow): Promise<void> {
  const [licenceKey = '', dimension = '', ...event] = row.sortKey.split('#');
  await ports.rejects.keep({
    at: ports.clock(),
    hour,
    source: 'close',
    code: row.code,
    message: `${row.problem} ${row.code === NEWER_ROW ? WHEN_NEWER : WHEN_BAD}`,
    subject: licenceKey,
    dimension,
    eventId: `${hour}#${event.join('#')}`,
    quantity: row.quantity,
    received: row.sortKey.slice(0, 2_000),
  });
}
