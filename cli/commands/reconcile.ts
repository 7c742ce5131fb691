// fulfillment reconcile: the ledger beside AWS's own record.
import { setTimeout as delay } from 'node:timers/promises';
import { addHours, HOUR_MS, type HourStart, hourEndMs, hourStartMs } from '../../lambdas/domain/hour.ts';
import { reconcile as reconcileHours } from '../../lambdas/flow/operations/reconcile.ts';
import type { Desk } from '../../operator/desk.ts';
import { atDesk, DEPLOYMENT } from '../at-desk.ts';
import { type AwsRecord, readReportFile, readTrailFiles, TrailCollector } from '../aws-record.ts';
import { defineCommand, type Terminal } from '../command.ts';
import { EXIT, UsageMistake } from '../exit.ts';
import { flag, type ValuesOf, value } from '../options.ts';
import { hoursOf, RANGE } from '../range.ts';
import { differencesOf, emptySum, openReport, type Sum } from '../reconcile-report.ts';

const OPTIONS = {
  cloudtrail: value('PATH', 'a file of CloudTrail events, or a folder as CloudTrail delivers it (.json, .json.gz)'),
  api: flag("look the calls up in CloudTrail's event history: 90 days, some 15 minutes late, two look-ups a second"),
  'seller-report': value(
    'FILE',
    "a usage report as CSV: the Daily Usage feed, the Usage dataset, or the dashboard's export",
  ),
  ...RANGE,
  product: value('CODE', 'compare this product alone; also the product of calls whose code the log leaves out'),
  dimension: value('NAME', 'compare this dimension alone'),
  csv: flag('every difference as a line of CSV'),
  json: flag('the answer as JSON'),
  ...DEPLOYMENT,
};

type Values = ValuesOf<typeof OPTIONS>;

const reconcile = defineCommand({
  name: 'reconcile',
  about: `Puts the ledger beside what AWS itself says it was told, by customer, dimension and hour (by day for a seller report):
only here, only at AWS, different, and what to do about each. Changes nothing.

--from and --to are hours of usage; without them those that AWS's record names. Usage of an hour is sent for up to a
day after it, so a log has to cover that day, too. Seller reports come one to two days late.

Exit codes: 0 no difference; 1 differences, or lines that could not be read; 2 wrong arguments or a file of another kind;
3 a fault, run it again.
`,
  options: OPTIONS,
  examples: [
    'fulfillment reconcile --api --stage prod --from 2026-11-22 --to 2026-11-22',
    'fulfillment reconcile --cloudtrail ./AWSLogs/111122223333/CloudTrail --stage prod --csv > differences.csv',
    'fulfillment reconcile --seller-report daily-usage.csv --stage prod --from 2026-11 --to 2026-11',
  ],
  run: async ({ values }, terminal) => {
    const format = formatOf(values);
    const source = sourceOf(values);
    return atDesk(values, terminal, async (desk) => {
      const record = await source(desk, terminal);
      const range = rangeOf(values, record, desk.clock());
      const { product, dimension } = values;
      const outcome = await reconcileHours(desk, {
        range: dimension === undefined ? range : { ...range, dimension },
        grain: record.grain,
        reported: record.reported.filter(
          ({ productCode }) => (product ?? productCode) === productCode || productCode === undefined,
        ),
        ...(product === undefined ? {} : { productCode: product }),
      });
      if (outcome.kind === 'refused') throw new UsageMistake(outcome.message);
      const { unread } = record;
      const report = openReport(
        format,
        { grain: record.grain, ...range, outsideRange: outcome.outsideRange, unread },
        terminal,
      );
      const sum = emptySum();
      for await (const span of outcome.spans) {
        if (terminal.signal.aborted) return EXIT.interrupted;
        report.span(span);
        add(sum, span.totals, span.unitsOnTheirWay);
        progress(terminal, span.start);
      }
      clear(terminal);
      report.end(sum);
      if (unread.length > 0) tellUnread(unread, terminal);
      return differencesOf(sum) + unread.length > 0 ? EXIT.refused : EXIT.done;
    });
  },
});

