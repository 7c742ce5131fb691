// The arguments of `fulfillment usage import`, checked before anything is opened.
import { DEPLOYMENT, JSON_OUTPUT } from './at-desk.ts';
import type { Call } from './command.ts';
import { UsageMistake } from './exit.ts';
import { flag, type ValuesOf, value } from './options.ts';
import { FORMATS, type Format } from './usage-file.ts';

const DEFAULT_RETRY_SECONDS = 60;

type Destination =
  | { readonly kind: 'api'; readonly url: string; readonly sign: boolean }
  | {
      readonly kind: 'tables';
      readonly usageTable: string;
      readonly workTable: string;
      readonly customersTable: string | undefined;
    }
  /** POST /usage of a deployment that is still to be found. */
  | { readonly kind: 'deployment' }
  | { readonly kind: 'nowhere' };

export interface ImportArguments {
  readonly file: string;
  readonly format: Format;
  readonly destination: Destination;
  readonly region: string | undefined;
  readonly retryForMs: number;
  readonly rejectsFile: string | undefined;
  readonly isDryRun: boolean;
  /** The time that a dry run judges by, where it is not this machine's. */
  readonly nowMs: number | undefined;
  readonly isJson: boolean;
}

export const IMPORT_OPTIONS = {
  format: value('FORMAT', 'where the name of FILE does not tell', FORMATS),
  url: value('URL', 'to: POST /usage of a backend, such as http://127.0.0.1:7300 or the UsageUrl output of the stack'),
  ...DEPLOYMENT,
  tables: value('PREFIX', 'to: straight into the tables PREFIXusage and PREFIXwork'),
  'usage-table': value('NAME', 'to: straight into this table and that of --work-table'),
  'work-table': value('NAME', 'goes with --usage-table: late usage is noted there'),
  'dry-run': flag("to nowhere: reads the file and says what is wrong with it, by this machine's clock"),
  'customers-table': value('NAME', 'with tables, for rows that name a customerId'),
  sign: flag('sign requests to a host of your own; those to execute-api hosts always are'),
  'retry-for': value('SECONDS', 'how long to try again while the other side does not answer; 60 where absent'),
  rejects: value('FILE', 'write each row that was not taken there, as JSON with its line number and the reason'),
  now: value(
    'TIME',
    'with --dry-run, judge ages by this time (ISO 8601 with a zone): on a laptop the simulator has a clock of its own',
  ),
  ...JSON_OUTPUT,
};

type Values = ValuesOf<typeof IMPORT_OPTIONS>;

/** Throws UsageMistake, which says what to give instead. */
export function readArguments({ values, positionals }: Call<typeof IMPORT_OPTIONS>): ImportArguments {
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0)
    throw new UsageMistake('Name one file to import, or - for standard input.');
  const seconds = Number(values['retry-for'] ?? DEFAULT_RETRY_SECONDS);
  if (!(seconds >= 0 && seconds <= 86_400))
    throw new UsageMistake('--retry-for takes a number of seconds, 0 to 86400.');
  return {
    file,
    format: formatOf(file, values.format),
    destination: destinationOf(values),
    region: values.region,
    retryForMs: seconds * 1_000,
    rejectsFile: values.rejects,
    isDryRun: values['dry-run'],
    nowMs: nowOf(values),
    isJson: values.json,
  };
}

function nowOf({ now, 'dry-run': isDryRun }: Values): number | undefined {
  if (now === undefined) return undefined;
  if (!isDryRun)
    throw new UsageMistake('--now goes with --dry-run: rows that are sent are judged by the clock of the other side.');
  const nowMs = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(now) ? Date.parse(now) : Number.NaN;
  if (Number.isNaN(nowMs)) throw new UsageMistake('--now takes a time with its zone, such as 2026-09-21T12:05:00Z.');
  return nowMs;
}

function formatOf(file: string, named: string | undefined): Format {
  if (named !== undefined) {
    const format = FORMATS.find((each) => each === named);
    if (format) return format;
    throw new UsageMistake(`--format is one of ${FORMATS.join(', ')}.`);
  }
  if (/\.csv$/i.test(file)) return 'csv';
  if (/\.(jsonl|ndjson)$/i.test(file)) return 'jsonl';
  throw new UsageMistake('The name of the file does not tell its format: give --format csv or --format jsonl.');
}

function destinationOf(values: Values): Destination {
  const { url, tables } = values;
  const usageTable = values['usage-table'];
  const workTable = values['work-table'];
  const namesTables = usageTable !== undefined || workTable !== undefined;
  const isDeployment = values.local || values.stage !== undefined;
  const ways = [url !== undefined, tables !== undefined, namesTables, isDeployment, values['dry-run']];
  if (ways.filter(Boolean).length !== 1) {
    throw new UsageMistake(
      'Say where to in exactly one way: --url, --local, --stage, --tables, --usage-table with --work-table, or --dry-run.',
    );
  }
  if (isDeployment) return { kind: 'deployment' };
  const customersTable = values['customers-table'];
  if (url !== undefined) return { kind: 'api', url, sign: values.sign };
  if (tables !== undefined) {
    return {
      kind: 'tables',
      usageTable: `${tables}usage`,
      workTable: `${tables}work`,
      customersTable: customersTable ?? `${tables}customers`,
    };
  }
  if (!namesTables) return { kind: 'nowhere' };
  if (usageTable === undefined || workTable === undefined) {
    throw new UsageMistake('--usage-table and --work-table go together: late usage is noted in the work table.');
  }
  return { kind: 'tables', usageTable, workTable, customersTable };
}
