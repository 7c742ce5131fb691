// fulfillment usage put, ls: reports one event, and shows what a customer used.
import { randomUUID } from 'node:crypto';
import { createUsageReporter } from '../../client/usage-api.ts';
import type { UsageEvent } from '../../client/usage-event.ts';
import { parseHour } from '../../lambdas/domain/hour.ts';
import { LICENCE_ARN_PATTERN, LICENCE_KEY_PATTERN, licenceKeyOf } from '../../lambdas/domain/licence.ts';
import { readUsage, type UsageView } from '../../lambdas/flow/reads/read-usage.ts';
import { atDesk, DEPLOYMENT, JSON_OUTPUT } from '../at-desk.ts';
import { type Command, defineCommand, operand, type Terminal } from '../command.ts';
import { EXIT, UsageMistake } from '../exit.ts';
import { flag, value } from '../options.ts';
import { listOf, tableOf } from '../table.ts';

const SHARED = { ...DEPLOYMENT, ...JSON_OUTPUT };

const put = defineCommand({
  name: 'usage put',
  about: `Reports one event to POST /usage. The same id again, of the same buyer, dimension and hour, is not recorded again: a
repeat after a fault is safe where --id is given.
`,
  options: {
    customer: value('CUSTOMER', "the buyer, by the customer's id"),
    'licence-arn': value('ARN', 'or by the ARN of the licence'),
    dimension: value('DIMENSION', 'the dimension, by its API name'),
    quantity: value('UNITS', 'a whole number, 0 or more'),
    time: value('TIME', "when it was used (ISO 8601 with a zone); the deployment's now where absent"),
    id: value('ID', 'what tells the event from others; made up and shown where absent'),
    ...SHARED,
  },
  examples: [
    'fulfillment usage put --customer cus_kBXub44wPtLaEj-pjwQonuSP --dimension requests --quantity 5',
    'fulfillment usage put --stage prod --customer cus_… --dimension requests --quantity 5 --id order-17 --time 2026-11-23T07:10:00Z',
  ],
  run: ({ values }, terminal) => {
    const { customer, 'licence-arn': licenseArn, dimension } = values;
    const buyer =
      customer !== undefined ? { customerId: customer } : licenseArn === undefined ? undefined : { licenseArn };
    if (!buyer || (customer !== undefined && licenseArn !== undefined)) {
      throw new UsageMistake('Name the buyer in one way: --customer or --licence-arn.');
    }
    if (dimension === undefined) throw new UsageMistake('--dimension is missing.');
    const quantity = /^\d+$/.test(values.quantity ?? '') ? Number(values.quantity) : Number.NaN;
    if (!Number.isSafeInteger(quantity)) throw new UsageMistake('--quantity takes a whole number, 0 or more.');
    return atDesk(values, terminal, async ({ facts, clock }) => {
      const time = values.time ?? new Date(clock()).toISOString();
      const event: UsageEvent = { ...buyer, id: values.id ?? randomUUID(), dimension, quantity, time };
      const reporter = createUsageReporter({ url: facts.urls.usage, region: facts.region, signal: terminal.signal });
      const [outcome] = await reporter.report([event]);
      if (!outcome) throw new UsageMistake('POST /usage answered nothing of the event.');
      const isTaken = outcome.outcome === 'recorded' || outcome.outcome === 'already';
      if (values.json) terminal.stdout.write(`${JSON.stringify({ ...outcome, time })}\n`);
      else if ('code' in outcome) terminal.stderr.write(`${outcome.outcome}: ${outcome.code}: ${outcome.message}\n`);
      else
        terminal.stdout.write(
          listOf([
            [outcome.outcome, `${quantity} ${dimension} at ${time}`],
            ['id', outcome.id],
          ]),
        );
      return isTaken ? EXIT.done : EXIT.refused;
    });
  },
});

const ls = defineCommand({
  name: 'usage ls',
  operands: 'CUSTOMER',
  about: `Units of a month by day, or of a day by hour: recorded, billed, on their way, at stake, lost and withheld. CUSTOMER is a
customer's id, or a licence by its key or ARN. The running hour, and what changed in the last minutes, is not in it.
`,
  options: {
    month: value('MONTH', 'such as 2026-11; the running one where absent'),
    day: value('DAY', 'such as 2026-11-23, by hour'),
    hours: flag('a month by hour instead of by day'),
    ...SHARED,
  },
  examples: [
    'fulfillment usage ls cus_kBXub44wPtLaEj-pjwQonuSP',
    'fulfillment usage ls cus_kBXub44wPtLaEj-pjwQonuSP --day 2026-11-23 --json',
  ],
  run: (call, terminal) => {
    const text = operand(call, 0, 'the customer or licence; fulfillment customers ls lists them');
    const { values } = call;
    if (values.day !== undefined && !parseHour(`${values.day}T00`)) {
      throw new UsageMistake('--day takes a day such as 2026-11-23.');
    }
    if (values.month !== undefined && !parseHour(`${values.month}-01T00`)) {
      throw new UsageMistake('--month takes a month such as 2026-11.');
    }
    return atDesk(values, terminal, async (desk) => {
      const month = values.month ?? new Date(desk.clock()).toISOString().slice(0, 7);
      const period =
        values.day === undefined
          ? { month, by: values.hours ? ('hour' as const) : ('day' as const) }
          : { day: values.day };
      const view = await readUsage(desk, whose(text), period);
      if (!view) {
        terminal.stderr.write(`There is no customer '${text}'. See: fulfillment customers ls\n`);
        return EXIT.refused;
      }
      terminal.stdout.write(values.json ? `${JSON.stringify(view)}\n` : told(view, values.day ?? month, terminal));
      return EXIT.done;
    });
  },
});

function whose(text: string): Parameters<typeof readUsage>[1] {
  if (LICENCE_KEY_PATTERN.test(text)) return { licenceKey: text };
  if (LICENCE_ARN_PATTERN.test(text)) return { licenceKey: licenceKeyOf({ style: 'licence', licenceArn: text }) };
  return { customerId: text };
}

function told({ dimensions }: UsageView, period: string, terminal: Terminal): string {
  const rows = dimensions.flatMap(({ dimension, slots, total }) => [
    ...slots.map(({ start, amounts }) => ({ dimension, start: String(start), amounts })),
    { dimension, start: 'all', amounts: total },
  ]);
  if (rows.length === 0)
    return `Nothing was used in ${period}, as far as the hours are counted. The running hour is not in it.\n`;
  type Row = (typeof rows)[number];
  const columns = [
    { title: 'dimension', of: ({ dimension }: Row) => dimension },
    { title: 'when', of: ({ start }: Row) => start },
    { title: 'recorded', of: ({ amounts }: Row) => amounts.recorded },
    { title: 'billed', of: ({ amounts }: Row) => amounts.billed },
    { title: 'on its way', of: ({ amounts }: Row) => amounts.pending },
    { title: 'at stake', of: ({ amounts }: Row) => amounts.atStake },
    { title: 'lost', of: ({ amounts }: Row) => amounts.lost },
    { title: 'withheld', of: ({ amounts }: Row) => amounts.withheld },
  ];
  return tableOf(columns, rows, terminal);
}

export const commands: readonly Command[] = [put, ls];
