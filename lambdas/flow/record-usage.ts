// Reads:       the customer and licence that an event names; its row under another licence of a customer just renewed
// Writes:      one usage row an event; one late marker an hour that may be closed; one reject a refused event
// Once per:    licence, dimension, hour and event id
// If one fails: the others stand, and the report fails as a whole
// If it stops: the caller reports the same events again; those that stand answer "already"
import { admit, type ReportedUsage } from '../domain/door.ts';
import { Failure } from '../domain/failure.ts';
import { DAY_MS, type HourStart, hourEndMs, hourOf } from '../domain/hour.ts';
import { shardOf } from '../domain/keys.ts';
import {
  counterpartAt,
  coversInstant,
  isKnownToRunAt,
  type Licence,
  type LicenceName,
  licenceKeyOf,
} from '../domain/licence.ts';
import type { MeteringPolicy } from '../domain/metering-policy.ts';
import type { Products } from '../domain/product.ts';
import type { Refusal, RefusalCode } from '../domain/refusal.ts';
import type { CustomerStore, RejectStore, UsageStore, WorkStore } from './ports.ts';

export type UsageSubject =
  | { readonly kind: 'customer'; readonly customerId: string }
  | { readonly kind: 'licence'; readonly name: LicenceName };

interface ReportedEvent extends ReportedUsage {
  readonly subject: UsageSubject;
}

/** An entry of a report: an event whose shape is right, or what is wrong with its shape. */
export type ReportEntry =
  | { readonly kind: 'event'; readonly event: ReportedEvent; readonly received: string }
  | { readonly kind: 'malformed'; readonly id: string; readonly message: string; readonly received: string };

export type UsageOutcome =
  | { readonly id: string; readonly outcome: 'recorded' | 'already' }
  | {
      readonly id: string;
      readonly outcome: 'conflict' | 'refused';
      readonly code: RefusalCode;
      readonly message: string;
    };

export interface RecordUsagePorts {
  readonly customers: Pick<CustomerStore, 'customer' | 'licence'>;
  readonly usage: Pick<UsageStore, 'put' | 'standing'>;
  readonly work: Pick<WorkStore, 'markLate'>;
  readonly rejects: RejectStore;
  readonly clock: () => number;
  /** Runs tasks side by side, a bounded number at a time. */
  readonly limit: <T>(task: () => Promise<T>) => Promise<T>;
  readonly products: Products;
  readonly policy: MeteringPolicy;
}

/** Refusals of what may have been let in before, when less time had passed or less of the licence was known. */
const LET_IN_BEFORE: ReadonlySet<RefusalCode> = new Set(['timeTooOld', 'monthClosed', 'licenceEnded', 'beforeLicence']);

/** How much earlier than an hour's close a marker is already left: writers' clocks differ a little from ours. */
const MARKER_MARGIN_MS = 2 * 60_000;

/**
 * Records what can be recorded and answers for each entry, in order. A repeat changes nothing. Throws what an event met
 * that could not be judged; the others stand all the same, unless the database is down.
 */
export async function recordUsage(ports: RecordUsagePorts, entries: readonly ReportEntry[]): Promise<UsageOutcome[]> {
  const known = new Subjects(ports);
  const late = new Map<string, { hour: HourStart; shard: number }>();
  const noteLate = (hour: HourStart, shard: number) => void late.set(`${hour}#${shard}`, { hour, shard });
  let outage: unknown;
  const record = async (entry: ReportEntry) => {
    // The rest would only wait as long for the same.
    if (outage !== undefined) throw outage;
    try {
      return await recordOne(ports, known, entry, noteLate);
    } catch (fault) {
      if (!isOfOneBuyer(fault)) outage = fault;
      throw fault;
    }
  };
  const attempts = await Promise.allSettled(entries.map((entry) => ports.limit(() => record(entry))));
  // After the events: a marker that stood before its event could be cleared by a look that did not see it. Also where some
  // failed: those that stand must not wait for the caller to come again.
  await Promise.all([...late.values()].map(({ hour, shard }) => ports.limit(() => ports.work.markLate(hour, shard))));
  return attempts.map((attempt) => {
    if (attempt.status === 'rejected') throw attempt.reason;
    return attempt.value;
  });
}

/** An item that can't be read, say: that of another buyer can. */
function isOfOneBuyer(fault: unknown): boolean {
  return fault instanceof Failure && !fault.retryable;
}

