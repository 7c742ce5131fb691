import { describe, expect, test } from 'vitest';
import { putItem, toItem } from '../../lambdas/stores/dynamo.ts';
import { DynamoWorkStore } from '../../lambdas/stores/work-store.ts';
import { anHour } from '../builders.ts';
import { describeWorkStore } from '../contracts/work-contract.ts';
import { useEngine } from './engine-tables.ts';

const engine = useEngine();

describe('the work table', () =>
  describeWorkStore(async () => {
    const { client, tables } = await engine();
    return new DynamoWorkStore(client, tables.work);
  }));

describe('late markers that somebody else left', () => {
  test('are passed over and swept where they make no sense, and stop none of the others', async () => {
    const { client, tables } = await engine();
    const work = new DynamoWorkStore(client, tables.work);
    await work.markLate(anHour(), 5);
    const foreign = ['2026-09-21T10:00:00Z#05', '2026-09-21T10#5', '2026-09-21T10#64', 'late', '2026-09-21T10'];
    for (const sk of foreign) {
      await putItem(client, {
        TableName: tables.work,
        Item: toItem({ pk: 'late', sk, hour: 12, shard: 'x', version: 1 }),
      });
    }
    await putItem(client, {
      TableName: tables.work,
      Item: toItem({ pk: 'late', sk: '2026-09-21T11#07', version: 'one' }),
    });

    const markers = await work.lateMarkers();
    await work.sweepLate(0);
    await work.markLate(anHour('2026-09-21T11'), 7);

    expect(markers).toEqual([{ hour: '2026-09-21T10', shard: 5, version: 1 }]);
    expect(await work.lateMarkers()).toEqual([
      { hour: '2026-09-21T10', shard: 5, version: 1 },
      { hour: '2026-09-21T11', shard: 7, version: 1 },
    ]);
  });
});
