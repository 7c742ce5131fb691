// Confirming what AWS holds from its own log of calls.
import { MINUTE_MS } from '../hour.ts';
import { type SealedHour, standingQuantity } from '../ledger.ts';
import { type Act, auditOf, type Decision, instant, type Refused, refuse, withoutWaiting } from './act.ts';
import { ACCEPTED } from './settle-disputed.ts';
import type { TrailRecord } from './submitted-usage.ts';

/** The reason of a record that expired because AWS's complete log has no trace of its attempts. */
export const ABSENT_AT_AWS = 'absentInCloudTrail';

/** How far around an attempt a log has to reach: clocks differ, calls take time, and AWS logs late. */
const MARGIN_MS = 15 * MINUTE_MS;

/** Instants `[from, to)` of which the caller says that the log holds every call. */
export interface TrailWindow {
  readonly from: number;
  readonly to: number;
}

/** What a log tells of one record. */
export interface Evidence {
  /** Submissions of the record's own licence, dimension, hour and region. */
  readonly own: readonly TrailRecord[];
  /** Those that name the account alone, and may be of another licence of it. */
  readonly byAccount: readonly TrailRecord[];
  /** Those of the same licence, dimension and hour that AWS metered in another region. */
  readonly elsewhere: readonly TrailRecord[];
}

export type ConfirmDecision =
  | Extract<Decision, { kind: 'amend' }>
  | { readonly kind: 'unchanged'; readonly message: string };

export function windowProblem({ from, to }: TrailWindow, unread: number, nowMs: number): Refused | undefined {
  if (unread > 0) {
    return refuse(
      'windowInvalid',
      `${unread} entries of the file could not be read, so that it can't be said to hold every call. Mend the file, or state no window.`,
    );
  }
  if (from < to && to <= nowMs) return undefined;
  return refuse(
    'windowInvalid',
    `The window ${instant(from)} to ${instant(to)} is empty or ends after now (${instant(nowMs)}). Name the time of which the file holds every BatchMeterUsage call.`,
  );
}

/** Whether a record waits for AWS's own word. */
export function isToConfirm({ status }: SealedHour): boolean {
  return status === 'presumed' || status === 'uncertain' || status === 'disputed';
}

export function decideConfirm(
  record: SealedHour,
  evidence: Evidence,
  window: TrailWindow | undefined,
  act: Act,
  nowMs: number,
): ConfirmDecision {
  const ours = standingQuantity(record);
  const metered = meteredOf(evidence, ours);
  const quantities = new Set(metered.map(({ quantity }) => quantity));
  const [first] = metered;
  if (quantities.size > 1)
    return unchanged('AWS answered Success to more than one quantity. Ask AWS which one it bills.');
  if (!first) return withoutSuccess(record, evidence, window, act, nowMs);
  const aws = first.quantity;
  if (record.status === 'disputed') {
    return unchanged(`AWS holds ${aws}, ours is ${ours}. Settle the dispute with AWS's quantity of ${aws}.`);
  }
  if (aws === ours) return honoured(record, first, act, nowMs);
  if (record.reason === ACCEPTED && aws > ours) {
    return unchanged(
      `It was accepted, and AWS holds ${aws}, ours is ${ours}. A credit of ${aws - ours} makes good for it.`,
    );
  }
  const after: SealedHour = {
    ...withoutWaiting(record),
    status: 'disputed',
    reason: `awsHolds:${aws}`,
    settledAt: nowMs,
  };
  return amend(after, record, { from: record.status, to: 'disputed', ours, aws }, act, nowMs);
}

/** The submissions that AWS metered. One that names the account alone counts only where its quantity is ours. */
function meteredOf({ own, byAccount }: Evidence, ours: number): TrailRecord[] {
  const metered = own.filter(({ answer }) => answer === 'metered');
  if (metered.length > 0) return metered;
  return byAccount.filter(({ answer, quantity }) => answer === 'metered' && quantity === ours);
}

function honoured(record: SealedHour, { meteringRecordId }: TrailRecord, act: Act, nowMs: number): ConfirmDecision {
  const after: SealedHour = {
    ...withoutWaiting(record),
    status: 'honoured',
    settledAt: nowMs,
    ...(meteringRecordId === undefined ? {} : { meteringRecordId }),
  };
  const facts = { from: record.status, to: 'honoured', quantity: standingQuantity(record) };
  return amend(after, record, meteringRecordId === undefined ? facts : { ...facts, meteringRecordId }, act, nowMs);
}

