// Tables for people: columns aligned, and no wider than the terminal.
import type { Terminal } from './command.ts';

export interface Column<Row> {
  readonly title: string;
  readonly of: (row: Row) => string | number | undefined;
}

const GAP = '  ';
const SHORTEST = 6;

/** A table of rows, each a line; the widest columns are cut where the terminal is narrower, and nowhere else. */
export function tableOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[], { stdout }: Terminal): string {
  const cells = rows.map((row) => columns.map(({ of }) => shown(of(row))));
  const isNumber = columns.map(({ of }) => rows.length > 0 && rows.every((row) => typeof of(row) === 'number'));
  const lines = [columns.map(({ title }) => title), ...cells];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => widthOf(line[index] ?? ''))));
  // A pipe gets all of it: what comes behind it may want to cut for itself.
  if (stdout.isTTY && stdout.columns) narrow(widths, stdout.columns);
  return lines.map((line) => lineOf(line, widths, isNumber)).join('');
}

/** Names and values, one a line. */
export function listOf(pairs: readonly (readonly [string, string | number | undefined])[]): string {
  const known = pairs.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...known.map(([name]) => widthOf(name)));
  return known.map(([name, value]) => `${padded(name, width)}${GAP}${shown(value)}\n`).join('');
}

/** `1 dead letter`, `2,310 dead letters`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

/** An instant as people read it: UTC, to the second. */
export function timeOf(atMs: number | undefined): string {
  return atMs === undefined ? '' : `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/** How long something lasts, in its two largest units: `1 d 4 h`, `35 min`. */
export function spanOf(ms: number): string {
  const minutes = Math.floor(Math.abs(ms) / 60_000);
  const [days, hours] = [Math.floor(minutes / 1_440), Math.floor((minutes % 1_440) / 60)];
  const parts = [days > 0 && `${days} d`, hours > 0 && `${hours} h`, days === 0 && `${minutes % 60} min`];
  return parts.filter((part) => part !== false).join(' ');
}

/** A value as a cell. What a buyer typed may hold control characters, which would steer the terminal. */
export function shown(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return value.toLocaleString('en-US');
  return value.replace(/\p{Cc}/gu, '\u{fffd}');
}

function narrow(widths: number[], total: number): void {
  const room = total - GAP.length * (widths.length - 1);
  while (widths.reduce((sum, width) => sum + width, 0) > room) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= SHORTEST) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

function lineOf(cells: readonly string[], widths: readonly number[], isNumber: readonly boolean[]): string {
  const fitted = cells.map((cell, index) => {
    const width = widths[index] ?? 0;
    const text = widthOf(cell) > width ? `${[...cell].slice(0, width - 1).join('')}…` : cell;
    return isNumber[index] ? text.padStart(width) : padded(text, width);
  });
  return `${fitted.join(GAP).trimEnd()}\n`;
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

function widthOf(text: string): number {
  return [...text].length;
}
