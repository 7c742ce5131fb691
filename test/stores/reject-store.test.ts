import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import type { Refusal } from '../../lambdas/domain/refusal.ts';
import { fromItem } from '../../lambdas/stores/dynamo.ts';
import { DynamoRejectStore } from '../../lambdas/stores/reject-store.ts';
import { anHour, at, LICENCE_KEY } from '../builders.ts';
import { useEngine } from './engine-tables.ts';

const engine = useEngine();

function aRefusal(overrides: Partial<Refusal> = {}): Refusal {
  return {
    at: at('2026-09-21T10:05:00Z'),
    source: 'door',
    code: 'timeTooOld',
    message: 'time 2026-09-20T10:04:59.999Z is more than 23 hours ago.',
    subject: LICENCE_KEY,
    dimension: 'requests',
    eventId: 'e-1',
    quantity: 250,
    received: '{"id":"e-1"}',
    ...overrides,
  };
}

async function kept(...refusals: readonly Refusal[]) {
  const { client, tables } = await engine();
  const rejects = new DynamoRejectStore(client, tables.rejects);
  for (const refusal of refusals) await rejects.keep(refusal);
  const { Items = [] } = await client.send(new ScanCommand({ TableName: tables.rejects }));
  return Items.map(fromItem);
}

describe('the rejects table', () => {
  test('keeps a refusal once, counts its repeats, and says when it came first and last', async () => {
    const again = at('2026-09-21T12:00:00Z');

    const items = await kept(aRefusal(), aRefusal({ at: again }));

    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ times: 2, firstAt: aRefusal().at, lastAt: again, code: 'timeTooOld' });
    expect(items[0]?.['refusal']).toMatchObject({ subject: LICENCE_KEY, eventId: 'e-1', quantity: 250 });
  });

  test('keeps refusals of other events, dimensions, buyers and codes apart', async () => {
    const items = await kept(
      aRefusal(),
      aRefusal({ eventId: 'e-2' }),
      aRefusal({ dimension: 'gb_stored' }),
      aRefusal({ subject: 'cus_x' }),
      aRefusal({ code: 'conflict' }),
    );

    expect(items).toHaveLength(5);
  });

  test('keeps a row that the close refuses on two days once, under the day of its hour', async () => {
    const row = aRefusal({ source: 'close', hour: anHour('2026-09-21T23'), code: 'quantityNotWhole' });

    const items = await kept(
      row,
      { ...row, at: at('2026-09-22T01:00:00Z') },
      { ...row, at: at('2026-09-22T23:10:00Z') },
    );

    expect(items).toHaveLength(1);
    expect(items[0]?.['pk']).toMatch(/^2026-09-21#\d$/);
  });

  test('keeps text that was cut within a character, which DynamoDB would refuse', async () => {
    const [item] = await kept(aRefusal({ subject: 'cus_\ud83d', received: `{"id":"${'😀'.repeat(9).slice(0, 17)}` }));

    expect(item?.['refusal']).toMatchObject({ subject: 'cus_\ufffd' });
  });
});
