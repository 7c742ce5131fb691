// The columns of a CSV file of usage, and how its rows become events.
import { InvalidInput } from '../lambdas/domain/failure.ts';
import type { CsvRow } from './csv.ts';

const REQUIRED = ['id', 'dimension', 'quantity', 'time'] as const;
const BUYER = ['customerId', 'licenseArn', 'productCode', 'customerIdentifier'] as const;
const NAMES: readonly string[] = [...REQUIRED, ...BUYER];
const TAG = 'tag:';

const EXPECTED = `The first line has to name the columns: ${REQUIRED.join(', ')}; the buyer by customerId, licenseArn, or productCode and customerIdentifier; and, as needed, tag:<Key> for each tag. For example:
  id,licenseArn,dimension,quantity,time,tag:Team`;

/** Reads the header. Throws InvalidInput, code HeaderWrong, which says what was found and what was expected. */
export function readHeader(row: CsvRow): readonly string[] {
  const columns = row.fields.map((field) => field.trim());
  const problem = headerProblem(columns, row.problem);
  if (problem === undefined) return columns;
  throw new InvalidInput('HeaderWrong', `The header is wrong: ${problem}.\n${EXPECTED}`);
}

function headerProblem(columns: readonly string[], quoting: string | undefined): string | undefined {
  const [first = ''] = columns;
  if (first.startsWith('{')) return 'this looks like JSON lines; give --format jsonl';
  if (quoting !== undefined) return quoting;
  if (columns.length === 1 && first.includes(';')) return 'its columns are separated by semicolons; use commas';
  if (columns.length === 1 && first.includes('\t')) return 'its columns are separated by tabs; use commas';
  const twice = columns.find((column, index) => columns.indexOf(column) !== index);
  if (twice !== undefined) return `it names '${shown(twice)}' twice`;
  const unknown = columns.find((column) => !NAMES.includes(column) && !isTag(column));
  if (unknown !== undefined) return `'${shown(unknown)}' is no column of usage${meant(unknown)}`;
  const missing = REQUIRED.filter((column) => !columns.includes(column));
  if (missing.length > 0) return `it lacks ${missing.join(', ')}`;
  const has = (column: string) => columns.includes(column);
  if (has('productCode') !== has('customerIdentifier')) return 'productCode and customerIdentifier go together';
  return BUYER.some(has) ? undefined : 'no column names the buyer';
}

function isTag(column: string): boolean {
  return column.startsWith(TAG) && column.length > TAG.length;
}

/** A wrong name may be a row of data that stands where the header should: little of it is shown. */
function shown(column: string): string {
  return column.length > 24 ? `${column.slice(0, 24)}…` : column;
}

function meant(unknown: string): string {
  const plain = (text: string) =>
    text
      .toLowerCase()
      .replace('licence', 'license')
      .replace(/[^a-z]/g, '');
  const close = NAMES.find((name) => plain(name) === plain(unknown));
  return close === undefined ? '' : `; did you mean ${close}?`;
}

const NUMBER = /^-?\d+(\.\d+)?$/;

/** The event of a row, as POST /usage takes it; empty fields are left out. Undefined and why where there is none. */
export function eventOf(
  columns: readonly string[],
  row: CsvRow,
): { readonly event: Readonly<Record<string, unknown>> } | { readonly problem: string } {
  if (row.problem !== undefined) return { problem: `${row.problem}.` };
  if (row.fields.length !== columns.length) {
    return { problem: `The row has ${row.fields.length} fields where the header has ${columns.length}.` };
  }
  const event: Record<string, unknown> = {};
  const tags: [string, string][] = [];
  for (const [index, column] of columns.entries()) {
    const field = row.fields[index] ?? '';
    if (field === '') continue;
    if (isTag(column)) tags.push([column.slice(TAG.length), field]);
    else event[column] = column === 'quantity' && NUMBER.test(field) ? Number(field) : field;
  }
  // Not by assignment: `tag:__proto__` has to become a tag like any other, for the door to judge.
  return { event: tags.length > 0 ? { ...event, tags: Object.fromEntries(tags) } : event };
}