async function recordOne(
  ports: RecordUsagePorts,
  known: Subjects,
  entry: ReportEntry,
  noteLate: (hour: HourStart, shard: number) => void,
): Promise<UsageOutcome> {
  const nowMs = ports.clock();
  if (entry.kind === 'malformed') return refuse(ports, entry, nowMs, 'malformed', entry.message);
  const { event } = entry;
  const subject = await known.resolve(event.subject, event.atMs);
  if (subject.kind === 'unresolved') return refuse(ports, entry, nowMs, subject.code, subject.message);
  const decision = admit(event, subject.licence, ports.products, nowMs, ports.policy);
  const { id: eventId, dimension, quantity, atMs, tags } = event;
  const hour = hourOf(atMs);
  const shard = shardOf(subject.licenceKey);
  const named = { hour, shard, licenceKey: subject.licenceKey, dimension, eventId, quantity, atMs };
  const usage = tags === undefined ? named : { ...named, tags };
  const isRefused = decision.kind === 'refused';
  if (isRefused && !LET_IN_BEFORE.has(decision.code))
    return refuse(ports, entry, nowMs, decision.code, decision.message);
  for (const licenceKey of subject.others) {
    const other = { ...usage, licenceKey, shard: shardOf(licenceKey) };
    const standing = await ports.usage.standing(other);
    if (standing === 'absent') continue;
    // Whichever of them ends: its hours close without delay.
    if (nowMs >= hourEndMs(hour) - MARKER_MARGIN_MS) noteLate(hour, other.shard);
    return standing === 'already' ? { id: eventId, outcome: 'already' } : refuse(ports, entry, nowMs, ...CONFLICT);
  }
  if (isRefused) {
    // A retry that comes too late is told that its event stands: "refused" would have it billed again by hand.
    const stands = (await ports.usage.standing(usage)) === 'already';
    if (!stands) return refuse(ports, entry, nowMs, decision.code, decision.message);
    noteLate(hour, shard);
    return { id: eventId, outcome: 'already' };
  }
  const outcome = await ports.usage.put(usage);
  if (outcome === 'conflict') return refuse(ports, entry, nowMs, ...CONFLICT);
  // "Already" leaves the marker again: the first writer may have died between its event and its marker.
  const closesAt = subject.licence?.ending ? hourEndMs(hour) : hourEndMs(hour) + ports.policy.settleDelayMs;
  if (nowMs >= closesAt - MARKER_MARGIN_MS) noteLate(hour, shard);
  return { id: eventId, outcome };
}

const CONFLICT = [
  'conflict',
  'An event of this id stands in the same hour with another quantity, time or tags. It was kept; nothing was overwritten. Give different events different ids.',
] as const;

async function refuse(
  ports: RecordUsagePorts,
  entry: ReportEntry,
  nowMs: number,
  code: RefusalCode,
  message: string,
): Promise<UsageOutcome> {
  const event = entry.kind === 'event' ? entry.event : undefined;
  const id = entry.kind === 'event' ? entry.event.id : entry.id;
  const refusal: Refusal = {
    at: nowMs,
    source: 'door',
    code,
    message,
    subject: event ? subjectName(event.subject) : 'unknown',
    dimension: event?.dimension ?? '',
    eventId: id,
    quantity: event && Number.isSafeInteger(event.quantity) ? event.quantity : 0,
    received: entry.received,
  };
  await ports.rejects.keep(refusal);
  return { id, outcome: code === 'conflict' ? 'conflict' : 'refused', code, message };
}

function subjectName(subject: UsageSubject): string {
  return subject.kind === 'customer' ? subject.customerId : licenceKeyOf(subject.name);
}

type ResolvedSubject =
  | {
      readonly kind: 'resolved';
      readonly licenceKey: string;
      readonly licence: Licence | undefined;
      /**
       * The customer's other licences, under which an earlier report of the same event may stand: what is heard of a
       * renewal between two reports changes which licence they find.
       */
      readonly others: readonly string[];
    }
  | { readonly kind: 'unresolved'; readonly code: RefusalCode; readonly message: string };

/** Looks each customer and licence up once a report, however many events name it. */
class Subjects {
  readonly #customers: RecordUsagePorts['customers'];
  readonly #products: Products;
  readonly #policy: MeteringPolicy;
  readonly #licences = new Map<string, Promise<Licence | undefined>>();
  readonly #holdings = new Map<string, Promise<readonly Licence[] | undefined>>();

