// Reads stored items by today's stores: the domain values that they stand for.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type HourStart, parseHour } from '../../lambdas/domain/hour.ts';
import type { Day, Month } from '../../lambdas/domain/summary.ts';
import { DynamoArchiveNotes } from '../../lambdas/stores/archive-notes.ts';
import { DynamoBuyerStore } from '../../lambdas/stores/buyer-store.ts';
import { DynamoCustomerDirectory } from '../../lambdas/stores/customer-directory.ts';
import { DynamoCustomerStore } from '../../lambdas/stores/customer-store.ts';
import { DynamoDeliveryStore } from '../../lambdas/stores/delivery-store.ts';
import { DynamoEntitlementStore, DynamoRefreshProgress } from '../../lambdas/stores/entitlement-store.ts';
import { DynamoHandOffStore } from '../../lambdas/stores/hand-off-store.ts';
import { DynamoLedgerStore } from '../../lambdas/stores/ledger-store.ts';
import { DynamoNoticeStore } from '../../lambdas/stores/notice-store.ts';
import { DynamoOutboxStore } from '../../lambdas/stores/outbox-store.ts';
import { DynamoPriceStore } from '../../lambdas/stores/price-store.ts';
import { DynamoRejectStore } from '../../lambdas/stores/reject-store.ts';
import { DynamoSendingLog } from '../../lambdas/stores/sending-log.ts';
import { DynamoSummaryStore } from '../../lambdas/stores/summary-store.ts';
import type { TableKind } from '../../lambdas/stores/tables.ts';
import { DynamoUsageStore } from '../../lambdas/stores/usage-store.ts';
import { DynamoWorkStore } from '../../lambdas/stores/work-store.ts';
import type { TableNames } from '../../local/tables.ts';
import { kindsOf, type StoredKey } from './item-kinds.ts';

type Read = (key: StoredKey) => Promise<unknown>;

const refuse = (_key: unknown, fault: unknown): never => {
  throw fault;
};