/** AWS's log shows no record that it took. Only a log that is complete around every attempt says that there is none. */
function withoutSuccess(
  record: SealedHour,
  { own, byAccount, elsewhere }: Evidence,
  window: TrailWindow | undefined,
  act: Act,
  nowMs: number,
): ConfirmDecision {
  const isShown = (answer: TrailRecord['answer']) => own.some((each) => each.answer === answer);
  if (isShown('duplicate'))
    return unchanged('The file shows only that AWS holds a record. Read the calls before those, too.');
  const [foreign] = elsewhere;
  if (foreign)
    return unchanged(
      `AWS took ${foreign.quantity} for it in ${foreign.region}, where we never send it. Find who does.`,
    );
  if (byAccount.some(({ answer }) => answer !== 'refused')) {
    return unchanged('The file names the buyer by account alone, which does not tell whose record it is.');
  }
  if (isShown('unknown'))
    return unchanged('The file shows a call that failed at AWS, which does not tell whether it was metered.');
  if (record.status !== 'uncertain') return unchanged('The file does not show it.');
  const times = Object.values(record.attempts).map(({ at }) => at);
  const [from, to] = [Math.min(...times) - MARGIN_MS, Math.max(...times) + MARGIN_MS];
  if (!window || window.from > from || window.to < to) {
    return unchanged(
      `The file does not show it, and may leave calls out. State a window that it covers completely, from ${instant(from)} to ${instant(to)} at least.`,
    );
  }
  const after: SealedHour = { ...withoutWaiting(record), status: 'expired', reason: ABSENT_AT_AWS, settledAt: nowMs };
  return amend(after, record, { from: 'uncertain', to: 'expired', quantity: record.record.quantity }, act, nowMs);
}

function amend(
  after: SealedHour,
  before: SealedHour,
  facts: Readonly<Record<string, string | number>>,
  act: Act,
  nowMs: number,
): ConfirmDecision {
  const audit = auditOf(act, 'confirm', before, nowMs, facts);
  return { kind: 'amend', amendment: { after, carries: [], onlyInto: 'any', audit } };
}

function unchanged(message: string): ConfirmDecision {
  return { kind: 'unchanged', message };
}

/** A log of calls by what it tells of, so that a record's part of it is found without a scan. */
export class Trail {
  readonly #byLicence = new Map<string, TrailRecord[]>();
  readonly #byAccount = new Map<string, TrailRecord[]>();

  constructor(records: Iterable<TrailRecord>) {
    for (const record of records) {
      const { licenceKey, accountId } = record;
      if (licenceKey !== undefined) note(this.#byLicence, placeOf(licenceKey, record), record);
      else if (accountId !== undefined) note(this.#byAccount, placeOf(accountId, record), record);
    }
  }

  /** Whether any call named an account alone, for this account, dimension and hour. */
  namesAccount(accountId: string, of: Pick<SealedHour, 'dimension' | 'hour'>): boolean {
    return this.#byAccount.has(placeOf(accountId, of));
  }

  /** `accountId`: the account that the record is of, where that is known. */
  evidenceOf(record: SealedHour, accountId: string | undefined): Evidence {
    const named = this.#byLicence.get(placeOf(record.licenceKey, record)) ?? [];
    const isHere = ({ region }: TrailRecord) => region === record.meteringRegion;
    const byAccount = accountId === undefined ? [] : (this.#byAccount.get(placeOf(accountId, record)) ?? []);
    // Products that are metered by customer have one record for account and identifier alike.
    const isOwn = record.identityStyle === 'legacy';
    return {
      own: [...named, ...(isOwn ? byAccount : [])].filter(isHere),
      byAccount: isOwn ? [] : byAccount.filter(isHere),
      elsewhere: named.filter((each) => !isHere(each) && each.answer === 'metered'),
    };
  }
}

function note(map: Map<string, TrailRecord[]>, key: string, record: TrailRecord): void {
  const known = map.get(key);
  if (known) known.push(record);
  else map.set(key, [record]);
}

function placeOf(name: string, { dimension, hour }: Pick<SealedHour, 'dimension' | 'hour'>): string {
  return `${name}\n${hour}\n${dimension}`;
}
