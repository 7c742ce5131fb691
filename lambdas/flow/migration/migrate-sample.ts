// Reads:       the old stack's tables, twice where usage is taken over
// Writes:      the audit line; then customers; then the usage of pending records, each after its mark
// Once per:    see migrate-buyer and take-over-usage; the line once per action id
// If it stops: the same again does what is left
import { type HourStart, hourOf, hourStartMs } from '../../domain/hour.ts';
import type { MalformedRecord } from '../../domain/migration/old-record.ts';
import { nameOf, untoldRecords } from '../../domain/migration/untold-sends.ts';
import { type Act, actProblem, auditOf, type Refused, refuse } from '../../domain/operations/act.ts';
import type { ReportedUsage } from '../../domain/operations/reported-usage.ts';
import type { LedgerStore } from '../ports.ts';
import { knownSends, logRefusal } from './known-sends.ts';
import { type MigrateBuyerPorts, migrateBuyer, type Named, type NamedOf, nameOfBuyer } from './migrate-buyer.ts';
import type { Report } from './report.ts';
import {
  type BuyerSurvey,
  firstUses,
  lastAnswers,
  movedSince,
  type RecordSurvey,
  surveyBuyers,
  surveyRecords,
} from './survey.ts';
import { putTaken, type TakeOverPorts, takeOver } from './take-over-usage.ts';

export type MigratePorts = MigrateBuyerPorts &
  TakeOverPorts & {
    readonly ledger: Pick<LedgerStore, 'action' | 'noteAction'>;
    /** Waits between the two looks at the old table. */
    readonly pause: () => Promise<void>;
  };

export interface Migration {
  /** Absent for a dry run. */
  readonly act?: Act;
  /** Pending records are taken over: their sender has been switched off. */
  readonly takesUsage: boolean;
  /** The product of rows that name none. */
  readonly productCode?: string;
  /** What AWS's own log shows; undefined where none was given. */
  readonly reported?: readonly ReportedUsage[];
}

export type MigrationOutcome = Refused | { readonly kind: 'done' | 'planned'; readonly unmatched: number };

/** Brings the buyers and the unsent usage of AWS's serverless sample here. Tells of each row. A repeat adds nothing. */
export async function migrateSample(
  ports: MigratePorts,
  { act, takesUsage, productCode, reported }: Migration,
  tell: Report,
): Promise<MigrationOutcome> {
  const problem = act && (actProblem(act) ?? (await takenRefusal(ports, act)));
  if (problem) return problem;
  const looksTwice = act !== undefined && takesUsage;
  const first = looksTwice ? await surveyRecords(ports.tables, silent) : undefined;
  const buyers = await surveyBuyers(ports.tables);
  const of = (customerIdentifier: string) =>
    nameOfBuyer(customerIdentifier, buyers.buyers.get(customerIdentifier)?.productCode ?? productCode, ports.products);
  const report: Report = async (line) => {
    const named = of(line.customerIdentifier);
    await tell(named.kind === 'named' ? { productCode: named.product.productCode, ...line } : line);
  };
  if (first) {
    const tooSoon = timeRefusal(ports, first, of);
    if (tooSoon) return tooSoon;
    await ports.pause();
  }
  const records = await surveyRecords(ports.tables, report);
  const moved = first ? movedSince(first, records) : 0;
  if (moved > 0) {
    return refuse(
      'oldSenderRuns',
      `${moved} pending records of the old table were sent while it was looked at: its sender runs. Switch off its schedule and its queue's function, wait until no message is left, and run this again.`,
    );
  }
  const known = knownSends(records, reported ?? [], of);
  const isPartial = reported !== undefined && logRefusal(known, ports.clock());
  if (isPartial) return isPartial;
  if (act) await noteAct(ports, act, buyers, records);
  await bringBuyers(ports, buyers, { of, records, isApplied: act !== undefined }, report);
  for (const record of records.malformed) await tellMalformed(record, report);
  await sideBySide(records.taken, async (record) => {
    const named = of(record.key.customerIdentifier);
    if (act) await putTaken(ports, record, named, report);
    else for (const amount of record.amounts) await report({ ...takenBefore, ...record.key, ...amount });
  });
  const doubts = untoldRecords(known.pending, known.answers, known.theirs);
  await sideBySide(records.pending, async (record) => {
    const named = onlyKnown(of(record.key.customerIdentifier), record.key, buyers);
    const doubt = doubts.get(nameOf(record.key));
    await takeOver(ports, record, { named, doubt, act: takesUsage ? act : undefined }, report);
  });
  const unmatched = known.reported.filter(({ licenceKey }) => licenceKey === undefined).length;
  return { kind: act ? 'done' : 'planned', unmatched };
}

