// What a person, or a program, sees of a migration: sums by what became of the rows, the first ones that need a person,
// and a file with every row.
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { type Money, moneyText, priceOf, sumOfMoney } from '../lambdas/domain/money.ts';
import { csvHeader, csvLine } from '../lambdas/domain/operations/export-rows.ts';
import { type MigrationLine, NEEDS_A_PERSON, ROW_FATES, type RowFate } from '../lambdas/flow/migration/report.ts';
import type { Price } from '../lambdas/flow/price-ports.ts';
import type { Terminal } from './command.ts';
import { UsageMistake } from './exit.ts';
import { type Column, tableOf } from './table.ts';

/** What a fate is called by people. */
const TITLES: Readonly<Record<RowFate, string>> = {
  wouldMake: 'would become customers',
  made: 'became customers',
  known: 'customers already',
  wouldTake: 'would be taken over',
  taken: 'taken over',
  takenBefore: 'taken over before',
  billedThere: 'billed by the old stack',
  unbilledThere: 'closed by the old stack unbilled',
  sent: "sent, as AWS's log shows",
  lost: 'too old for AWS: lost',
  twice: 'sent by both',
  refused: 'refused',
};

/** Enough to see what is wrong; the file has the others. */
const SHOWN = 20;

export interface Sum {
  readonly row: MigrationLine['row'];
  readonly fate: RowFate;
  readonly dimension: string;
  readonly rows: number;
  readonly units: number;
  /** In US dollars, where a price is set. */
  readonly dollars: string | undefined;
}

interface Tally {
  rows: number;
  units: number;
  money: Money | undefined;
  readonly line: MigrationLine;
}

const FILE_COLUMNS = [
  'row',
  'fate',
  'code',
  'customerIdentifier',
  'createTimestamp',
  'productCode',
  'customerId',
  'dimension',
  'quantity',
  'message',
] as const;

export class MigrationReport {
  readonly #prices: ReadonlyMap<string, Money>;
  readonly #file: WriteStream | undefined;
  readonly #tallies = new Map<string, Tally>();
  readonly #shown: MigrationLine[] = [];
  rows = 0;
  needingAPerson = 0;

  private constructor(prices: readonly Price[], file: WriteStream | undefined) {
    this.#prices = new Map(prices.map(({ productCode, dimension, amount }) => [`${productCode}#${dimension}`, amount]));
    this.#file = file;
  }

  /** Opened before anything is done: a file that can't be written is found out in time. */
  static async open(prices: readonly Price[], path: string | undefined): Promise<MigrationReport> {
    if (path === undefined) return new MigrationReport(prices, undefined);
    const file = createWriteStream(path);
    try {
      await once(file, 'open');
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      throw code === undefined ? error : new UsageMistake(`${path} can't be written (${code}).`);
    }
    file.write(`${csvHeader(FILE_COLUMNS)}\n`);
    return new MigrationReport(prices, file);
  }

  async take(line: MigrationLine): Promise<void> {
    this.rows += 1;
    this.#count(line);
    if (NEEDS_A_PERSON.has(line.fate)) {
      this.needingAPerson += 1;
      if (this.#shown.length < SHOWN) this.#shown.push(line);
    }
    const cells = Object.fromEntries(FILE_COLUMNS.map((column) => [column, line[column] ?? '']));
    const text = csvLine(FILE_COLUMNS, cells as Record<(typeof FILE_COLUMNS)[number], string | number>);
    if (this.#file && !this.#file.write(`${text}\n`)) await once(this.#file, 'drain');
  }

  #count(line: MigrationLine): void {
    const { row, fate, productCode, dimension = '', quantity = 0 } = line;
    const name = `${row}#${fate}#${dimension}`;
    const tally = this.#tallies.get(name) ?? { rows: 0, units: 0, money: undefined, line };
    const price = this.#prices.get(`${productCode}#${dimension}`);
    tally.rows += 1;
    tally.units += quantity;
    if (price !== undefined) tally.money = sumOfMoney([tally.money ?? priceOf(0, price), priceOf(quantity, price)]);
    this.#tallies.set(name, tally);
  }

  sums(): readonly Sum[] {
    return [...this.#tallies.values()]
      .map(({ line: { row, fate, dimension = '' }, rows, units, money }) => ({
        row,
        fate,
        dimension,
        rows,
        units,
        dollars: money === undefined ? undefined : moneyText(money),
      }))
      .sort((one, other) => placeOf(one) - placeOf(other) || (one.dimension < other.dimension ? -1 : 1));
  }

  text(terminal: Terminal): string {
    const all = tableOf(SUM_COLUMNS, this.sums(), terminal);
    if (this.#shown.length === 0) return all;
    const more = this.needingAPerson - this.#shown.length;
    const rest = more > 0 ? `… and ${more} more: --report FILE has all.\n` : '';
    return `${all}\nThese need you:\n${tableOf(LINE_COLUMNS, this.#shown, terminal)}${rest}\n${this.#reasons()}`;
  }

  /** What each code means, once. */
  #reasons(): string {
    const byCode = new Map(this.#shown.map(({ code, message }) => [code, message]));
    return [...byCode].map(([code, message]) => `${code}: ${message}\n`).join('');
  }

  async close(): Promise<void> {
    const file = this.#file;
    if (file) await new Promise<void>((resolve) => file.end(() => resolve()));
  }
}

function placeOf({ row, fate }: Sum): number {
  return (row === 'buyer' ? 0 : ROW_FATES.length) + ROW_FATES.indexOf(fate);
}

const SUM_COLUMNS: readonly Column<Sum>[] = [
  { title: 'what', of: ({ row }) => (row === 'buyer' ? 'buyers' : 'usage') },
  { title: 'became', of: ({ fate }) => TITLES[fate] },
  { title: 'dimension', of: ({ dimension }) => dimension },
  { title: 'rows', of: ({ rows }) => rows },
  { title: 'units', of: ({ row, units }) => (row === 'buyer' ? '' : units.toLocaleString('en-US')) },
  { title: 'USD', of: ({ dollars }) => dollars },
];

const LINE_COLUMNS: readonly Column<MigrationLine>[] = [
  { title: 'code', of: ({ code }) => code },
  { title: 'customerIdentifier', of: ({ customerIdentifier }) => customerIdentifier },
  { title: 'create_timestamp', of: ({ createTimestamp }) => createTimestamp },
  { title: 'dimension', of: ({ dimension }) => dimension },
  { title: 'units', of: ({ quantity }) => quantity?.toLocaleString('en-US') },
];
