// fulfillment migrate sample: buyers and unsent usage of AWS's serverless SaaS sample come over, once.
import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import { SECOND_MS } from '../../lambdas/domain/hour.ts';
import type { ReportedUsage } from '../../lambdas/domain/operations/reported-usage.ts';
import { type MigrationOutcome, migrateSample } from '../../lambdas/flow/migration/migrate-sample.ts';
import { newAct } from '../../operator/acts/act.ts';
import { type Desk, LAPTOP_CREDENTIALS } from '../../operator/desk.ts';
import { SampleTables } from '../../operator/sample-tables.ts';
import { atDesk, DEPLOYMENT, JSON_OUTPUT } from '../at-desk.ts';
import { readTrailFiles } from '../aws-record.ts';
import { defineCommand, type Terminal } from '../command.ts';
import { EXIT, UsageMistake } from '../exit.ts';
import { MigrationReport } from '../migration-report.ts';
import { flag, type ValuesOf, value } from '../options.ts';
import { ProgressLine } from '../progress.ts';

const QUIET_SECONDS = 60;
const SIDE_BY_SIDE = 16;

const OPTIONS = {
  subscribers: value('NAME', "the old stack's table of subscribers; AWSMarketplaceSubscribers where absent"),
  records: value('NAME', 'its table of metering records; AWSMarketplaceMeteringRecords where absent'),
  'from-region': value('REGION', 'where those tables are; the region of the deployment where absent'),
  product: value('CODE', 'the product of rows that name none'),
  apply: flag('writes; without it everything is only read and judged'),
  why: value('TEXT', 'the reason, as the audit keeps it; needed with --apply'),
  'act-id': value('ID', 'goes on with the act of that id, where one was stopped'),
  'old-sender-stopped': flag('take pending usage over, too: you have switched off what sends it at the old stack'),
  cloudtrail: value('PATH', "AWS's own log of the last day: finds what the old sender sent and never noted"),
  'without-cloudtrail': flag('take usage over without that log: what its sender did not note is billed twice'),
  'quiet-for': value('SECONDS', 'how long the old table has to stay as it is before usage is taken; 60 where absent'),
  'mail-buyers': flag('go on though this deployment mails buyers: each active one gets its mails'),
  report: value('FILE', 'every row of both tables and what became of it, as CSV'),
  ...DEPLOYMENT,
  ...JSON_OUTPUT,
};

type Values = ValuesOf<typeof OPTIONS>;

const migrateSampleCommand = defineCommand({
  name: 'migrate sample',
  about: `Reads the two tables of AWS's serverless SaaS sample. Without --apply it tells what would become of every row, and
writes nothing. With --apply each buyer becomes a customer; with --old-sender-stopped besides, each pending record is
marked in the old table, so that its sender finds it no more, and billed here in the cut-over hour (rehearsal.until of
the product). What can't come over is named and stays as it is. Run it as often as you like: nothing comes over twice.
The whole path: docs/migration.md. Nothing personal is printed or written to the report.

Exit codes: 0 all came over, or would; 1 refused, or rows need you; 2 wrong arguments; 3 a fault, run it again.
`,
  options: OPTIONS,
  examples: [
    'fulfillment migrate sample --stage prod --report rows.csv',
    'fulfillment migrate sample --stage prod --apply --why "moving house, ticket 4711"',
    'fulfillment migrate sample --stage prod --old-sender-stopped --cloudtrail ./trail --apply --why "moving house, ticket 4711"',
  ],
  run: ({ values }, terminal) => {
    const quietMs = checked(values);
    return atDesk(values, terminal, (desk) => migrate(desk, values, quietMs, terminal));
  },
});

/** Throws UsageMistake; gives how long the old table has to stay as it is. */
function checked(values: Values): number {
  const takesUsage = values['old-sender-stopped'];
  if (values.apply && !values.why?.trim())
    throw new UsageMistake('Say why it is done: --why TEXT. The audit keeps it.');
  const isChecked = values.cloudtrail !== undefined;
  if (isChecked && values['without-cloudtrail']) {
    throw new UsageMistake('Give --cloudtrail PATH or --without-cloudtrail, not both.');
  }
  if (values.apply && takesUsage && !isChecked && !values['without-cloudtrail']) {
    throw new UsageMistake(
      "Give AWS's log of the last day: --cloudtrail PATH (docs/migration.md tells how to get it). Without it, usage that the old sender sent and died before noting would be billed twice; --without-cloudtrail takes that risk.",
    );
  }
  const seconds = Number(values['quiet-for'] ?? QUIET_SECONDS);
  if (!(seconds >= 0 && seconds <= 3_600)) throw new UsageMistake('--quiet-for takes a number of seconds, 0 to 3600.');
  return seconds * SECOND_MS;
}

