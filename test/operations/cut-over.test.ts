// A buyer who goes over from one name to the other: no hour is billed under both, and none under neither.
import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import { compare } from '../../lambdas/flow/operations/compare.ts';
import { cutOver } from '../../lambdas/flow/operations/cut-over.ts';
import { verify } from '../../lambdas/flow/operations/verify.ts';
import { customerItemKey, licenceItemKey } from '../../lambdas/stores/customer-items.ts';
import { toItem } from '../../lambdas/stores/dynamo.ts';
import { anEvent, startBackendWorld, useServices } from '../backend-world.ts';
import { aLicence, anHour } from '../builders.ts';
import { operatorOf } from './operator.ts';

const services = useServices();

async function legacyWorld() {
  const world = await startBackendWorld(services(), { product: { identityStyle: 'legacy' } });
  const buyer = await world.subscribe();
  const licenceKey = licenceKeyOf({ style: 'licence', licenceArn: buyer.licenceArn });
  const wanted = {
    legacyKey: buyer.licenceKey,
    licenceArn: buyer.licenceArn,
    hour: anHour('2026-09-21T13'),
    customerAwsAccountId: buyer.awsAccountId,
  };
  const byIdentifier = (at: string, quantity: number) => {
    const { licenseArn: _arn, ...event } = anEvent(buyer, at, { quantity });
    return { ...event, productCode: 'metrics-cloud', customerIdentifier: buyer.customerIdentifier };
  };
  return { world, buyer, licenceKey, wanted, byIdentifier };
}

describe('a cut-over', () => {
  test('bills each hour once, by whatever name its usage is reported', async () => {
    const { world, buyer, licenceKey, wanted, byIdentifier } = await legacyWorld();
    const operator = operatorOf(world);
    await world.report([byIdentifier('2026-09-21T10:04:00Z', 10)]);
    const act = operator.act('the listing moved to licences');

    const first = await cutOver(operator, wanted, act);
    const again = await cutOver(operator, wanted, act);
    await world.tick('2026-09-21T11:11:00Z');
    await world.clock.set(Date.parse('2026-09-21T12:50:00Z'));
    await world.report([
      byIdentifier('2026-09-21T12:40:00Z', 20),
      anEvent(buyer, '2026-09-21T12:41:00Z', { quantity: 3 }),
    ]);
    await world.clock.set(Date.parse('2026-09-21T13:30:00Z'));
    await world.report([
      byIdentifier('2026-09-21T13:20:00Z', 40),
      anEvent(buyer, '2026-09-21T13:21:00Z', { quantity: 5 }),
    ]);
    // Late usage of the last hour by identifier.
    await world.report([byIdentifier('2026-09-21T12:42:00Z', 100)]);
    await world.tick('2026-09-21T14:11:00Z');
    await world.tick('2026-09-21T14:12:00Z');

    expect([first.kind, again.kind]).toEqual(['done', 'already']);
    const bill = await world.bill();
    expect(bill.map(({ hour, quantity }) => [hour.slice(0, 13), quantity])).toEqual([
      ['2026-09-21T10', 10],
      ['2026-09-21T12', 123],
      ['2026-09-21T13', 45],
    ]);
    const sealed = await Promise.all([
      world.ledger.sealed(anHour('2026-09-21T12'), buyer.licenceKey, 'requests'),
      world.ledger.sealed(anHour('2026-09-21T13'), licenceKey, 'requests'),
    ]);
    expect(sealed.map((each) => [each?.identityStyle, each?.status])).toEqual([
      ['legacy', 'honoured'],
      ['licence', 'honoured'],
    ]);
    const range = { first: anHour('2026-09-21T09'), end: anHour('2026-09-21T15') };
    expect(await verify(world, range)).toMatchObject({ balanced: true, totals: { honoured: 178 } });
    // The same hours as AWS's bill has them, by the name of the licence alone.
    const submitted = bill.map(({ hour, quantity }) => ({
      licenceKey,
      dimension: 'requests',
      hour: anHour(hour.slice(0, 13)),
      quantity,
      state: 'submitted' as const,
    }));
    expect(await compare(operator, range, submitted)).toMatchObject({ totals: { same: 3, different: 0 } });
  });

  test('stands on both licences and in the customer, or nowhere, and is never moved', async () => {
    const { world, buyer, licenceKey, wanted } = await legacyWorld();
    const operator = operatorOf(world);
    const other = { ...wanted, hour: anHour('2026-09-21T15') };

    const outcomes = await Promise.all([
      cutOver(operator, wanted, operator.act('first')),
      cutOver(operator, other, operator.act('second')),
    ]);
    const late = await cutOver(operator, other, operator.act('third'));

    expect(outcomes.filter(({ kind }) => kind === 'done')).toHaveLength(1);
    const [legacy, licence] = await Promise.all(
      [buyer.licenceKey, licenceKey].map((key) => world.customers.licence(key)),
    );
    expect(legacy?.cutOverHour).toBe(licence?.cutOverHour);
    expect([legacy?.counterpartKey, licence?.counterpartKey]).toEqual([licenceKey, buyer.licenceKey]);
    expect(licence).toMatchObject({
      identityStyle: 'licence',
      meteringRegion: 'us-east-1',
      customerId: buyer.customerId,
    });
    expect((await world.customers.customer(buyer.customerId))?.licenceKeys).toEqual([buyer.licenceKey, licenceKey]);
    expect(['already', 'refused']).toContain(late.kind);
    expect(legacy?.cutOverHour === other.hour || late.kind === 'refused').toBe(true);
  });

  test('to a licence that is the buyer’s already keeps what is known of it', async () => {
    const { world, buyer, licenceKey, wanted } = await legacyWorld();
    const operator = operatorOf(world);
    const { licenceArn, customerId } = buyer;
    const licence = aLicence({ licenceKey, licenceArn, customerId, meteringRegion: 'eu-west-1' });
    const TableName = world.tables.customers;
    const item = { ...licenceItemKey(licenceKey), v: 1, ...licence };
    await world.client.send(new PutItemCommand({ TableName, Item: toItem(item) }));
    await world.client.send(
      new UpdateItemCommand({
        TableName,
        Key: toItem(customerItemKey(customerId)),
        UpdateExpression: 'SET licenceKeys = :keys',
        ExpressionAttributeValues: toItem({ ':keys': [buyer.licenceKey, licenceKey] }),
      }),
    );

    await cutOver(operator, wanted, operator.act('the listing moved to licences'));

    expect(await world.customers.licence(licenceKey)).toEqual({
      ...licence,
      cutOverHour: wanted.hour,
      counterpartKey: buyer.licenceKey,
    });
    expect((await world.customers.customer(customerId))?.licenceKeys).toEqual([buyer.licenceKey, licenceKey]);
  });

  test('is refused while usage under the licence could still be billed', async () => {
    const { world, buyer, wanted } = await legacyWorld();
    const operator = operatorOf(world);
    await world.report([anEvent(buyer, '2026-09-21T10:04:00Z')]);

    expect(await cutOver(operator, wanted, operator.act('too soon'))).toMatchObject({ code: 'licenceMetered' });
  });
});
