// What a table shows, as a file for a spreadsheet.
import { csvHeader, csvLine } from '../../lambdas/domain/operations/export-rows.ts';
import { Html } from '../../lambdas/pages/html.ts';
import { type Cell, columnsOf, type Table } from './table.ts';

/** Its lines, instants in ISO 8601 and numbers without marks between their digits. The sums are left out. */
export async function* csvOf(table: Table): AsyncGenerator<string> {
  const names = columnsOf(table).map(({ name }) => name);
  yield* csvFile(
    names,
    table.rows.map((row) => rowOf(names, row)),
  );
}

/** Lines with ends, as RFC 4180 has them. */
export async function* csvFile<C extends string>(
  columns: readonly C[],
  rows: Iterable<Readonly<Record<C, string | number>>> | AsyncIterable<Readonly<Record<C, string | number>>>,
): AsyncGenerator<string> {
  yield `${csvHeader(columns)}\r\n`;
  for await (const row of rows) yield `${csvLine(columns, row)}\r\n`;
}

function rowOf(names: readonly string[], row: readonly Cell[]): Record<string, string | number> {
  return Object.fromEntries(names.map((name, index) => [name, plain(row[index] ?? '')]));
}

/** The text of HTML that is ours: an instant's own text is its ISO time; what is hidden from eyes is left out. */
function plain(cell: Cell): string | number {
  if (!(cell instanceof Html)) return cell;
  return cell
    .toString()
    .replaceAll(/<time datetime="([^"]*)">.*?<\/time>/gs, '$1')
    .replaceAll(/<span aria-hidden="true">.*?<\/span>/gs, '')
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&(amp|lt|gt|quot|apos|grave);/g, (_, name: string) => SIGNS[name] ?? '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

const SIGNS: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", grave: '`' };
