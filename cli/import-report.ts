// What a person, or a program, sees of an import: progress, the first rows that were not taken, and the result.
import type { Writable } from 'node:stream';
import type { ImportResult, ImportTally, RejectedRow } from './import-run.ts';

const BAR_WIDTH = 24;
const SHOW_EVERY_MS = { terminal: 100, file: 5_000 };

/** Progress as a bar that is drawn over itself on a terminal, and as a line now and then anywhere else. */
export class Progress {
  readonly #out: Writable & { readonly isTTY?: boolean };
  readonly #totalBytes: number | undefined;
  readonly #isDryRun: boolean;
  readonly #startedAtMs = performance.now();
  #shownAtMs = performance.now();
  #isDrawn = false;
  bytesRead = 0;

  /** Without the file's size, as of a pipe, there is no bar. */
  constructor(out: Writable & { readonly isTTY?: boolean }, totalBytes: number | undefined, isDryRun: boolean) {
    this.#out = out;
    this.#totalBytes = totalBytes;
    this.#isDryRun = isDryRun;
  }

  seconds(): number {
    return (performance.now() - this.#startedAtMs) / 1_000;
  }

  show(tally: ImportTally): void {
    const everyMs = this.#out.isTTY ? SHOW_EVERY_MS.terminal : SHOW_EVERY_MS.file;
    if (performance.now() - this.#shownAtMs < everyMs) return;
    this.#shownAtMs = performance.now();
    const { recorded, already } = tally;
    const failed = tally.conflict + tally.refused;
    const stored = this.#isDryRun ? '' : `${number(recorded)} recorded  ${number(already)} before  `;
    const counts = `${stored}${number(failed)} not taken`;
    const done = recorded + already + failed;
    const text = `${this.#bar(done / Math.max(1, tally.rows))}${number(done)} rows  ${rate(tally, this.seconds())}  ${counts}`;
    this.#out.write(this.#out.isTTY ? `\r\u001b[K${text}` : `${text}\n`);
    this.#isDrawn = Boolean(this.#out.isTTY);
  }

  /** A line of its own between the progress. */
  say(line: string): void {
    this.clear();
    this.#out.write(`${line}\n`);
  }

  clear(): void {
    if (this.#isDrawn) this.#out.write('\r\u001b[K');
    this.#isDrawn = false;
  }

  /** What is read runs ahead of what is done by some thousand rows: `doneOfRead` is its share. */
  #bar(doneOfRead: number): string {
    if (!this.#totalBytes) return '';
    const share = Math.min(1, (this.bytesRead / this.#totalBytes) * doneOfRead);
    const filled = Math.round(share * BAR_WIDTH);
    const bar = this.#out.isTTY ? `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}] ` : '';
    return `${bar}${Math.floor(share * 100)} %  `;
  }
}

/** One row in words. What the file holds is not repeated: it may be personal, and terminals are recorded. */
export function rejectedLine({ line, outcome, code, message }: RejectedRow): string {
  return `line ${line}: ${outcome}, ${code}: ${message.replace(/received "[^"]*"/g, 'received text')}`;
}

export function resultTable({ tally }: ImportResult, seconds: number, isDryRun: boolean): string {
  const counts: [string, number][] = [
    ['rows read', tally.rows],
    ...(isDryRun
      ? [['well-formed', tally.rows - tally.refused] as [string, number]]
      : [['recorded', tally.recorded] as [string, number], ['recorded before', tally.already] as [string, number]]),
    ['conflict', tally.conflict],
    ['refused', tally.refused],
    ...(tally.unconfirmed > 0 ? [['not confirmed', tally.unconfirmed] as [string, number]] : []),
  ];
  const reasons = Object.entries(tally.reasons).sort(([, a], [, b]) => b - a);
  const lines = [
    ...counts.map(([name, count]) => `${name.padEnd(20)}${number(count).padStart(12)}`),
    ...reasons.map(([code, count]) => `  ${code.padEnd(18)}${number(count).padStart(12)}`),
    `${seconds.toFixed(1)} s, ${rate(tally, seconds)}`,
  ];
  return `${lines.join('\n')}\n`;
}

export function resultJson({ tally, ended }: ImportResult, seconds: number, isDryRun: boolean): string {
  const { recorded, already, ...counts } = tally;
  const stored = isDryRun ? { wellFormed: tally.rows - tally.refused } : { recorded, already };
  return `${JSON.stringify({ ended, dryRun: isDryRun, ...stored, ...counts, seconds: Number(seconds.toFixed(3)) })}\n`;
}

function rate({ recorded, already, conflict, refused }: ImportTally, seconds: number): string {
  return `${number(Math.round((recorded + already + conflict + refused) / Math.max(seconds, 0.001)))} rows/s`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
