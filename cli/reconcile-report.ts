// What is told of a reconciliation, line by line as it goes: a table for people, CSV or JSON for programs.
import { csvHeader, csvLine } from '../lambdas/domain/operations/export-rows.ts';
import type { ReconciledLine } from '../lambdas/domain/operations/reconcile.ts';
import type { Grain } from '../lambdas/domain/operations/reported-usage.ts';
import type { ReconciledSpan } from '../lambdas/flow/operations/reconcile.ts';
import type { Terminal } from './command.ts';
import { tableOf } from './table.ts';

export interface Sum {
  same: number;
  different: number;
  onlyHere: number;
  onlyThere: number;
  unitsHere: number;
  unitsThere: number;
  unitsOnTheirWay: number;
}

export interface Told {
  readonly grain: Grain;
  readonly first: string;
  readonly end: string;
  readonly outsideRange: number;
  readonly unread: readonly string[];
}

export type Format = 'table' | 'csv' | 'json';

export interface Report {
  span(span: ReconciledSpan): void;
  end(sum: Sum): void;
}

export function openReport(format: Format, told: Told, terminal: Terminal): Report {
  switch (format) {
    case 'csv':
      return new CsvReport(terminal);
    case 'json':
      return new JsonReport(told, terminal);
    case 'table':
      return new TableReport(told, terminal);
  }
}

export function emptySum(): Sum {
  return { same: 0, different: 0, onlyHere: 0, onlyThere: 0, unitsHere: 0, unitsThere: 0, unitsOnTheirWay: 0 };
}

export function differencesOf({ different, onlyHere, onlyThere }: Sum): number {
  return different + onlyHere + onlyThere;
}

const COLUMNS = ['kind', 'start', 'customer', 'dimension', 'ledger', 'aws', 'statuses', 'remark', 'advice'] as const;

function rowOf(line: ReconciledLine) {
  const { kind, hour, customer, dimension, here, there, statuses, advice } = line;
  const told = Object.entries(statuses).map(([status, units]) => `${status} ${units}`);
  return {
    kind,
    start: hour,
    customer,
    dimension,
    ledger: here,
    aws: there,
    statuses: told.join(' '),
    remark: line.remark ?? '',
    advice,
  };
}

class CsvReport implements Report {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    terminal.stdout.write(`${csvHeader(COLUMNS)}\n`);
  }

  span({ lines }: ReconciledSpan): void {
    for (const line of lines) this.#terminal.stdout.write(`${csvLine(COLUMNS, rowOf(line))}\n`);
  }

  end(): void {}
}

/** One JSON text, written as it goes. */
class JsonReport implements Report {
  readonly #terminal: Terminal;
  readonly #told: Told;
  #isFirst = true;

  constructor(told: Told, terminal: Terminal) {
    this.#told = told;
    this.#terminal = terminal;
    terminal.stdout.write('{"differences":[');
  }

  span({ lines }: ReconciledSpan): void {
    for (const line of lines) {
      const { statuses } = line;
      this.#terminal.stdout.write(`${this.#isFirst ? '' : ','}\n${JSON.stringify({ ...rowOf(line), statuses })}`);
      this.#isFirst = false;
    }
  }

  end(totals: Sum): void {
    this.#terminal.stdout.write(`\n],"totals":${JSON.stringify(totals)},${JSON.stringify(this.#told).slice(1)}\n`);
  }
}

/** So many lines are shown to people; CSV has all. */
const SHOWN = 200;

const KINDS = { onlyHere: 'only here', onlyThere: 'only at AWS', different: 'different' } as const;

class TableReport implements Report {
  readonly #terminal: Terminal;
  readonly #told: Told;
  readonly #lines: ReconciledLine[] = [];

  constructor(told: Told, terminal: Terminal) {
    this.#told = told;
    this.#terminal = terminal;
  }

  span({ lines }: ReconciledSpan): void {
    this.#lines.push(...lines.slice(0, SHOWN - this.#lines.length));
  }

  end(sum: Sum): void {
    const { stdout } = this.#terminal;
    const { grain, first, end, outsideRange } = this.#told;
    if (this.#lines.length > 0) {
      stdout.write(
        tableOf(
          [
            { title: grain === 'day' ? 'day' : 'hour', of: ({ hour }) => (grain === 'day' ? hour.slice(0, 10) : hour) },
            { title: 'customer', of: ({ customer }) => customer },
            { title: 'dimension', of: ({ dimension }) => dimension },
            { title: 'is', of: ({ kind }) => KINDS[kind] },
            { title: 'ledger', of: ({ here }) => here },
            { title: 'AWS', of: ({ there }) => there },
            { title: 'in the ledger', of: (line) => rowOf(line).statuses },
          ],
          this.#lines,
          this.#terminal,
        ),
      );
      const advice = new Map(this.#lines.map((line) => [line.advice, line]));
      stdout.write(`\nWhat to do:\n${[...advice.keys()].map((each) => `  - ${each}\n`).join('')}\n`);
    }
    const count = differencesOf(sum);
    if (count > this.#lines.length) stdout.write(`${count - this.#lines.length} more differ; --csv lists all.\n`);
    stdout.write(
      `${first} up to ${end}: ${sum.same} agree, ${count} differ. The ledger has ${units(sum.unitsHere)} at AWS, AWS's record ${units(sum.unitsThere)}; ${units(sum.unitsOnTheirWay)} are on their way.\n`,
    );
    if (outsideRange > 0) stdout.write(`${outsideRange} amounts of AWS's record lie outside of these hours.\n`);
  }
}

function units(count: number): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? 'unit' : 'units'}`;
}
