// Reads:       the ledger of a range of hours, the licences of what waits for AWS's word, and AWS's log as handed in
// Writes:      each record that the log settles, with its audit line
// Once per:    action id and record
// If it stops: the same act goes on with the records that are not settled
import { hash } from 'node:crypto';
import type { SealedHour } from '../../domain/ledger.ts';
import { identityOf } from '../../domain/metering-batch.ts';
import { type Act, actProblem, partOf, type Refused } from '../../domain/operations/act.ts';
import {
  type ConfirmDecision,
  decideConfirm,
  isToConfirm,
  Trail,
  type TrailWindow,
  windowProblem,
} from '../../domain/operations/confirm.ts';
import type { CallTrail } from '../../domain/operations/submitted-usage.ts';
import type { CustomerStore, LedgerStore, WorkStore } from '../ports.ts';
import type { Doing } from './amend-record.ts';
import { type HourRange, rangeProblem, sealedHoursOf } from './ledger-range.ts';

interface ConfirmPorts {
  readonly ledger: Pick<LedgerStore, 'entries' | 'sealed' | 'amend'>;
  readonly customers: Pick<CustomerStore, 'licence'>;
  readonly work: Pick<WorkStore, 'markTouched'>;
  readonly clock: () => number;
}

interface ConfirmTerms extends Doing {
  readonly range: HourRange;
  readonly trail: CallTrail;
  /** The time of which the log holds every call, where the caller can say so. */
  readonly window?: TrailWindow;
}

interface ConfirmedLine {
  readonly before: SealedHour;
  /** What it is now, or would be; absent where nothing changes. */
  readonly after?: SealedHour;
  /** Why nothing changes. */
  readonly message?: string;
}

export type ConfirmOutcome =
  | Refused
  | { readonly kind: 'planned' | 'done'; readonly lines: readonly ConfirmedLine[]; readonly changed: number };

const MOST_HOURS = 744;
const ROUNDS = 3;

/** Settles what is presumed or uncertain by what AWS's own log says of it; lists what it leaves as it is, and why. */
export async function confirm(ports: ConfirmPorts, terms: ConfirmTerms, act: Act): Promise<ConfirmOutcome> {
  const { range, window, dryRun = false } = terms;
  const problem =
    actProblem(act) ??
    rangeProblem(range, MOST_HOURS) ??
    (window && windowProblem(window, terms.trail.unread.length, ports.clock()));
  if (problem) return problem;
  const trail = new Trail(terms.trail.records);
  const { waiting, sharing } = await readRange(ports, range, trail);
  const lines: ConfirmedLine[] = [];
  for (const record of waiting) {
    const accountId = await accountOf(ports, record, sharing);
    const decide = (now: SealedHour) => {
      const own = partOf(act, hash('sha256', identityOf(now)).slice(0, 16));
      return decideConfirm(now, trail.evidenceOf(now, accountId), window, own, ports.clock());
    };
    lines.push(dryRun ? lineOf(record, decide(record)) : await write(ports, record, decide));
  }
  const changed = lines.filter(({ after }) => after !== undefined);
  if (!dryRun) await ports.work.markTouched(changed.map(({ before }) => before.hour));
  return { kind: dryRun ? 'planned' : 'done', lines, changed: changed.length };
}

/** What waits for AWS's word, and how many licences share an account that the log names alone. */
async function readRange({ ledger }: ConfirmPorts, range: HourRange, trail: Trail) {
  const waiting: SealedHour[] = [];
  const sharing = new Map<string, number>();
  for await (const sealed of sealedHoursOf(ledger, range)) {
    if (isToConfirm(sealed)) waiting.push(sealed);
    const accountId = sealed.record.customerAwsAccountId;
    if (accountId === undefined || !trail.namesAccount(accountId, sealed)) continue;
    const key = sharedKey(accountId, sealed);
    sharing.set(key, (sharing.get(key) ?? 0) + 1);
  }
  // Other licences of the account stand in other shards, which a look at one licence does not read.
  return { waiting, sharing: range.licenceKey === undefined ? sharing : new Map<string, number>() };
}

function sharedKey(accountId: string, { hour, dimension }: SealedHour): string {
  return `${accountId} ${hour} ${dimension}`;
}

/** The account of a record, unless several licences of it have the same dimension in the hour. */
async function accountOf(
  { customers }: ConfirmPorts,
  record: SealedHour,
  sharing: ReadonlyMap<string, number>,
): Promise<string | undefined> {
  const named = record.record.customerAwsAccountId;
  if (record.identityStyle === 'legacy') return (await customers.licence(record.licenceKey))?.customerAwsAccountId;
  return named !== undefined && sharing.get(sharedKey(named, record)) === 1 ? named : undefined;
}

function lineOf(before: SealedHour, decision: ConfirmDecision): ConfirmedLine {
  return decision.kind === 'amend'
    ? { before, after: decision.amendment.after }
    : { before, message: decision.message };
}

async function write(
  { ledger }: ConfirmPorts,
  read: SealedHour,
  decide: (record: SealedHour) => ConfirmDecision,
): Promise<ConfirmedLine> {
  let record = read;
  for (let round = 0; round < ROUNDS; round++) {
    const decision = decide(record);
    if (decision.kind === 'unchanged') return lineOf(record, decision);
    const written = await ledger.amend(record, decision.amendment);
    if (written === 'amended') return lineOf(record, decision);
    const now = await ledger.sealed(record.hour, record.licenceKey, record.dimension);
    if (!now || !isToConfirm(now)) return { before: record, message: 'It was settled in another way meanwhile.' };
    record = now;
  }
  return { before: record, message: 'It kept changing meanwhile. Confirm it again.' };
}
