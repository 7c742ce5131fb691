// What every bench measures with.

export interface Took {
  readonly wallMs: number;
  /** Of this process: what others do on the machine hardly changes it. */
  readonly cpuMs: number;
}

/** How long a task takes. */
export async function timed(task: () => Promise<unknown>): Promise<Took> {
  const startedAtMs = performance.now();
  const before = process.cpuUsage();
  await task();
  const { user, system } = process.cpuUsage(before);
  return { wallMs: performance.now() - startedAtMs, cpuMs: (user + system) / 1_000 };
}

/** The middle one of some values: a machine that is shared makes single runs lie. */
export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}
