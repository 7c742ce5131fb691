import { describe, expect, test } from 'vitest';
import { DynamoSendingLog } from '../../lambdas/stores/sending-log.ts';
import { at } from '../builders.ts';
import { useEngine } from './engine-tables.ts';

const engine = useEngine();

const RUN = { runId: 'run-1', startedAt: at('2026-09-21T23:59:30Z'), calls: 3, records: 61, honoured: 60, faults: 1 };

describe('what the sender leaves behind', () => {
  test('is told by day, each run once and in order', async () => {
    const { client, tables } = await engine();
    const log = new DynamoSendingLog(client, tables.work);
    const earlier = { ...RUN, runId: 'run-0', startedAt: at('2026-09-21T11:11:00Z') };
    const nextDay = { ...RUN, runId: 'run-2', startedAt: at('2026-09-22T00:00:00Z') };

    for (const run of [RUN, nextDay, earlier, { ...RUN, calls: 9 }]) await log.note(run);

    expect(await log.ofDay('2026-09-21')).toEqual([earlier, RUN]);
    expect(await log.ofDay('2026-09-22')).toEqual([nextDay]);
  });
});
