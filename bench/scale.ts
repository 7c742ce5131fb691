// What a deployment uses and costs in a month, at any size: from counts of one hour, at published prices. No measuring here.
import { CALLS_PER_SECOND, MAX_RECORDS_PER_CALL } from '../lambdas/domain/marketplace-limits.ts';
import * as prices from '../operator/aws-prices.ts';

export interface Size {
  readonly customers: number;
  readonly eventsAMonth: number;
}

export const SIZES: readonly Size[] = [
  { customers: 10, eventsAMonth: 100_000 },
  { customers: 1_000, eventsAMonth: 10_000_000 },
  { customers: 100_000, eventsAMonth: 1_000_000_000 },
];

/** Each customer uses so many dimensions in every hour: the most records that can come of it. */
const DIMENSIONS = 3;
const EVENTS_A_REPORT = 500;

/** As counted by bench/scale-counts.ts; test/bench/scale.test.ts counts anew, at other sizes. */
const COUNTED = {
  writesAnEvent: 1,
  /** Sealed: the item and its index entry. Sent: intent, result, and the index entry that goes. */
  writesARecord: 5,
  writesAnHour: 5,
  /** A report reads the licence of each customer in it. */
  readsACustomerReported: 1.02,
  readsAnEventLookedAt: 0.087,
  readsARecord: 0.44 + 1.04,
  /** Three looks at 64 partitions, and the sender's own. */
  readsAnHour: 405,
};

/** Written down elsewhere, or guessed where nobody has measured on AWS: docs/cost.md says which. */
const TAKEN = {
  /** docs/data.md: day and month, some units the larger of them, each hour read twice. */
  summaryWritesARecord: 5,
  summaryReadsARecord: 1,
  /** docs/alarms.md. */
  watchReadsAMonth: 1_200_000,
  /** Four functions each minute, and those each 5, 15 and 60 minutes. */
  scheduledRuns: 4 * 43_800 + 8_760 + 2_920 + 730,
  secondsARun: 1,
  secondsAnEvent: 0.0057,
  secondsARecord: 0.005,
  functionGb: 0.5,
  bytesAnEvent: 300,
  bytesARecord: 800,
  bytesALine: 600,
  eventsKeptMonths: 400 / 30.4,
  alarms: 60,
  metrics: 34,
  webAclRules: 1,
  secrets: 1,
  /** The busiest second beside the mean. */
  peak: 5,
};

const GB = 1_000_000_000;

interface HourOfUsage {
  readonly customers: number;
  readonly events: number;
  readonly records: number;
  readonly reports: number;
}

/** What metering writes and reads for one hour of usage, summaries left out. */
export function hourUnits({ customers, events, records, reports }: HourOfUsage) {
  // Where there are more customers than reports, each customer's events stand in one report, or run over into the next.
  const named = Math.min(events, customers + reports - 1);
  return {
    writes: events * COUNTED.writesAnEvent + records * COUNTED.writesARecord + COUNTED.writesAnHour,
    reads:
      named * COUNTED.readsACustomerReported +
      events * COUNTED.readsAnEventLookedAt +
      records * COUNTED.readsARecord +
      COUNTED.readsAnHour,
  };
}

interface Line {
  readonly what: string;
  readonly amount: number;
  readonly dollars: number;
}

interface Limit {
  readonly what: string;
  /** Of what is allowed, at the busiest. */
  readonly share: number;
  readonly moves: string;
}

export function monthOf({ customers, eventsAMonth }: Size): {
  readonly lines: readonly Line[];
  readonly limits: readonly Limit[];
} {
  const hours = prices.HOURS_A_MONTH;
  const events = eventsAMonth / hours;
  const records = customers * DIMENSIONS;
  const reports = Math.max(1, events / EVENTS_A_REPORT);
  const hour = hourUnits({ customers, events, records, reports });
  const monthRecords = records * hours;
  const writes = hour.writes * hours + monthRecords * TAKEN.summaryWritesARecord;
  const reads = hour.reads * hours + monthRecords * TAKEN.summaryReadsARecord + TAKEN.watchReadsAMonth;
  const requests = reports * hours;
  const runs = requests + TAKEN.scheduledRuns;
  const seconds =
    TAKEN.scheduledRuns * TAKEN.secondsARun + eventsAMonth * TAKEN.secondsAnEvent + monthRecords * TAKEN.secondsARecord;
  const storedGb =
    (eventsAMonth * TAKEN.bytesAnEvent * TAKEN.eventsKeptMonths + monthRecords * TAKEN.bytesARecord * 12) / GB;
  const loggedGb = ((runs * 2 + monthRecords / MAX_RECORDS_PER_CALL) * TAKEN.bytesALine) / GB;
  const fixed =
    TAKEN.alarms * prices.ALARM +
    TAKEN.metrics * prices.METRIC +
    prices.DASHBOARD +
    prices.WEB_ACL +
    TAKEN.webAclRules * prices.WEB_ACL_RULE +
    TAKEN.secrets * prices.SECRET;
  const lines = [
    { what: 'requests of `POST /usage`', amount: requests, dollars: requests * prices.API_REQUEST },
    { what: 'write units of DynamoDB', amount: writes, dollars: writes * prices.WRITE_UNIT },
    { what: 'read units of DynamoDB', amount: reads, dollars: reads * prices.READ_UNIT },
    {
      what: 'seconds of Lambda, at 512 MB',
      amount: seconds,
      dollars: seconds * TAKEN.functionGb * prices.LAMBDA_GB_SECOND + runs * prices.LAMBDA_REQUEST,
    },
    { what: 'GB of logs', amount: loggedGb, dollars: loggedGb * prices.LOGGED_GB },
    { what: 'alarms, metrics, dashboard, web ACL, secret', amount: TAKEN.alarms + TAKEN.metrics, dollars: fixed },
    {
      what: 'GB stored and recoverable, after 13 months',
      amount: storedGb,
      dollars: storedGb * (prices.STORED_GB + prices.RECOVERABLE_GB),
    },
  ];
  return { lines, limits: limitsOf({ events, records, reports }) };
}

