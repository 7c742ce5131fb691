// What others lose or invent between a usage event and the sum of an hour.
import { QueryCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { fromItem, toItem } from '../../lambdas/stores/dynamo.ts';
import { anEvent, type BackendWorld, startBackendWorld, useServices } from '../backend-world.ts';
import { anHour, at } from '../builders.ts';
import { aFile, fulfillment } from '../cli/fulfillment.ts';
import { billed, rowOf, startWorker, subscribers, tickOf, unitsBilled, writeRows } from './workers.ts';

const services = useServices();

async function rejects(world: BackendWorld): Promise<unknown[]> {
  const { Items = [] } = await world.client.send(new ScanCommand({ TableName: world.tables.rejects }));
  return Items.map((item) => fromItem(item)['code']).sort();
}

describe('reading an hour’s usage', () => {
  test('an hour with more rows than a page of 1 MB is billed whole, where the AWS sample reads one page and leaves the rest (M1)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const tags = Object.fromEntries('abcde'.split('').map((key) => [key, 'x'.repeat(200)]));
    const rows = Array.from({ length: 1_200 }, (_, n) => rowOf(acme, { eventId: `e-${n}`, quantity: 5, tags }));
    await writeRows(world, rows);
    const firstPage = await world.client.send(
      new QueryCommand({
        TableName: world.tables.usage,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: toItem({ ':pk': rows[0]?.pk }),
      }),
    );

    await world.tick('2026-09-21T11:11:00Z');

    expect(firstPage.LastEvaluatedKey).toBeDefined();
    expect(await billed(world)).toEqual([['2026-09-21T10', 6_000]]);
  });

  test('a row without an amount costs itself alone and 11 of 11 units are billed, where it ends the AWS sample’s job for everybody (M2)', async () => {
    const world = await startBackendWorld(services());
    const [acme, globex, initech] = await subscribers(world, 3);
    if (!acme || !globex || !initech) throw new Error('Three buyers are needed.');
    const { quantity: _amount, ...amountless } = rowOf(acme, { eventId: 'no-amount' });
    const { quantity: _other, ...onlyRow } = rowOf(initech, { eventId: 'no-amount' });
    const good = [...Array(6).keys()].map((n) => rowOf(acme, { eventId: `good-${n}`, quantity: 1 }));
    const others = [...Array(5).keys()].map((n) => rowOf(globex, { eventId: `good-${n}`, quantity: 1 }));
    await writeRows(world, [...good, amountless, ...others, onlyRow]);

    await world.tick('2026-09-21T11:11:00Z');

    expect(await billed(world)).toEqual([
      ['2026-09-21T10', 5],
      ['2026-09-21T10', 6],
    ]);
    expect(await rejects(world)).toEqual(['quantityNotWhole', 'quantityNotWhole']);
  });

  test('a row that can not be billed spoils none of its group, where the AWS skill rejects all of the licence, dimension and hour (K6)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const good = [...Array(8).keys()].map((n) => rowOf(acme, { eventId: `good-${n}`, quantity: 5 }));
    const fraction = { ...rowOf(acme, { eventId: 'fraction' }), quantity: 0.5 };
    const seconds = { ...rowOf(acme, { eventId: 'seconds' }), time: at('2026-09-21T10:05:00Z') / 1_000 };
    await writeRows(world, [...good, fraction, seconds]);

    await world.tick('2026-09-21T11:11:00Z');

    expect(await billed(world)).toEqual([['2026-09-21T10', 40]]);
    expect(await rejects(world)).toEqual(['quantityNotWhole', 'timeOutsideHour']);
  });

  test('two amounts of a dimension in one report are one record of 12, where the AWS sample sends two and loses one: 5 of 12 (M3)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.report([5, 7].map((quantity) => anEvent(acme, '2026-09-21T10:05:00Z', { quantity })));

    await world.tick('2026-09-21T11:11:00Z');

    expect(await billed(world)).toEqual([['2026-09-21T10', 12]]);
  });

  test('events of one second are all kept and billed, where the second overwrites the first in the AWS sample and skill (M17, K7)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const { counts } = await world.report([
      anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 5 }),
      anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 7 }),
      anEvent(acme, '2026-09-21T10:05:00.250Z', { quantity: 9 }),
    ]);

    await world.tick('2026-09-21T11:11:00Z');

    expect(counts.recorded).toBe(3);
    expect(await billed(world)).toEqual([['2026-09-21T10', 21]]);
  });

  test('ids of 19 digits stay apart and three runs bill 5 of 5, where the AWS sample rounds the key and bills a phantom row: 15 of 5 (M15)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await world.report([
      anEvent(acme, '2026-09-21T10:05:00Z', { id: '1790071500123456789', quantity: 2 }),
      anEvent(acme, '2026-09-21T10:05:00Z', { id: '1790071500123456790', quantity: 3 }),
    ]);

    for (const time of ['2026-09-21T11:11:00Z', '2026-09-21T12:11:00Z', '2026-09-21T13:11:00Z']) await world.tick(time);

    expect(await billed(world)).toEqual([['2026-09-21T10', 5]]);
    const { Count: rows } = await world.client.send(new ScanCommand({ TableName: world.tables.usage }));
    expect(rows).toBe(2);
  });
});

