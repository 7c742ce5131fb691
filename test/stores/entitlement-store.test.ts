import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { type Entitlement, withAnswer } from '../../lambdas/domain/entitlement.ts';
import { BrokenInvariant } from '../../lambdas/domain/failure.ts';
import { HOUR_MS } from '../../lambdas/domain/hour.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import type { Item } from '../../lambdas/stores/dynamo.ts';
import { getItem, toItem } from '../../lambdas/stores/dynamo.ts';
import { type Beside, DynamoEntitlementStore, DynamoRefreshProgress } from '../../lambdas/stores/entitlement-store.ts';
import { aLicence, at, LICENCE_KEY } from '../builders.ts';
import { describeEntitlementStore, describeRefreshProgress } from '../contracts/entitlement-contract.ts';
import { useEngine } from './engine-tables.ts';

const engine = useEngine();
const NOW = at('2026-09-21T10:05:00Z');
const SEATS: Entitlement = { dimension: 'seats', value: { kind: 'integer', value: 50 } };
const KEY: Item = { pk: `entitlements#${String(shardOf(LICENCE_KEY)).padStart(2, '0')}`, sk: LICENCE_KEY };

describe('entitlements', () =>
  describeEntitlementStore(async () => {
    const { client, tables } = await engine();
    return new DynamoEntitlementStore(client, tables.customers);
  }));

describe('progress', () =>
  describeRefreshProgress(async () => {
    const { client, tables } = await engine();
    return new DynamoRefreshProgress(client, tables.work);
  }));

describe('a change', () => {
  /** A store whose changes are told by an item beside them, once per event id. */
  async function tellingStore() {
    const { client, tables } = await engine();
    const asked: string[] = [];
    const beside: Beside = async ({ licence, before, after }) => {
      asked.push(`${before?.checkedAt ?? 'new'} -> ${after.checkedAt}`);
      const event = { pk: `customer#${licence.customerId}`, sk: `event#${after.versions.length}` };
      return [
        { Put: { TableName: tables.customers, Item: toItem(event), ConditionExpression: 'attribute_not_exists(pk)' } },
      ];
    };
    const eventAt = (sk: string) =>
      getItem(client, { TableName: tables.customers, Key: toItem({ pk: `customer#${aLicence().customerId}`, sk }) });
    return { store: new DynamoEntitlementStore(client, tables.customers, beside), asked, eventAt, client, tables };
  }

  const licence = aLicence();
  const first = withAnswer(undefined, LICENCE_KEY, [SEATS], NOW);
  const second = withAnswer(first, LICENCE_KEY, [], NOW + HOUR_MS);

  test('is told in the transaction that writes it, and a mere check is not told', async () => {
    const { store, asked, eventAt } = await tellingStore();
    const checked = withAnswer(first, LICENCE_KEY, [SEATS], NOW + HOUR_MS);

    expect(await store.write({ licence, before: undefined, after: first })).toBe('written');
    expect(await store.write({ licence, before: first, after: checked })).toBe('written');

    expect(asked).toEqual([`new -> ${NOW}`]);
    expect(await eventAt('event#1')).toBeDefined();
  });

  test('that comes too late is not told', async () => {
    const { store, eventAt } = await tellingStore();
    await store.write({ licence, before: undefined, after: first });

    expect(await store.write({ licence, before: undefined, after: second })).toBe('moved');
    expect(await eventAt('event#2')).toBeUndefined();
  });

  test('is not written where what tells of it cannot be', async () => {
    const { store, client, tables } = await tellingStore();
    const taken = { pk: `customer#${licence.customerId}`, sk: 'event#2' };
    await store.write({ licence, before: undefined, after: first });
    await client.send(new PutItemCommand({ TableName: tables.customers, Item: toItem(taken) }));

    expect(await store.write({ licence, before: first, after: second })).toBe('moved');
    expect(await store.entitlements(LICENCE_KEY)).toEqual(first);
  });
});

describe('an item', () => {
  test('carries the version of its layout, and stands among those of its licence’s shard', async () => {
    const { client, tables } = await engine();
    const store = new DynamoEntitlementStore(client, tables.customers);

    await store.write({
      licence: aLicence(),
      before: undefined,
      after: withAnswer(undefined, LICENCE_KEY, [SEATS], NOW),
    });

    const item = await getItem(client, { TableName: tables.customers, Key: toItem(KEY) });
    expect(item).toMatchObject({ v: 1, licenceKey: LICENCE_KEY, checkedAt: NOW, dueAt: NOW + HOUR_MS });
  });

  test('that is broken is named where it is read, and is due', async () => {
    const { client, tables } = await engine();
    const store = new DynamoEntitlementStore(client, tables.customers);
    await client.send(
      new UpdateItemCommand({
        TableName: tables.customers,
        Key: toItem(KEY),
        UpdateExpression: 'SET licenceKey = :key, dueAt = :due, versions = :versions, checkedAt = :at',
        ExpressionAttributeValues: toItem({
          ':key': LICENCE_KEY,
          ':due': 'soon',
          ':at': NOW,
          ':versions': [
            { from: '2026-09-21T10', termStart: '2026-09-21T10', entitlements: [{ dimension: 'seats', value: 5 }] },
          ],
        }),
      }),
    );

    await expect(store.entitlements(LICENCE_KEY)).rejects.toBeInstanceOf(BrokenInvariant);
    expect(await store.dueTimes(shardOf(LICENCE_KEY))).toEqual(new Map());
  });
});