const silent: Report = async () => {};
const takenBefore = {
  row: 'record',
  fate: 'takenBefore',
  code: 'marked',
  message: 'It was taken over before.',
} as const;

/** A buyer whom no row of the subscribers names is none of those who come over. */
function onlyKnown(
  named: Named,
  { customerIdentifier }: { customerIdentifier: string },
  { buyers }: BuyerSurvey,
): Named {
  if (named.kind === 'unnamed' || buyers.has(customerIdentifier)) return named;
  const message = 'No row of the subscribers names this buyer. Make one there, or wait for its registration here.';
  return { kind: 'unnamed', code: 'buyerUnknown', message };
}

/** The old sender stamps with the time of sending: its last hour has to lie before the first one of ours. */
function timeRefusal({ clock }: MigratePorts, { pending, answers }: RecordSurvey, of: NamedOf): Refused | undefined {
  const untils = new Map<string, HourStart>();
  for (const { key } of pending) {
    const named = of(key.customerIdentifier);
    if (named.kind === 'unnamed') continue;
    const { productCode, rehearsal } = named.product;
    if (rehearsal?.until === undefined) {
      return refuse(
        'cutOverUnset',
        `Product ${productCode} has no cut-over hour. Set rehearsal: { mode: 'shadow', until: HOUR } and deploy; from HOUR on this deployment bills.`,
      );
    }
    untils.set(productCode, rehearsal.until);
    if (clock() < hourStartMs(rehearsal.until)) {
      return refuse(
        'hourTooSoon',
        `The cut-over of product ${productCode} is at ${rehearsal.until}, which has not begun. Run this again then: until it begins, usage is recorded at the old stack.`,
      );
    }
  }
  for (const { customerIdentifier, sentAtMs } of answers) {
    const named = of(customerIdentifier);
    const until = named.kind === 'named' ? untils.get(named.product.productCode) : undefined;
    if (until !== undefined && sentAtMs !== undefined && hourOf(sentAtMs) >= until) {
      return refuse(
        'sentAfterCutOver',
        `The old stack sent usage in ${hourOf(sentAtMs)}, and the cut-over is at ${until}: AWS takes one record an hour, and that of ours would be a second. Set rehearsal.until to a later hour than the old stack's last one, deploy, and run this again.`,
      );
    }
  }
  return undefined;
}

async function noteAct({ ledger, clock }: MigratePorts, act: Act, buyers: BuyerSurvey, records: RecordSurvey) {
  const facts = {
    subscribers: buyers.buyers.size + buyers.malformed.length,
    pendingRecords: records.pending.length,
    takenRecords: records.taken.length,
  };
  await ledger.noteAction(auditOf(act, 'migrate', {}, clock(), facts));
}

async function bringBuyers(
  ports: MigratePorts,
  { buyers, malformed }: BuyerSurvey,
  { of, records, isApplied }: { readonly of: NamedOf; readonly records: RecordSurvey; readonly isApplied: boolean },
  report: Report,
): Promise<void> {
  for (const { customerIdentifier, message } of malformed) {
    await report({ row: 'buyer', fate: 'refused', code: 'malformed', message, customerIdentifier });
  }
  const [last, first] = [lastAnswers(records), firstUses(records)];
  await sideBySide([...buyers], async ([customerIdentifier, old]) => {
    const told = await migrateBuyer(ports, old, of(customerIdentifier), {
      isApplied,
      last: last.get(customerIdentifier),
      firstUsedAt: first.get(customerIdentifier),
      nowMs: ports.clock(),
    });
    await report({ row: 'buyer', customerIdentifier, ...told });
  });
}

async function takenRefusal({ ledger }: MigratePorts, { actionId }: Act): Promise<Refused | undefined> {
  const noted = await ledger.action(actionId);
  if (!noted || noted.action === 'migrate') return undefined;
  return refuse('actionIdTaken', `The act's id ${actionId} stands for another act (${noted.action}).`);
}

/** Enough to keep both databases busy; memory and their capacity hold no more at once. */
const SIDE_BY_SIDE = 16;

/** Some at a time. Where one fails, those beside it are waited for, and none is begun after them. */
async function sideBySide<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += SIDE_BY_SIDE) {
    const ended = await Promise.allSettled(items.slice(from, from + SIDE_BY_SIDE).map(task));
    const failed = ended.find((each) => each.status === 'rejected');
    if (failed) throw failed.reason;
  }
}

async function tellMalformed({ key, amounts, code, message }: MalformedRecord, report: Report): Promise<void> {
  const lines = amounts.length === 0 ? [{}] : amounts;
  for (const amount of lines) await report({ row: 'record', fate: 'refused', code, message, ...key, ...amount });
}
