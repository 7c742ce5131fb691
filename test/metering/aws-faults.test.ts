// Every way in which AWS answers badly: nothing is closed by it, and everything is billed once afterwards.
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { BY_STATE } from '../../lambdas/stores/tables.ts';
import { anEvent, type BackendWorld, type Subscription, startBackendWorld, useServices } from '../backend-world.ts';
import { anHour } from '../builders.ts';

const services = useServices();

/** A world in which `count` buyers used 10, 11, 12 … in the hour of 10, which may be closed now. */
async function usedWorld(count = 1, options: object = {}) {
  const world = await startBackendWorld(services(), options);
  const buyers: Subscription[] = [];
  for (let index = 0; index < count; index++) buyers.push(await world.subscribe());
  await world.report(buyers.map((buyer, index) => anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 10 + index })));
  await world.clock.set(Date.parse('2026-09-21T11:11:00Z'));
  return { world, buyers };
}

async function quantities(world: BackendWorld): Promise<number[]> {
  return (await world.bill()).map(({ quantity }) => quantity).sort((a, b) => a - b);
}

async function statuses(world: BackendWorld, buyers: readonly Subscription[]): Promise<(string | undefined)[]> {
  const sealed = await Promise.all(buyers.map((each) => world.ledger.sealed(anHour(), each.licenceKey, 'requests')));
  return sealed.map((each) => each?.status);
}

const arm = (world: BackendWorld, ...next: object[]) => world.control.put('/control/faults', { next });

describe('a fault of AWS', () => {
  test.each([
    'accessDenied',
    'expiredCredentials',
    'disabledApi',
    'internalError',
    'refuseThenTimeout',
    'dropConnection',
    'acceptThenTimeout',
  ])('of %s that lasts for hours closes nothing, and all is billed once afterwards', async (kind) => {
    const { world, buyers } = await usedWorld(3);
    await arm(world, { kind, count: 10_000 });
    await world.tick();
    await world.tick('2026-09-21T14:11:00Z');
    await world.tick('2026-09-21T18:11:00Z');
    const during = await statuses(world, buyers);

    await world.control.delete('/control/faults');
    await world.tick('2026-09-21T19:11:00Z');

    expect(during).toEqual(['open', 'open', 'open']);
    expect(await quantities(world)).toEqual([10, 11, 12]);
    expect(await statuses(world, buyers)).toEqual(['honoured', 'honoured', 'honoured']);
  });

  test('in one of its regions stops the usage of that region and closes nothing', async () => {
    const { world, buyers } = await usedWorld();
    await world.control.put('/control/faults', { disabledRegions: ['us-east-1'] });

    await world.tick();

    expect(await statuses(world, buyers)).toEqual(['open']);
    expect(world.logged).toContainEqual(
      expect.objectContaining({ code: 'CallFailed', facts: { awsCode: 'DisabledApiException' } }),
    );
  });

  test('that throttles half of an hour’s calls splits the hour, and bills each unit once', async () => {
    const { world, buyers } = await usedWorld(60);
    await arm(world, { kind: 'throttle', count: 2 });

    await world.tick();

    expect(await quantities(world)).toEqual(buyers.map((_, index) => 10 + index));
    expect(new Set(await statuses(world, buyers))).toEqual(new Set(['honoured']));
  });

  test.each([
    ['Success', 'honoured'],
    ['DuplicateRecord', 'presumed'],
  ])(
    'that loses the answer to a record it billed, and calls its resend %s, leaves it %s and billed once',
    async (reading, status) => {
      const { world, buyers } = await usedWorld(2);
      await world.control.put('/control/switches', { identicalResend: reading });
      await arm(world, { kind: 'acceptThenTimeout' });
      await world.tick();
      const before = await statuses(world, buyers);

      await world.tick('2026-09-21T11:13:00Z');

      expect(before).toEqual(['open', 'open']);
      expect(await statuses(world, buyers)).toEqual([status, status]);
      expect(await quantities(world)).toEqual([10, 11]);
      const books = await world.books('2026-09-21T10', '2026-09-21T12');
      expect(books.map(({ difference }) => difference)).toEqual([0, 0]);
    },
  );

  test.each([
    ['hands most records back', { kind: 'partialUnprocessed', keep: 2 }, 'Unprocessed'],
    ['leaves records out of its answer that it did not bill', { kind: 'missingResults', keep: 2 }, 'MissingFromAnswer'],
    [
      'leaves records out of its answer that it billed',
      { kind: 'missingResults', keep: 2, apply: true },
      'MissingFromAnswer',
    ],
    ['invents a status', { kind: 'unknownStatus', status: 'PendingReview' }, 'UnknownStatus:PendingReview'],
  ])('that %s leaves those open with the reason, and they are billed once', async (_claim, fault, reason) => {
    const { world, buyers } = await usedWorld(5);
    await arm(world, fault);
    await world.tick();
    const sealed = await Promise.all(buyers.map((each) => world.ledger.sealed(anHour(), each.licenceKey, 'requests')));
    const open = sealed.filter((each) => each?.status === 'open');

    await world.tick('2026-09-21T11:13:00Z');

    expect(open.length).toBeGreaterThanOrEqual(3);
    expect(open.every((each) => each?.reason === reason)).toBe(true);
    expect(await quantities(world)).toEqual([10, 11, 12, 13, 14]);
    expect(new Set(await statuses(world, buyers))).toEqual(new Set(['honoured']));
  });

  test('that lasts for a whole day makes expired what AWS can not have, uncertain what it may, and lists both', async () => {
    const { world, buyers } = await usedWorld(1);
    const later = await world.subscribe();
    await world.report([anEvent(later, '2026-09-21T11:10:00Z', { quantity: 500 })]);
    await arm(world, { kind: 'refuseThenTimeout', count: 1 }, { kind: 'accessDenied', count: 10_000 });
    await world.tick('2026-09-21T11:12:00Z');
    await world.tick('2026-09-21T12:11:00Z');

    await world.tick('2026-09-22T11:00:00Z');

    const [first] = buyers;
    const lost = await world.ledger.sealed(anHour('2026-09-21T11'), later.licenceKey, 'requests');
    const maybe = first && (await world.ledger.sealed(anHour(), first.licenceKey, 'requests'));
    expect(maybe).toMatchObject({ status: 'uncertain' });
    expect(lost).toMatchObject({ status: 'expired', reason: 'AccessDeniedException' });
    expect(await attention(world)).toEqual(['expired', 'uncertain']);
    expect(world.logged.filter(({ code }) => code === 'LedgerBroken')).toEqual([]);
  });
});