type Source = (desk: Desk, terminal: Terminal) => Promise<AwsRecord>;

function formatOf({ csv, json }: Values) {
  if (csv && json) throw new UsageMistake('Ask for --csv or for --json.');
  return csv ? 'csv' : json ? 'json' : 'table';
}

function sourceOf(values: Values): Source {
  const { cloudtrail, api, product, 'seller-report': report } = values;
  const ways = [cloudtrail !== undefined, api, report !== undefined].filter(Boolean).length;
  if (ways !== 1)
    throw new UsageMistake("Name AWS's record in exactly one way: --cloudtrail, --api or --seller-report.");
  if (cloudtrail !== undefined) return async () => readTrailFiles(cloudtrail, product);
  if (report !== undefined) return () => readReportFile(report);
  return (desk, terminal) => lookUp(desk, values, terminal);
}

/** Usage of an hour is sent for a day, and AWS logs late. */
const SENT_UNTIL_HOURS = 25;

async function lookUp(desk: Desk, values: Values, terminal: Terminal): Promise<AwsRecord> {
  if (desk.facts.simulator) throw new UsageMistake('A laptop has no CloudTrail: name a deployment with --stage.');
  const { first, end } = hoursOf(values, desk.clock());
  // Read when it is called: no other command needs the client.
  const { lookUpCalls } = await import('../../operator/cloudtrail-events.ts');
  const collector = new TrailCollector();
  const regions = new Set([...desk.products.values()].map(({ meteringRegion }) => meteringRegion));
  for (const region of regions) {
    const pages = lookUpCalls(
      { region },
      {
        fromMs: hourStartMs(first),
        toMs: Math.min(desk.clock(), hourStartMs(end) + SENT_UNTIL_HOURS * HOUR_MS),
        pause: (ms) => delay(ms, undefined, { signal: terminal.signal }),
        ...(values.product === undefined ? {} : { productCode: values.product }),
      },
    );
    for await (const { records, unread } of pages) {
      collector.add(records, unread);
      if (terminal.stderr.isTTY) terminal.stderr.write(`\r\u001b[K${collector.count} records of calls in ${region}`);
    }
  }
  clear(terminal);
  return collector.collected();
}

/** The hours that are asked for, else those that AWS's record names. */
function rangeOf(values: Values, { grain, reported }: AwsRecord, nowMs: number) {
  const { from, to, api } = values;
  if (api || (from !== undefined && to !== undefined)) return hoursOf(values, nowMs);
  if (from !== undefined || to !== undefined) throw new UsageMistake('--from and --to go together.');
  const hours = reported.map(({ hour }) => hour).sort();
  const [first, last] = [hours[0], hours.at(-1)];
  if (first === undefined || last === undefined) {
    throw new UsageMistake("AWS's record names no usage. Name the hours to compare with it: --from and --to.");
  }
  return { first, end: grain === 'hour' ? addHours(last, 1) : addHours(last, 24) };
}

function add(sum: Sum, totals: Omit<Sum, 'unitsOnTheirWay'>, unitsOnTheirWay: number): void {
  for (const name of Object.keys(totals) as (keyof typeof totals)[]) sum[name] += totals[name];
  sum.unitsOnTheirWay += unitsOnTheirWay;
}

function progress({ stderr }: Terminal, start: HourStart): void {
  if (stderr.isTTY) stderr.write(`\r\u001b[KCompared up to ${new Date(hourEndMs(start)).toISOString().slice(0, 16)}Z`);
}

function clear({ stderr }: Terminal): void {
  if (stderr.isTTY) stderr.write('\r\u001b[K');
}

const SHOWN_UNREAD = 10;

function tellUnread(unread: readonly string[], { stderr }: Terminal): void {
  stderr.write(`${unread.length} parts of AWS's record could not be read:\n`);
  for (const each of unread.slice(0, SHOWN_UNREAD)) stderr.write(`  ${each}\n`);
  if (unread.length > SHOWN_UNREAD) stderr.write('  …\n');
}

export const commands = [reconcile];
