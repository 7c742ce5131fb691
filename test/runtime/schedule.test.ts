// What a scheduled function does with its time.
import { describe, expect, test } from 'vitest';
import { CALL_TIMEOUT_MS } from '../../lambdas/domain/marketplace-limits.ts';
import { scheduleHandler } from '../../lambdas/runtime/schedule.ts';

const log = { info: () => {}, warn: () => {}, error: () => {} };

/** Whether work may still be begun with so much of Lambda's time left. */
async function mayBegin(leftMs: number): Promise<boolean> {
  let answer = false;
  const handler = scheduleHandler(log, 'Done', async (hasTime) => {
    answer = hasTime();
    return {};
  });
  await handler({}, { awsRequestId: 'req-1', getRemainingTimeInMillis: () => leftMs });
  return answer;
}

describe('a scheduled run', () => {
  test('begins nothing that could outlast it: a call may take all of its time, and its answer has to be written', async () => {
    expect(await mayBegin(CALL_TIMEOUT_MS + 10_000)).toBe(false);
    expect(await mayBegin(60_000)).toBe(true);
  });
});