/** The statuses of what an operator is shown. */
async function attention(world: BackendWorld): Promise<string[]> {
  const { Items = [] } = await world.client.send(
    new ScanCommand({
      TableName: world.tables.ledger,
      IndexName: BY_STATE,
      FilterExpression: 'stateKey = :attention',
      ExpressionAttributeValues: { ':attention': { S: 'attention' } },
    }),
  );
  return Items.map((item) => item['status']?.S ?? '').sort();
}

describe('AWS’s word on a record', () => {
  test('that somebody else billed the hour is disputed: a person decides, and nothing is sent again', async () => {
    const { world, buyers } = await usedWorld();
    const [acme] = buyers;
    if (!acme) throw new Error('Nobody subscribed.');
    const other = await world.ledger.sealed(anHour(), acme.licenceKey, 'requests');
    expect(other).toBeUndefined();
    await world.control.put('/control/switches', { identicalResend: 'DuplicateRecord' });
    await billElsewhere(world, acme, 999);

    await world.tick();
    const calls = await world.calls();
    await world.tick('2026-09-21T13:11:00Z');

    expect(await statuses(world, buyers)).toEqual(['disputed']);
    expect(await quantities(world)).toEqual([999]);
    expect(await world.calls()).toBe(calls);
  });

  test('that the customer is not subscribed holds the record, and it is billed when the buyer is again', async () => {
    const { world, buyers } = await usedWorld();
    const [acme] = buyers;
    await world.control.post(`/control/agreements/${acme?.agreementId}/suspend`);
    await world.tick();
    const during = await statuses(world, buyers);

    await world.control.post(`/control/agreements/${acme?.agreementId}/resume`);
    await world.tick('2026-09-21T11:22:00Z');

    expect(during).toEqual(['held']);
    expect(await statuses(world, buyers)).toEqual(['honoured']);
    expect(await quantities(world)).toEqual([10]);
  });

  test('that the customer is not subscribed until the deadline makes the record expired, with that reason', async () => {
    const { world, buyers } = await usedWorld();
    const [acme] = buyers;
    await world.control.post(`/control/agreements/${acme?.agreementId}/suspend`);
    await world.tick();

    await world.tick('2026-09-22T10:00:00Z');

    const sealed = acme && (await world.ledger.sealed(anHour(), acme.licenceKey, 'requests'));
    expect(sealed).toMatchObject({ status: 'expired', reason: 'CustomerNotSubscribed', attempts: {} });
  });
});

/** Usage of the same hour that does not go through us: another system of the seller that still meters. */
async function billElsewhere(world: BackendWorld, of: Subscription, quantity: number): Promise<void> {
  const Timestamp = Date.parse('2026-09-21T10:05:00Z') / 1_000;
  const record = { Timestamp, Dimension: 'requests', Quantity: quantity, LicenseArn: of.licenceArn };
  const answer = await fetch(world.simulator.url, {
    method: 'POST',
    headers: {
      'x-amz-target': 'AWSMPMeteringService.BatchMeterUsage',
      'content-type': 'application/x-amz-json-1.1',
      authorization: 'AWS4-HMAC-SHA256 Credential=AKIA/20260921/us-east-1/aws-marketplace/aws4_request',
    },
    body: JSON.stringify({ UsageRecords: [{ ...record, CustomerAWSAccountId: of.awsAccountId }] }),
  });
  expect(await answer.json()).toMatchObject({ Results: [{ Status: 'Success' }] });
}
