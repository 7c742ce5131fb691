import { describe, expect, test } from 'vitest';
import { newActionId } from '../../lambdas/domain/amendment.ts';
import { eraseBuyer } from '../../lambdas/flow/operations/erase-buyer.ts';
import { listCustomers, searchCustomers } from '../../lambdas/flow/reads/read-customers.ts';
import { DynamoBuyerStore } from '../../lambdas/stores/buyer-store.ts';
import { DynamoCustomerDirectory } from '../../lambdas/stores/customer-directory.ts';
import { DynamoCustomerStore } from '../../lambdas/stores/customer-store.ts';
import { DynamoLedgerStore } from '../../lambdas/stores/ledger-store.ts';
import { DynamoSummaryStore } from '../../lambdas/stores/summary-store.ts';
import { aProduct, at, LICENCE_ARN } from '../builders.ts';
import { useEngine } from '../stores/engine-tables.ts';

const engine = useEngine();
const NOW = at('2026-09-21T12:20:00Z');

async function world() {
  const { client, tables } = await engine();
  const ports = {
    customers: new DynamoCustomerStore(client, tables.customers),
    buyers: new DynamoBuyerStore(client, tables.buyers),
    ledger: new DynamoLedgerStore(client, tables.ledger),
    directory: new DynamoCustomerDirectory(client, tables),
    summaries: new DynamoSummaryStore(client, tables.summaries),
    products: new Map([[aProduct().productCode, aProduct()]]),
    clock: () => NOW,
  };
  const buyer = { productCode: aProduct().productCode, licenceArn: LICENCE_ARN, customerAwsAccountId: '111122223333' };
  const { customerId } = (await ports.customers.upsert(buyer, aProduct(), NOW)).customer;
  const fields = { company: 'Blue Sky', name: 'Kim Lee' };
  await ports.buyers.put({ customerId, email: 'kim@example.com', fields, submittedAt: NOW });
  return { ...ports, customerId };
}

function anAct(distinct = 'a') {
  return { actionId: newActionId(NOW, distinct), who: 'pat@example.com', why: 'the buyer asked for it' };
}

describe('erasing a buyer', () => {
  test('takes every detail away, from each way in, and leaves the customer and a line that names nobody', async () => {
    const ports = await world();
    const { customerId } = ports;

    const outcome = await eraseBuyer(ports, customerId, anAct());

    if (outcome.kind !== 'done') throw new Error(`It is ${outcome.kind}.`);
    expect(outcome.submittedAt).toBe(NOW);
    expect(outcome.names.toSorted()).toEqual(['company', 'email', 'name']);
    expect(await ports.buyers.details(customerId)).toBeUndefined();
    for (const text of ['kim@example.com', 'blue']) expect((await searchCustomers(ports, text)).hits).toEqual([]);
    const { customers } = await listCustomers(ports, { withPersonalData: true });
    expect(customers.map((row) => [row.customerId, row.company, row.email])).toEqual([
      [customerId, undefined, undefined],
    ]);
    const [line, ...others] = await ports.ledger.auditOf(customerId, 9);
    expect(line).toMatchObject({ action: 'eraseBuyer', who: 'pat@example.com', facts: { customerId, details: 3 } });
    expect(others).toEqual([]);
    expect(JSON.stringify(line)).not.toMatch(/kim|blue|lee/i);
  });

  test('is planned without a write, and done once under its id', async () => {
    const ports = await world();
    const { customerId } = ports;

    expect(await eraseBuyer(ports, customerId, anAct(), { dryRun: true })).toMatchObject({ kind: 'planned' });
    expect(await ports.buyers.details(customerId)).toBeDefined();
    expect(await ports.ledger.action(anAct().actionId)).toBeUndefined();

    await eraseBuyer(ports, customerId, anAct());
    expect(await eraseBuyer(ports, customerId, anAct())).toEqual({ kind: 'already' });
    expect(await eraseBuyer(ports, customerId, anAct('b'))).toMatchObject({ kind: 'refused', code: 'nothingToErase' });
  });

  test('is finished by the same act where it stopped behind its line', async () => {
    const ports = await world();
    const { customerId } = ports;
    const dies = {
      details: ports.buyers.details.bind(ports.buyers),
      erase: () => Promise.reject(new Error('stopped')),
    };
    await expect(eraseBuyer({ ...ports, buyers: dies }, customerId, anAct())).rejects.toThrow('stopped');

    expect(await eraseBuyer(ports, customerId, anAct())).toEqual({ kind: 'already' });
    expect(await ports.buyers.details(customerId)).toBeUndefined();
  });

  test('refuses a customer that is unknown, an act without a reason, and an id of another act', async () => {
    const ports = await world();
    const { customerId } = ports;

    expect(await eraseBuyer(ports, 'cus_nobody', anAct())).toMatchObject({ code: 'customerUnknown' });
    expect(await eraseBuyer(ports, customerId, { ...anAct(), why: ' ' })).toMatchObject({ code: 'whyMissing' });
    await eraseBuyer(ports, customerId, anAct());
    expect(await eraseBuyer(ports, 'cus_other', anAct())).toMatchObject({ code: 'actionIdTaken' });
  });
});
