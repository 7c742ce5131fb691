// How a run tells what it does: one line as each step begins, what it found, and how long it took.
import { setTimeout as delay } from 'node:timers/promises';

const STARTED_AT_MS = performance.now();

export interface Timed {
  readonly step: string;
  readonly seconds: number;
}

export class Steps {
  readonly taken: Timed[] = [];

  /** Throws what the step throws, with the step's name before it. */
  async take<T>(step: string, run: () => Promise<T>): Promise<T> {
    const startedAtMs = performance.now();
    console.log(`${clock()}  ${step}`);
    try {
      return await run();
    } catch (cause) {
      throw new Error(`${step}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    } finally {
      this.taken.push({ step, seconds: tenths(performance.now() - startedAtMs) });
    }
  }
}

export function say(text: string): void {
  console.log(text.replaceAll(/^/gm, '         '));
}

/** Asks until the answer is no longer undefined. Throws what was waited for where that takes too long. */
export async function eventually<T>(
  what: string,
  patienceSeconds: number,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  for (const endsAtMs = performance.now() + patienceSeconds * 1_000; ; ) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > endsAtMs) throw new Error(`${patienceSeconds} s have passed without ${what}.`);
    await delay(1_000);
  }
}

/** Throws where it does not hold. */
export function hold(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`It does not hold that ${what}.`);
}

export function sinceStartSeconds(): number {
  return tenths(performance.now() - STARTED_AT_MS);
}

function clock(): string {
  return `[${sinceStartSeconds().toFixed(1).padStart(6)}]`;
}

function tenths(ms: number): number {
  return Math.round(ms / 100) / 10;
}