/** DynamoDB, of a table that has just been made: it doubles by itself. */
const WRITES_A_SECOND_AT_FIRST = 4_000;
const USAGE_THROTTLE = 200;
const CONCURRENT_AT_FIRST = 1_000;

function limitsOf({ events, records, reports }: Pick<HourOfUsage, 'events' | 'records' | 'reports'>): readonly Limit[] {
  const perSecond = (anHour: number) => anHour / 3_600;
  const peakEvents = perSecond(events) * TAKEN.peak;
  const limits = [
    {
      what: 'calls of BatchMeterUsage',
      share: perSecond(records / MAX_RECORDS_PER_CALL) / CALLS_PER_SECOND,
      moves: 'AWS’s quota (Service Quotas), then `meteringPolicy.callsPerSecond`; fewer dimensions',
    },
    {
      what: 'writes a second of a new usage table',
      share: peakEvents / WRITES_A_SECOND_AT_FIRST,
      moves: 'by itself, twice as much half an hour later; warm throughput before a launch; sum up before reporting',
    },
    {
      what: 'requests a second of `POST /usage`',
      share: (perSecond(reports) * TAKEN.peak) / USAGE_THROTTLE,
      moves: '`usageThrottle`; larger reports',
    },
    {
      what: 'concurrent Lambda functions',
      share: (peakEvents * TAKEN.secondsAnEvent + 7) / CONCURRENT_AT_FIRST,
      moves: 'the account’s quota; the direct writer, which needs none',
    },
  ];
  return limits.sort((one, other) => other.share - one.share);
}

/** How many customers of the same habits a limit lets in. */
function customersAt({ customers }: Size, { share }: Limit): number {
  return customers / share;
}

/** The tables of docs/cost.md. */
export function scaleTables(sizes: readonly Size[] = SIZES): string {
  const months = sizes.map((size) => ({ size, ...monthOf(size) }));
  const heads = sizes.map(({ customers }) => `${whole(customers)} customers`);
  const [largest] = months.slice(-1);
  const lines = (months[0]?.lines ?? []).map(({ what }, index) =>
    row([what, ...months.map(({ lines: own }) => cell(own[index]))]),
  );
  const totals = months.map(({ lines: own }) => `**${money(own.reduce((sum, { dollars }) => sum + dollars, 0))}**`);
  const limits = (largest?.limits ?? []).map(({ what, moves }) =>
    row([
      what,
      ...months.map(({ limits: own }) => percent(own.find((each) => each.what === what)?.share ?? 0)),
      largest ? whole(Math.round(customersAt(largest.size, atLimit(largest.limits, what)) / 1_000) * 1_000) : '',
      moves,
    ]),
  );
  return [
    row(['a month', ...heads]),
    row(['---', ...heads.map(() => '---')]),
    row(['events', ...sizes.map(({ eventsAMonth }) => short(eventsAMonth))]),
    ...lines,
    row(['**in all**', ...totals]),
    '',
    row(['of what is allowed, at the busiest', ...heads, 'full at customers', 'what moves it']),
    row(['---', ...heads.map(() => '---'), '---', '---']),
    ...limits,
    '',
  ].join('\n');
}

function atLimit(limits: readonly Limit[], what: string): Limit {
  return limits.find((each) => each.what === what) ?? { what, share: 1, moves: '' };
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function cell(line: Line | undefined): string {
  return line ? `${short(line.amount)}: ${money(line.dollars)}` : '';
}

function money(dollars: number): string {
  return `$${dollars.toLocaleString('en-US', dollars < 100 ? { minimumFractionDigits: 2, maximumFractionDigits: 2 } : { maximumFractionDigits: 0 })}`;
}

function percent(share: number): string {
  return share < 0.001 ? 'under 0.1 %' : `${(share * 100).toFixed(1)} %`;
}

/** Three digits are as many as the counts bear. */
function short(amount: number): string {
  if (amount >= 1_000_000_000) return `${Number((amount / 1_000_000_000).toPrecision(3))} billion`;
  if (amount >= 1_000_000) return `${Number((amount / 1_000_000).toPrecision(3))} million`;
  return whole(Number(amount.toPrecision(3)));
}

function whole(amount: number): string {
  return amount.toLocaleString('en-US');
}

/** For npm run bench -- --only scale. */
export function benchScale(): { what: string; customers: number; amount: number; dollars: number }[] {
  return SIZES.flatMap((size) =>
    monthOf(size).lines.map(({ what, amount, dollars }) => ({ what, customers: size.customers, amount, dollars })),
  );
}
