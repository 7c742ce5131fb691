// What the old table and AWS's log tell of the old stack's sends, by licence.
import { DAY_MS, type HourStart, MINUTE_MS } from '../../domain/hour.ts';
import { lackingInLog, type NotedAnswer, type Pending } from '../../domain/migration/untold-sends.ts';
import { type Refused, refuse } from '../../domain/operations/act.ts';
import type { ReportedUsage } from '../../domain/operations/reported-usage.ts';
import type { NamedOf } from './migrate-buyer.ts';
import type { RecordSurvey } from './survey.ts';

interface KnownSends {
  readonly pending: readonly Pending[];
  readonly answers: readonly NotedAnswer[];
  readonly reported: readonly ReportedUsage[];
  /** Of AWS's log, what is of the old stack's hours. */
  readonly theirs: readonly ReportedUsage[];
}

export function knownSends(records: RecordSurvey, reported: readonly ReportedUsage[], of: NamedOf): KnownSends {
  const untils = new Map<string, HourStart | undefined>();
  const licenceOf = (customerIdentifier: string) => {
    const named = of(customerIdentifier);
    if (named.kind === 'unnamed') return undefined;
    untils.set(named.licenceKey, named.product.rehearsal?.until);
    return named.licenceKey;
  };
  const pending = records.pending.flatMap((record) => {
    const licenceKey = licenceOf(record.key.customerIdentifier);
    return licenceKey === undefined ? [] : [{ ...record, licenceKey }];
  });
  const answers = records.answers.flatMap((answer) => {
    const licenceKey = licenceOf(answer.customerIdentifier);
    return licenceKey === undefined ? [] : [{ ...answer, licenceKey }];
  });
  const isTheirs = ({ licenceKey = '', hour }: ReportedUsage) => hour < (untils.get(licenceKey) ?? LAST_HOUR);
  return { pending, answers, reported, theirs: reported.filter(isTheirs) };
}

/** Sorts after every hour: a product without a cut-over hour has been billed by the old stack alone. */
const LAST_HOUR = '~';

/** AWS's log is a quarter of an hour late, and usage is taken over within a day. */
const LOG_LATE_MS = 15 * MINUTE_MS;

/** Refuses a log that lacks what the old table tells as billed. */
export function logRefusal({ answers, reported }: KnownSends, nowMs: number): Refused | undefined {
  const settled = answers.filter(({ sentAtMs = nowMs }) => sentAtMs <= nowMs - LOG_LATE_MS);
  const lacking = lackingInLog(settled, reported, nowMs - DAY_MS);
  if (lacking === 0) return undefined;
  return refuse(
    'logIncomplete',
    `AWS's log lacks ${lacking} amounts of the last day that the old table tells as billed: it is not whole, and could lack what was never noted, too. Get all calls of the region that the old stack meters in, of the last day and up to a quarter of an hour after its last run, with the names of customers.`,
  );
}
