// Reads:       the ledger of a range of hours, and the groups that are held
// Writes:      the records that waited, each with its audit line; late markers for the hours; one audit line of all
// Once per:    action id and record; a record that is due already is not written
// If it stops: the same act, under the same id, goes on with what is left

import { type HourStart, hourEndMs, hoursBetween } from '../../domain/hour.ts';
import type { SealedHour } from '../../domain/ledger.ts';
import { type Act, auditOf, type Refused } from '../../domain/operations/act.ts';
import { decideResubmit, type ResubmitStep } from '../../domain/operations/resubmit.ts';
import type { LedgerStore, WorkStore } from '../ports.ts';
import { knownAct } from './amend-record.ts';
import { type HourRange, rangeProblem, sealedHoursOf, shardsOf } from './ledger-range.ts';

interface ResubmitPorts {
  readonly ledger: Pick<LedgerStore, 'entries' | 'sealed' | 'amend' | 'action' | 'noteAction'>;
  readonly work: Pick<WorkStore, 'heldGroups' | 'markLate' | 'markTouched'>;
  readonly clock: () => number;
}

interface ResubmitTerms {
  readonly range: HourRange;
  /** Lets quarantined records out as well. */
  readonly releaseQuarantined?: boolean;
}

interface ResubmitLine {
  readonly record: SealedHour;
  readonly step: ResubmitStep;
}

export type ResubmitOutcome =
  | Refused
  | { readonly kind: 'done'; readonly counts: Readonly<Record<ResubmitStep['kind'], number>> };

/** Each hour of all customers is 64 markers, each of which costs a look. */
const MOST_HOURS = 48;
/** A month of one licence. */
const MOST_HOURS_OF_LICENCE = 744;

/** Record by record, what `resubmit` would do now. Writes nothing. */
export async function* planResubmit(
  ports: ResubmitPorts,
  { range, releaseQuarantined = false }: ResubmitTerms,
  act: Act,
): AsyncGenerator<ResubmitLine> {
  const heldGroups = new Set((await ports.work.heldGroups()).keys());
  for await (const record of sealedHoursOf(ports.ledger, range)) {
    yield { record, step: decideResubmit(record, { releaseQuarantined, heldGroups }, act, ports.clock()) };
  }
}

/** Has the records of a range tried again in the sender's next run, and its hours looked at again by the closer. */
export async function resubmit(ports: ResubmitPorts, terms: ResubmitTerms, act: Act): Promise<ResubmitOutcome> {
  const { range } = terms;
  const most = range.licenceKey === undefined ? MOST_HOURS : MOST_HOURS_OF_LICENCE;
  const problem = rangeProblem(range, most);
  if (problem) return problem;
  const { licenceKey, dimension } = range;
  const of = { ...(licenceKey === undefined ? {} : { licenceKey }), ...(dimension === undefined ? {} : { dimension }) };
  const known = await knownAct(ports, act, 'resubmit', of);
  if (known?.kind === 'refused') return known;
  const counts = { tryNow: 0, release: 0, due: 0, needsRelease: 0, locked: 0 };
  const heldGroups = new Set((await ports.work.heldGroups()).keys());
  const decide = (record: SealedHour) =>
    decideResubmit(record, { releaseQuarantined: terms.releaseQuarantined ?? false, heldGroups }, act, ports.clock());
  const released = new Set<HourStart>();
  for await (const record of sealedHoursOf(ports.ledger, range)) {
    const step = await write(ports, record, decide);
    counts[step] += 1;
    if (step === 'release') released.add(record.hour);
  }
  await ports.work.markTouched(released);
  for (const hour of hoursBetween(range.first, range.end)) {
    // A marker of an hour that still runs would stand until it ends, and ask for what happens then anyway.
    if (hourEndMs(hour) > ports.clock()) continue;
    await Promise.all(shardsOf(range).map((shard) => ports.work.markLate(hour, shard)));
  }
  const facts = { first: range.first, end: range.end, ...counts };
  await ports.ledger.noteAction(auditOf(act, 'resubmit', of, ports.clock(), facts));
  return { kind: 'done', counts };
}

const ROUNDS = 3;

/** Writes the step of one record; where it moved meanwhile, the sender has it in hand. */
async function write(
  { ledger }: ResubmitPorts,
  read: SealedHour,
  decide: (record: SealedHour) => ResubmitStep,
): Promise<ResubmitStep['kind']> {
  let record: SealedHour | undefined = read;
  for (let round = 0; record && round < ROUNDS; round++) {
    const step = decide(record);
    if (step.kind !== 'tryNow' && step.kind !== 'release') return step.kind;
    const written = await ledger.amend(record, step.amendment);
    if (written === 'amended') return step.kind;
    // Done before under this id, and waiting again since: the act was to try it once.
    if (written === 'already') return 'due';
    record = await ledger.sealed(record.hour, record.licenceKey, record.dimension);
  }
  return 'due';
}
