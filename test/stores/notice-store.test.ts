import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { DynamoCustomerStore } from '../../lambdas/stores/customer-store.ts';
import { fromItem } from '../../lambdas/stores/dynamo.ts';
import { DynamoNoticeStore } from '../../lambdas/stores/notice-store.ts';
import { aProduct, LICENCE_ARN } from '../builders.ts';
import { describeNoticeStore } from '../contracts/notice-contract.ts';
import { ACCOUNT, aNotice, BOUGHT_AT } from '../purchase.ts';
import { useEngine } from './engine-tables.ts';

const engine = useEngine();

async function stores() {
  const { client, tables } = await engine();
  return {
    client,
    tables,
    notices: new DynamoNoticeStore(client, tables),
    customers: new DynamoCustomerStore(client, tables.customers),
  };
}

describe('DynamoNoticeStore', () => {
  describeNoticeStore(stores);

  test('keeps what was received beside what was read from it', async () => {
    const { client, tables, notices } = await stores();

    await notices.keep(aNotice('recorded', 0, { type: 'Purchase Agreement Sealed' }), '{"detail":{"new":1}}');

    const { Items = [] } = await client.send(new ScanCommand({ TableName: tables.notices }));
    expect(Items.map(fromItem)).toMatchObject([
      { v: 1, type: 'Purchase Agreement Sealed', received: '{"detail":{"new":1}}' },
    ]);
  });

  test('puts the events of a customer into one partition of the outbox, in order', async () => {
    const { client, tables, notices, customers } = await stores();
    const buyer = { productCode: 'metrics-cloud', customerAwsAccountId: ACCOUNT, licenceArn: LICENCE_ARN };
    const { customer } = await customers.upsert(buyer, aProduct(), BOUGHT_AT);
    const { customerId } = customer;
    const read = await notices.folded(customerId);
    if (!read) throw new Error('The customer is missing.');
    const { standing } = read;
    const told = { customerId, at: BOUGHT_AT, standing };

    await notices.tell(read, {
      standing,
      events: [
        { ...told, type: 'customerRegistered', sequence: 1 },
        { ...told, type: 'accessGranted', sequence: 2 },
      ],
    });

    const { Items = [] } = await client.send(new ScanCommand({ TableName: tables.notices }));
    const outbox = Items.map(fromItem).sort((a, b) => (String(a['sk']) < String(b['sk']) ? -1 : 1));
    expect(new Set(outbox.map((item) => item['pk']))).toHaveProperty('size', 1);
    expect(outbox).toMatchObject([
      { type: 'customerRegistered', sequence: 1, standing },
      { type: 'accessGranted', sequence: 2, standing },
    ]);
  });
});
