// The real tables under two that come at once: the same contracts that the tables in memory keep.
import { describe } from 'vitest';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import { DynamoCustomerStore } from '../../lambdas/stores/customer-store.ts';
import { DynamoLedgerStore } from '../../lambdas/stores/ledger-store.ts';
import { DynamoUsageStore } from '../../lambdas/stores/usage-store.ts';
import { DynamoWorkStore } from '../../lambdas/stores/work-store.ts';
import { aProduct, at, LICENCE_ARN } from '../builders.ts';
import { describeLedgerAtOnce, describeUsageAtOnce, describeWorkAtOnce } from '../contracts/at-once-contract.ts';
import { describeLicences } from '../contracts/licence-contract.ts';
import { useEngine } from './engine-tables.ts';

const engine = useEngine();

async function aLedger() {
  const { client, tables } = await engine();
  return new DynamoLedgerStore(client, tables.ledger);
}

async function aUsage() {
  const { client, tables } = await engine();
  return new DynamoUsageStore(client, tables.usage);
}

describe('usage on the engine, at once', () => describeUsageAtOnce(aUsage));

describe('the ledger on the engine, at once', () => describeLedgerAtOnce(aLedger, aUsage));

describe('work on the engine, at once', () =>
  describeWorkAtOnce(async () => {
    const { client, tables } = await engine();
    return new DynamoWorkStore(client, tables.work);
  }));

describe('licences on the engine', () =>
  describeLicences(async () => {
    const { client, tables } = await engine();
    const licences = new DynamoCustomerStore(client, tables.customers);
    const product = aProduct();
    const buyer = { productCode: product.productCode, customerAwsAccountId: '111122223333', licenceArn: LICENCE_ARN };
    await licences.upsert(buyer, product, at('2026-09-01T08:30:00Z'));
    return { licences, licenceKey: licenceKeyOf({ style: 'licence', licenceArn: LICENCE_ARN }) };
  }));
