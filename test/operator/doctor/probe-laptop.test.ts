// The doctor on a laptop: a healthy world, and what is planted in one.
import { CreateTableCommand, DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { examine } from '../../../operator/doctor/examine.ts';
import { probeLaptop } from '../../../operator/doctor/probe-laptop.ts';
import { startBackendWorld, useServices } from '../../backend-world.ts';

const services = useServices();

describe('looking at a laptop', () => {
  test('finds nothing wrong with a world that runs, and asks the simulated AWS, the database and the pages', async () => {
    const world = await startBackendWorld(services());

    const found = examine(await probeLaptop(world.facts));

    expect(found.filter(({ level }) => level !== 'ok')).toEqual([]);
    const subjects = found.map(({ subject }) => subject);
    expect(subjects).toEqual(
      expect.arrayContaining(['tables', 'fulfillment URL', 'POST /usage', 'BatchMeterUsage in us-east-1']),
    );
    expect(await world.bill()).toEqual([]);
  });

  test('finds a table that is gone, and one that somebody else made', async () => {
    const { client, tables, facts } = await startBackendWorld(services());
    await client.send(new DeleteTableCommand({ TableName: tables.rejects }));
    await client.send(new DeleteTableCommand({ TableName: tables.usage }));
    await client.send(
      new CreateTableCommand({
        TableName: tables.usage,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      }),
    );

    const found = examine(await probeLaptop(facts)).filter(({ level }) => level !== 'ok');

    expect(found).toMatchObject([
      { code: 'TableShapeWrong', subject: 'table usage', seen: 'Its key is id.', expected: 'key pk, sk' },
      { code: 'TableMissing', subject: 'table rejects', level: 'problem' },
    ]);
  });

  test('finds pages that nobody serves', async () => {
    const { facts } = await startBackendWorld(services());
    const urls = { ...facts.urls, fulfillment: 'http://127.0.0.1:1/register' };

    const found = examine(await probeLaptop({ ...facts, urls })).filter(({ level }) => level !== 'ok');

    expect(found.map(({ code }) => code)).toContain('PagesUnreachable');
    expect(found[0]?.seen).toContain('does not answer');
  });

  test('finds an AWS that is disabled for the account, by a token that it never gave and a call with no records', async () => {
    const { facts, control } = await startBackendWorld(services());
    await control.put('/control/faults', { disabledRegions: ['us-east-1'] });

    const found = examine(await probeLaptop(facts)).filter(({ level }) => level !== 'ok');

    expect(found).toMatchObject([
      { code: 'ResolveRefused', level: 'problem' },
      { code: 'RegionDisabled', level: 'problem', remedy: expect.stringContaining('Enable us-east-1') },
    ]);
  });
});
