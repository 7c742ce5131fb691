// How far a command is that goes through many hours, or rows.
import type { HourStart } from '../lambdas/domain/hour.ts';
import type { Terminal } from './command.ts';

const SHOW_EVERY_MS = { terminal: 100, file: 10_000 };

/** A line that is drawn over itself on a terminal, and written now and then anywhere else. */
export class ProgressLine {
  readonly #out: Terminal['stderr'];
  #shownAtMs = performance.now();
  #isDrawn = false;

  constructor({ stderr }: Pick<Terminal, 'stderr'>) {
    this.#out = stderr;
  }

  show(textOf: () => string): void {
    const everyMs = this.#out.isTTY ? SHOW_EVERY_MS.terminal : SHOW_EVERY_MS.file;
    if (performance.now() - this.#shownAtMs < everyMs) return;
    this.#shownAtMs = performance.now();
    this.#out.write(this.#out.isTTY ? `\r\u001b[K${textOf()}` : `${textOf()}\n`);
    this.#isDrawn = Boolean(this.#out.isTTY);
  }

  clear(): void {
    if (this.#isDrawn) this.#out.write('\r\u001b[K');
    this.#isDrawn = false;
  }
}

export class HourProgress {
  readonly #line: ProgressLine;
  readonly #total: number;
  #done = 0;

  constructor(terminal: Pick<Terminal, 'stderr'>, total: number) {
    this.#line = new ProgressLine(terminal);
    this.#total = total;
  }

  passed(hour: HourStart): void {
    this.#done += 1;
    this.#line.show(() => `${hour}  ${this.#done} of ${this.#total} hours`);
  }

  clear(): void {
    this.#line.clear();
  }
}