async function migrate(desk: Desk, values: Values, quietMs: number, terminal: Terminal): Promise<number> {
  const { signal, stderr } = terminal;
  if (values.apply && desk.facts.queues.mail !== undefined && !values['mail-buyers']) {
    throw new UsageMistake(
      'This deployment mails buyers: each one that comes over would be told that it has registered and has access. Deploy without the setting mail until you are done, or add --mail-buyers.',
    );
  }
  const reported = values.cloudtrail === undefined ? undefined : trailOf(values.cloudtrail, values.product, terminal);
  const report = await MigrationReport.open(await desk.prices.prices(), values.report);
  const tables = tablesOf(desk, values);
  const progress = new ProgressLine(terminal);
  try {
    const act = values.apply ? await newAct(desk, values.why ?? '', values['act-id']) : undefined;
    if (act && !values.json) stderr.write(`Act ${act.actionId}\n`);
    const ports = {
      ...desk,
      tables,
      limit: pLimit(SIDE_BY_SIDE),
      log: {
        warn: (code: string) => void stderr.write(`${code}: the standing of a customer follows on its schedule.\n`),
      },
      pause: async () => {
        if (quietMs > 0) stderr.write(`Looking whether the old table stays as it is, for ${quietMs / SECOND_MS} s.\n`);
        await delay(quietMs, undefined, { signal });
      },
    };
    const wanted = {
      takesUsage: values['old-sender-stopped'],
      ...(act === undefined ? {} : { act }),
      ...(values.product === undefined ? {} : { productCode: values.product }),
      ...(reported === undefined ? {} : { reported }),
    };
    const outcome = await migrateSample(ports, wanted, async (line) => {
      signal.throwIfAborted();
      await report.take(line);
      progress.show(() => `${report.rows.toLocaleString('en-US')} rows`);
    });
    progress.clear();
    return tell(outcome, report, { values, actionId: act?.actionId, terminal });
  } finally {
    progress.clear();
    await report.close();
    tables.close();
  }
}

function tablesOf(desk: Desk, values: Values): SampleTables {
  const { facts } = desk;
  const endpoint = facts.endpoints.DYNAMODB;
  const aws = {
    region: values['from-region'] ?? facts.region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(facts.simulator === undefined ? {} : { credentials: LAPTOP_CREDENTIALS }),
  };
  const { subscribers = 'AWSMarketplaceSubscribers', records = 'AWSMarketplaceMeteringRecords' } = values;
  return new SampleTables(aws, { subscribers, records });
}

function trailOf(path: string, product: string | undefined, { stderr }: Terminal): readonly ReportedUsage[] {
  const { reported, unread } = readTrailFiles(path, product);
  for (const line of unread) stderr.write(`${line}\n`);
  if (unread.length > 0) {
    throw new UsageMistake(
      "Some of AWS's log could not be read, so that it can't tell what was not sent. Get it again.",
    );
  }
  return reported;
}

interface Telling {
  readonly values: Values;
  readonly actionId: string | undefined;
  readonly terminal: Terminal;
}

function tell(outcome: MigrationOutcome, report: MigrationReport, { values, actionId, terminal }: Telling): number {
  const { stdout, stderr } = terminal;
  const sums = report.sums();
  if (values.json) {
    const act = actionId === undefined ? {} : { actionId };
    const body = outcome.kind === 'refused' ? outcome : { ...outcome, ...act, sums, needYou: report.needingAPerson };
    stdout.write(`${JSON.stringify(body)}\n`);
  }
  if (outcome.kind === 'refused') {
    if (!values.json) stderr.write(`Refused: ${outcome.message}\nNothing was written.\n`);
    return EXIT.refused;
  }
  if (!values.json) {
    stdout.write(report.text(terminal));
    for (const note of notesOf(outcome, values)) stderr.write(`\n${note}\n`);
  }
  return report.needingAPerson > 0 ? EXIT.refused : EXIT.done;
}

function notesOf({ kind, unmatched }: Exclude<MigrationOutcome, { kind: 'refused' }>, values: Values): string[] {
  const notes = [];
  if (kind === 'planned') notes.push('Nothing was written. Add --apply --why TEXT to go on.');
  else if (!values['old-sender-stopped']) {
    notes.push('Pending usage was left to the old stack. Once its sender is off: --old-sender-stopped.');
  }
  if (unmatched > 0) {
    notes.push(
      `${unmatched} amounts of AWS's log name no licence and no customer identifier, and were compared with nothing.`,
    );
  }
  return notes;
}

export const commands = [migrateSampleCommand];