describe('amounts', () => {
  test('an import adds 3 and 5 up to 8 and text is refused as an amount, where the AWS sample joins "3" and "5" to 35 (M4)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const line = (id: string, quantity: string) => `${id},${acme.licenceArn},requests,${quantity},2026-09-21T10:05:00Z`;
    const file = aFile(
      'usage.csv',
      ['id,licenseArn,dimension,quantity,time', line('a', '3'), line('b', '5')].join('\n'),
    );
    const { exitCode } = await fulfillment(['usage', 'import', file, '--url', world.gateway.url]);
    const { outcomes } = await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: '3' })]);
    await writeRows(world, [{ ...rowOf(acme, { eventId: 'text' }), quantity: '5' }]);

    await world.tick('2026-09-21T11:11:00Z');

    expect(exitCode).toBe(0);
    expect(outcomes).toMatchObject([{ outcome: 'refused', code: 'malformed' }]);
    expect(await billed(world)).toEqual([['2026-09-21T10', 8]]);
    expect(await rejects(world)).toEqual(['malformed', 'quantityNotWhole']);
  });

  test('0.9 and 0.9 are refused with what to do and 9 and 9 tenths bill 18, where the AWS sample bills 1 of 1.8 (M5)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const usage = (quantity: number) => anEvent(acme, '2026-09-21T10:05:00Z', { quantity });
    const { outcomes } = await world.report([usage(0.9), usage(0.9)]);
    await world.tick('2026-09-21T10:30:00Z');
    await world.report([usage(9), usage(9)]);

    await world.tick('2026-09-21T11:11:00Z');

    expect(outcomes.map(({ code }) => code)).toEqual(['quantityNotWhole', 'quantityNotWhole']);
    expect(outcomes[0]?.message).toContain('Report in a smaller unit, or round');
    expect(await billed(world)).toEqual([['2026-09-21T10', 18]]);
  });

  test('an amount that is none is refused, never billed as 0, and 5,000,000,000 is billed over three hours, where the AWS skill sends 0 and checks no 32 bits (K8)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const usage = (quantity: unknown) => anEvent(acme, '2026-09-21T10:05:00Z', { quantity });
    const { counts } = await world.report([usage('abc'), usage(null), usage(-1), usage(undefined)]);
    await writeRows(world, [{ ...rowOf(acme, { eventId: 'text' }), quantity: 'abc' }]);
    await world.tick('2026-09-21T11:11:00Z');
    const before = await world.bill();
    await world.report([anEvent(acme, '2026-09-21T11:05:00Z', { quantity: 5_000_000_000 })]);

    for (const hour of [12, 13, 14]) await world.tick(`2026-09-21T${hour}:11:00Z`);

    expect(counts).toEqual({ recorded: 0, already: 0, conflict: 0, refused: 4 });
    expect(before).toEqual([]);
    expect(await billed(world)).toEqual([
      ['2026-09-21T11', 2_147_483_647],
      ['2026-09-21T12', 2_147_483_647],
      ['2026-09-21T13', 705_032_706],
    ]);
  });

  test('a report of 0 is taken and AWS gets its hourly record of 0, where MichaelWalker’s processor refuses it and the AWS sample sends none (M20, W2)', async () => {
    const world = await startBackendWorld(services(), { product: { zeroRecords: 'oneDimension' } });
    const [acme] = await subscribers(world, 2);
    if (!acme) throw new Error('Nobody subscribed.');
    const { counts } = await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 0 })]);

    await world.tick('2026-09-21T11:11:00Z');

    expect(counts.recorded).toBe(1);
    expect(await billed(world)).toEqual([
      ['2026-09-21T10', 0],
      ['2026-09-21T10', 0],
    ]);
  });
});

describe('usage that changes while it is sent', () => {
  test('a correction during the call is told that 5 stands, and what is added meanwhile is billed next, where the AWS sample bills 5 and shows 50 (M16)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const event = anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 5 });
    await world.report([event]);
    const answers: unknown[] = [];
    const whileInFlight = async () => {
      const more = anEvent(acme, '2026-09-21T10:06:00Z', { quantity: 45 });
      const { outcomes } = await world.report([{ ...event, quantity: 50 }, more]);
      answers.push(...outcomes.map(({ outcome }) => outcome));
    };
    const worker = await startWorker(world, services(), { marketplace: { answered: whileInFlight } });

    await tickOf(world, worker.backend, '2026-09-21T11:11:00Z');
    await world.tick('2026-09-21T11:12:00Z');
    await world.tick('2026-09-21T12:11:00Z');

    expect(answers).toEqual(['conflict', 'recorded']);
    expect(await billed(world)).toEqual([
      ['2026-09-21T10', 5],
      ['2026-09-21T11', 45],
    ]);
    expect(await unitsBilled(world)).toBe(50);
  });

  test('a row that is edited past us after its hour was sealed wakes somebody, where the AWS sample closes it with the old number in silence (M16)', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    await writeRows(world, [rowOf(acme, { eventId: 'edited', quantity: 5 })]);
    await world.tick('2026-09-21T11:11:00Z');

    await writeRows(world, [rowOf(acme, { eventId: 'edited', quantity: 50 })]);
    await world.tick('2026-09-21T13:00:00Z');

    expect(await billed(world)).toEqual([['2026-09-21T10', 5]]);
    expect(world.logged).toContainEqual({
      level: 'error',
      code: 'LedgerBroken',
      facts: expect.objectContaining({ hour: anHour(), problem: 'rowsOverwritten', used: 50, accounted: 5 }),
    });
  });
});
