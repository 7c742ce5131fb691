// Reads:       the act's audit line, the record as it stands, and its licence
// Writes:      the record, its carries and its audit line, or none of it; then marks: its hour is to be summarised, and
//              the one that the carries went into is to be looked at
// Once per:    action id
// If it stops: the same act, under the same id, is done once, or answers "already"
import type { ActionKind, Amendment, AuditEntry } from '../../domain/amendment.ts';
import { type HourStart, hourEndMs } from '../../domain/hour.ts';
import { shardOf } from '../../domain/keys.ts';
import type { Carry, SealedHour } from '../../domain/ledger.ts';
import type { MeteringPolicy } from '../../domain/metering-policy.ts';
import { type Act, actProblem, type Decision, type Refused, refuse } from '../../domain/operations/act.ts';
import type { Surroundings } from '../../domain/operations/carry-target.ts';
import type { Products } from '../../domain/product.ts';
import type { CustomerStore, LedgerStore, WorkStore } from '../ports.ts';

export interface AmendPorts {
  readonly ledger: Pick<LedgerStore, 'sealed' | 'amend' | 'action'>;
  readonly customers: Pick<CustomerStore, 'licence'>;
  readonly work: Pick<WorkStore, 'markLate' | 'markTouched'>;
  readonly clock: () => number;
  readonly products: Products;
  readonly policy: MeteringPolicy;
}

/** The record that an act is on. */
export interface RecordName {
  readonly hour: HourStart;
  readonly licenceKey: string;
  readonly dimension: string;
}

/** Whether an act is done, or only told what it would change. */
export interface Doing {
  readonly dryRun?: boolean;
}

export type ActOutcome =
  | Refused
  | {
      /** `planned`: nothing was written, and this is what would be. */
      readonly kind: 'planned' | 'done';
      readonly before: SealedHour;
      readonly after: SealedHour;
      readonly carries: readonly Carry[];
      readonly advice?: string;
    }
  | { readonly kind: 'already'; readonly audit: AuditEntry };

/** A record that keeps changing is being sent; by the fifth look that has come to an end. */
const ROUNDS = 5;

/** Decides on the record as it stands and writes what was decided; decides anew where it has moved meanwhile. */
export async function amendRecord(
  ports: AmendPorts,
  name: RecordName,
  { act, action, dryRun }: Doing & { readonly act: Act; readonly action: ActionKind },
  decide: (record: SealedHour) => Decision,
): Promise<ActOutcome> {
  const known = await knownAct(ports, act, action, name);
  if (known) return known;
  for (let round = 0; round < ROUNDS; round++) {
    const before = await ports.ledger.sealed(name.hour, name.licenceKey, name.dimension);
    if (!before) return notSealed(name);
    const decision = decide(before);
    if (decision.kind === 'refused') return decision;
    const { amendment, advice } = decision;
    const { after, carries } = amendment;
    const change = { before, after, carries, ...(advice === undefined ? {} : { advice }) };
    if (dryRun) return { kind: 'planned', ...change };
    const written = await ports.ledger.amend(before, amendment);
    if (written === 'amended') {
      await ports.work.markTouched([name.hour]);
      await markTarget(ports, carries);
      return { kind: 'done', ...change };
    }
    if (written === 'targetSealed') return targetSealed(amendment);
    const done = written === 'already' ? await knownAct(ports, act, action, name) : undefined;
    if (done) return done;
  }
  return refuse(
    'moved',
    'The record kept changing while it was looked at: it is being sent. Nothing was written; do it again.',
  );
}

/** What an act was, where it is done already; a refusal where its id belongs to another. */
export async function knownAct(
  { ledger }: { readonly ledger: Pick<LedgerStore, 'action'> },
  act: Act,
  action: ActionKind,
  of: Partial<RecordName>,
): Promise<ActOutcome | undefined> {
  const problem = actProblem(act);
  if (problem) return problem;
  const audit = await ledger.action(act.actionId);
  if (!audit) return undefined;
  const isSame = audit.licenceKey === of.licenceKey && audit.dimension === of.dimension && audit.hour === of.hour;
  if (isSame && audit.action === action) return { kind: 'already', audit };
  return refuse(
    'actionIdTaken',
    `The act's id ${act.actionId} stands for another act (${audit.action}). Leave it out to have one made.`,
  );
}

/** What is known around a record, as of now. */
export async function surroundingsOf(
  { customers, products, clock, policy }: Pick<AmendPorts, 'customers' | 'products' | 'clock' | 'policy'>,
  licenceKey: string,
): Promise<Surroundings> {
  const licence = await customers.licence(licenceKey);
  return { licence, product: licence && products.get(licence.productCode), nowMs: clock(), policy };
}

/** The hour that took the carries may have had its looks; where the marker is lost, the fixed looks find them later. */
async function markTarget(
  { work, clock }: Pick<AmendPorts, 'work' | 'clock'>,
  carries: readonly Carry[],
): Promise<void> {
  const [first] = carries;
  if (first && hourEndMs(first.hour) <= clock()) await work.markLate(first.hour, shardOf(first.licenceKey));
}

function notSealed({ hour, licenceKey, dimension }: RecordName): Refused {
  return refuse(
    'notSealed',
    `Hour ${hour} of licence ${licenceKey} is not sealed for dimension '${dimension}'. Check the names, or wait for its close.`,
  );
}

function targetSealed({ carries }: Amendment): Refused {
  return refuse(
    'targetSealed',
    `Hour ${carries[0]?.hour ?? ''} is the last that could take the units, and it is sealed by now. Bill them in another way.`,
  );
}
