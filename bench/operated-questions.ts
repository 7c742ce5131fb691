// Every view of the operator's side, asked once, with the reads of the database that it took.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { hourOf } from '../lambdas/domain/hour.ts';
import { DEFAULT_METERING_POLICY } from '../lambdas/domain/metering-policy.ts';
import { parsePrice } from '../lambdas/domain/money.ts';
import type { Product } from '../lambdas/domain/product.ts';
import { dayOf, monthOf } from '../lambdas/domain/summary.ts';
import { readAttention } from '../lambdas/flow/reads/read-attention.ts';
import { readBooks } from '../lambdas/flow/reads/read-books.ts';
import { readCustomerPage } from '../lambdas/flow/reads/read-customer-page.ts';
import { listCustomers, searchCustomers } from '../lambdas/flow/reads/read-customers.ts';
import { readHours } from '../lambdas/flow/reads/read-hours.ts';
import { priceKey, readCustomerMoney, readMoney } from '../lambdas/flow/reads/read-money.ts';
import { readUsage } from '../lambdas/flow/reads/read-usage.ts';
import { DynamoBuyerStore } from '../lambdas/stores/buyer-store.ts';
import { DynamoCustomerDirectory } from '../lambdas/stores/customer-directory.ts';
import { DynamoCustomerStore } from '../lambdas/stores/customer-store.ts';
import { DynamoDeliveryStore } from '../lambdas/stores/delivery-store.ts';
import { DynamoEntitlementStore } from '../lambdas/stores/entitlement-store.ts';
import { STATE_SHARDS } from '../lambdas/stores/ledger-items.ts';
import { DynamoLedgerStore } from '../lambdas/stores/ledger-store.ts';
import { DynamoNoticeStore } from '../lambdas/stores/notice-store.ts';
import { DynamoOutboxStore } from '../lambdas/stores/outbox-store.ts';
import { DynamoSummaryStore } from '../lambdas/stores/summary-store.ts';
import { DynamoWorkStore } from '../lambdas/stores/work-store.ts';
import type { TableNames } from '../local/tables.ts';

interface Asked {
  readonly client: DynamoDBClient;
  readonly tables: TableNames;
  readonly products: readonly Product[];
  readonly nowMs: number;
  readonly who: Readonly<
    Record<'customerId' | 'licenceArn' | 'agreementId' | 'accountId' | 'company' | 'email', string>
  >;
}

export interface Answered {
  readonly view: string;
  /** Calls of the database. */
  readonly reads: number;
  readonly tookMs: number;
  readonly answer: unknown;
}

/** Asks one after the other; each is asked for everything, personal data included. */
export async function askEach({ client, tables, products, nowMs, who }: Asked): Promise<readonly Answered[]> {
  const { customers, notices, work } = tables;
  const ports = {
    customers: new DynamoCustomerStore(client, customers),
    directory: new DynamoCustomerDirectory(client, { notices, customers }),
    buyers: new DynamoBuyerStore(client, tables.buyers),
    ledger: new DynamoLedgerStore(client, tables.ledger),
    work: new DynamoWorkStore(client, work),
    notices: new DynamoNoticeStore(client, { notices, customers }),
    outbox: new DynamoOutboxStore(client, { notices, customers, work }),
    deliveries: new DynamoDeliveryStore(client, tables.deliveries),
    standing: new DynamoEntitlementStore(client, customers),
    summaries: new DynamoSummaryStore(client, tables.summaries),
    products: new Map(products.map((product) => [product.productCode, product])),
    policy: DEFAULT_METERING_POLICY,
    usageWarningHours: [12, 6, 2],
    webhooks: [{ name: 'crm' }],
    stateShards: STATE_SHARDS,
    clock: () => nowMs,
  };
  const everything = { withPersonalData: true };
  const of = { customerId: who.customerId };
  const month = monthOf(hourOf(nowMs));
  const one = parsePrice('1');
  const prices = new Map(
    products.flatMap(({ productCode, dimensions }) =>
      dimensions.flatMap((dimension) => (one === undefined ? [] : [[priceKey(productCode, dimension), one] as const])),
    ),
  );
  const search = (text: string) => () => searchCustomers(ports, text, everything);
  const questions: Readonly<Record<string, () => Promise<unknown>>> = {
    attention: () => readAttention(ports),
    customers: () => listCustomers(ports, everything),
    'search by company': search(who.company),
    'search by account': search(who.accountId),
    'search by licence': search(who.licenceArn),
    'search by agreement': search(who.agreementId),
    'search by e-mail': search(who.email),
    customer: () => readCustomerPage(ports, who.customerId, everything),
    'a customer’s month': () => readUsage(ports, of, { month, by: 'hour' }),
    'a customer’s day': () => readUsage(ports, of, { day: dayOf(hourOf(nowMs)) }),
    hours: () => readHours(ports, { month }),
    books: () => readBooks(ports, month),
    money: () => readMoney(ports, month, prices),
    'money by customer': () => readCustomerMoney(ports, month, prices),
  };
  const counter = counting(client);
  const answers: Answered[] = [];
  for (const [view, ask] of Object.entries(questions)) {
    const [before, startedAtMs] = [counter.calls, performance.now()];
    const answer = await ask();
    answers.push({ view, reads: counter.calls - before, tookMs: performance.now() - startedAtMs, answer });
  }
  return answers;
}

function counting(client: DynamoDBClient): { calls: number } {
  const counter = { calls: 0 };
  client.middlewareStack.add(
    (next) => (args) => {
      counter.calls += 1;
      return next(args);
    },
    { step: 'initialize' },
  );
  return counter;
}