/** How each kind is read: by its partition where the store reads whole ones. */
function readersOf(client: DynamoDBClient, tables: TableNames): Readonly<Record<string, Read>> {
  const { customers, notices, work } = tables;
  const ledger = new DynamoLedgerStore(client, tables.ledger);
  const usage = new DynamoUsageStore(client, tables.usage);
  const customerStore = new DynamoCustomerStore(client, customers);
  const directory = new DynamoCustomerDirectory(client, { notices, customers });
  const noticeStore = new DynamoNoticeStore(client, { notices, customers });
  const outbox = new DynamoOutboxStore(client, { notices, customers, work });
  const workStore = new DynamoWorkStore(client, work);
  const archive = new DynamoArchiveNotes(client, work);
  const summaries = new DynamoSummaryStore(client, tables.summaries);
  const entitlements = new DynamoEntitlementStore(client, customers);
  const thread: Read = ({ pk }) => noticeStore.thread(pk);
  const hourOfLedger: Read = ({ pk }) => all(ledger.entries(hourIn(pk), Number(pk.slice(-2))));
  return {
    'usage event': ({ pk }) => all(usage.rows(hourIn(pk), Number(pk.slice(-2)))),
    'sealed hour': hourOfLedger,
    carry: hourOfLedger,
    credit: async ({ pk }) => [...(await ledger.credits(Number(pk.slice(-2))))],
    'counter of a term': ({ sk }) => ledger.counters(sk.split('#')[0] ?? ''),
    'audit line': ({ pk }) => all(ledger.audit(pk.slice('audit#'.length))),
    licence: ({ sk }) => customerStore.licence(sk),
    customer: ({ pk }) => noticeStore.folded(pk.slice('customer#'.length)),
    'customer of an account': ({ pk }) => directory.ofAccount(pk.split('#')[1] ?? '', [pk.split('#')[2] ?? '']),
    'customer who awaits a licence': ({ pk }) =>
      noticeStore.customersOfAccount(pk.split('#')[1] ?? '', pk.split('#')[2] ?? ''),
    entitlements: ({ sk }) => entitlements.entitlements(sk),
    'ending licence': () => customerStore.endingLicences(),
    buyer: ({ pk }) => new DynamoBuyerStore(client, tables.buyers).details(pk),
    'late marker': () => workStore.lateMarkers(),
    'waiting usage': ({ sk }) => workStore.releaseAwaiting(sk.split('#')[0] ?? ''),
    look: ({ sk }) => workStore.looks(hourIn(sk)),
    watermark: () => workStore.watermark(),
    // Whoever else wants it is refused: that is all that is read of it.
    lease: ({ sk }) => workStore.takeLease(sk, 'somebody else', 0, 1),
    refresh: () => new DynamoRefreshProgress(client, work).nextShard(),
    'held group': async () => [...(await workStore.heldGroups())],
    'archived file': async () => [...(await archive.archived())],
    'begin of the archive': () => archive.begin(hourIn('2099-01-01T00')),
    price: async () =>
      (await new DynamoPriceStore(client, work).prices()).map((price) => ({ ...price, amount: String(price.amount) })),
    'run of the sender': ({ pk }) => new DynamoSendingLog(client, work).ofDay(pk.split('#')[1] as Day),
    'touched hour': () => workStore.touchedHours(),
    summarised: ({ sk }) => workStore.summarizedBefore(Number(sk)),
    'told trouble': ({ pk, sk }) => {
      const at = sk.lastIndexOf('#');
      return outbox.untold([{ partition: pk.slice('told#'.length), meter: sk.slice(0, at), name: sk.slice(at + 1) }]);
    },
    'redeemed hand-off': ({ pk }) => new DynamoHandOffStore(client, work).redeemed(pk.slice('hand-off#'.length)),
    notice: thread,
    owner: thread,
    successor: thread,
    'thread of a customer': ({ pk }) => noticeStore.threadsOfCustomer(pk.slice('customer#'.length)),
    'thread of a licence': ({ pk }) => noticeStore.threadsOfLicence(pk.slice('licence#'.length)),
    'thread of an account': ({ pk }) => noticeStore.threadsOfAccount(pk.split('#')[1] ?? '', pk.split('#')[2] ?? ''),
    'waiting thread': () => noticeStore.waiting(),
    'due customer': () => noticeStore.due(Date.parse('2099-01-01T00:00:00Z')),
    'event to be told': ({ pk }) => all(outbox.pending(Number(pk.split('#')[1]), refuse)),
    delivery: ({ pk }) => new DynamoDeliveryStore(client, tables.deliveries).ofCustomer(pk),
    reject: ({ pk }) => new DynamoRejectStore(client, tables.rejects).refusedOn(pk.slice(0, 10) as Day),
    hour: ({ pk }) => summaries.hours(pk.split('#')[1] as Month),
    day: ({ pk, sk }) => summaries.days(pk.slice('licence#'.length), sk.slice(0, 10) as Day, sk.slice(0, 10) as Day),
    month: ({ pk }) => summaries.months(pk.split('#')[1] as Month),
    pulse: () => summaries.pulse(),
    'hour out of balance': () => summaries.pulse(),
  };
}

async function all<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}

function hourIn(text: string): HourStart {
  const hour = parseHour(text.slice(0, 13));
  if (!hour) throw new Error(`${text} begins with no hour.`);
  return hour;
}

/** What an item stands for. A failed reader throws. */
export function readItem(
  client: DynamoDBClient,
  tables: TableNames,
  table: TableKind,
  key: StoredKey,
): Promise<unknown> {
  const [kind = ''] = kindsOf(table, key);
  const read = readersOf(client, tables)[kind];
  if (!read) throw new Error(`There is no reader of ${table} ${key.pk} ${key.sk}.`);
  return read(key);
}
