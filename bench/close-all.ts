// One close of the bench's hour, as the schedule makes it: every shard, sixteen side by side.
import { type HourStart, parseHour } from '../lambdas/domain/hour.ts';
import { SHARD_COUNT } from '../lambdas/domain/keys.ts';
import { addLook, type ClosePorts, closeHour, type LookResult, nothingDone } from '../lambdas/flow/close-hour.ts';

export const CLOSE_HOUR: HourStart = parseHour('2026-09-21T10') ?? neverHour();

const SHARDS_AT_ONCE = 16;

export async function eachShard(task: (shard: number) => Promise<unknown>): Promise<void> {
  const queue = Array.from({ length: SHARD_COUNT }, (_, shard) => shard).values();
  await Promise.all(
    Array.from({ length: SHARDS_AT_ONCE }, async () => {
      for (const shard of queue) await task(shard);
    }),
  );
}

export async function closeAll(ports: ClosePorts, hour: HourStart = CLOSE_HOUR): Promise<LookResult> {
  const result = nothingDone();
  await eachShard(async (shard) => addLook(result, await closeHour(ports, { hour, shard })));
  return result;
}

function neverHour(): never {
  throw new Error('The hour of the bench is not an hour.');
}