  constructor(ports: RecordUsagePorts) {
    this.#customers = ports.customers;
    this.#products = ports.products;
    this.#policy = ports.policy;
  }

  async resolve(subject: UsageSubject, atMs: number): Promise<ResolvedSubject> {
    if (subject.kind === 'licence') {
      const licenceKey = licenceKeyOf(subject.name);
      const licence = await this.#licence(licenceKey);
      const refused = licence ? undefined : this.#productRefusal(subject.name);
      return refused ?? this.#onItsSide({ kind: 'resolved', licenceKey, licence, others: [] }, atMs);
    }
    // Half a surrogate pair is no text to DynamoDB, and no customer of ours.
    const licences = await this.#licencesOf(subject.customerId.toWellFormed());
    if (!licences) {
      return {
        kind: 'unresolved',
        code: 'customerUnknown',
        message: 'No customer has this customerId. Use the id that registration told you, or name the licence instead.',
      };
    }
    // By the event's time: a renewed customer's usage belongs to the licence that ran then. The newest otherwise.
    const licence =
      licences.findLast((each) => isKnownToRunAt(each, atMs, this.#policy)) ??
      licences.findLast((each) => coversInstant(each, atMs)) ??
      licences.at(-1);
    if (licence) {
      const { licenceKey } = licence;
      const others = licences.filter((each) => each !== licence && mayHaveBeenFound(each, licence, atMs));
      const found = { kind: 'resolved' as const, licenceKey, licence, others: others.map((each) => each.licenceKey) };
      return this.#onItsSide(found, atMs);
    }
    return {
      kind: 'unresolved',
      code: 'noLicence',
      message: 'AWS Marketplace has not told us of a licence of this customer yet. Report the event again later.',
    };
  }

  /** Of a buyer's two licences, that on the event's side of the cut-over, whichever of them was named. */
  async #onItsSide(named: ResolvedSubject & { kind: 'resolved' }, atMs: number): Promise<ResolvedSubject> {
    const { licence } = named;
    const licenceKey = licence && counterpartAt(licence, hourOf(atMs));
    return licenceKey === undefined ? named : { ...named, licenceKey, licence: await this.#licence(licenceKey) };
  }

  /** A product that is not ours, or is metered by licence, would leave its usage waiting for ever. */
  #productRefusal(name: LicenceName): ResolvedSubject | undefined {
    if (name.style === 'licence') return undefined;
    const product = this.#products.get(name.productCode);
    if (product?.identityStyle === 'legacy') return undefined;
    const known = [...this.#products.values()].map(({ productCode }) => `'${productCode}'`).join(', ');
    return product
      ? {
          kind: 'unresolved',
          code: 'identityStyleWrong',
          message: 'This product is metered by licence: name the buyer by licenseArn or customerId instead.',
        }
      : {
          kind: 'unresolved',
          code: 'productUnknown',
          message: `The settings know no product of this code; expected one of ${known}. If it is new, add it to the settings.`,
        };
  }

  #licence(licenceKey: string): Promise<Licence | undefined> {
    return remembered(this.#licences, licenceKey, () => this.#customers.licence(licenceKey));
  }

  #licencesOf(customerId: string): Promise<readonly Licence[] | undefined> {
    return remembered(this.#holdings, customerId, async () => {
      const customer = await this.#customers.customer(customerId);
      if (!customer) return undefined;
      const licences = await Promise.all(customer.licenceKeys.map((key) => this.#licence(key)));
      return licences.filter((licence) => licence !== undefined);
    });
  }
}

/** Longer than usage may be reported after its time: by then, whoever reports it has heard of an end. */
const END_HEARD_MS = DAY_MS;

/** Between a cut-over's two licences the hour decides, long before anything of it is reported. */
function mayHaveBeenFound({ licenceKey, ending }: Licence, { counterpartKey }: Licence, atMs: number): boolean {
  return licenceKey !== counterpartKey && (ending === undefined || ending.noticeAt > atMs - END_HEARD_MS);
}

function remembered<T>(memory: Map<string, Promise<T>>, key: string, look: () => Promise<T>): Promise<T> {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const found = look();
  memory.set(key, found);
  return found;
}
