// The arguments of `fulfillment usage import`, checked before anything is opened.
import { parseArgs } from 'node:util';
import { UsageMistake } from './command.ts';
import { FORMATS, type Format } from './usage-file.ts';

type Destination =
  | { readonly kind: 'api'; readonly url: string; readonly sign: boolean }
  | {
      readonly kind: 'tables';
      readonly usageTable: string;
      readonly workTable: string;
      readonly customersTable: string | undefined;
    }
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

const OPTIONS = {
  format: { type: 'string' },
  url: { type: 'string' },
  tables: { type: 'string' },
  'usage-table': { type: 'string' },
  'work-table': { type: 'string' },
  'customers-table': { type: 'string' },
  region: { type: 'string' },
  sign: { type: 'boolean', default: false },
  'retry-for': { type: 'string', default: '60' },
  rejects: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  now: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof parsed>['values'];

/** Throws UsageMistake, which says what to give instead. */
export function readArguments(args: readonly string[]): ImportArguments {
  const { values, positionals } = parsed(args);
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0)
    throw new UsageMistake('Name one file to import, or - for standard input.');
  const seconds = Number(values['retry-for']);
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

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageMistake(error instanceof Error ? error.message : String(error));
  }
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
  const ways = [url !== undefined, tables !== undefined, namesTables, values['dry-run']].filter(Boolean).length;
  if (ways !== 1) {
    throw new UsageMistake(
      'Say where to in exactly one way: --url, --tables, --usage-table with --work-table, or --dry-run.',
    );
  }
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
