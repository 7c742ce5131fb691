// Worlds in which every kind of item is written, by the deployed handlers where they do it in a day or two.
import { type AttributeValue, type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { eventsOf } from '../../lambdas/domain/access-event.ts';
import { REGISTERS_FOR_MS } from '../../lambdas/domain/hand-off.ts';
import type { Standing } from '../../lambdas/domain/standing.ts';
import { DynamoArchiveNotes } from '../../lambdas/stores/archive-notes.ts';
import { DynamoRefreshProgress } from '../../lambdas/stores/entitlement-store.ts';
import { DynamoHandOffStore } from '../../lambdas/stores/hand-off-store.ts';
import { DynamoSummaryStore } from '../../lambdas/stores/summary-store.ts';
import type { TableKind } from '../../lambdas/stores/tables.ts';
import type { TableNames } from '../../local/tables.ts';
import { openDesk } from '../../operator/desk.ts';
import { anEvent, PRODUCT, startBackendWorld, type useServices } from '../backend-world.ts';
import { anHour, aProduct, at } from '../builders.ts';
import { register, startTroubledWorld } from '../console/troubled-world.ts';
import { startContractWorld } from '../handlers/contract-world.ts';
import { deskOf } from '../operator/desk-world.ts';

export type StoredItem = Record<string, AttributeValue>;
export type ItemsByTable = Record<TableKind, StoredItem[]>;

type Services = ReturnType<typeof useServices>;

/** All items of several worlds, each key once: later worlds give way to earlier ones. */
export async function itemsOfEveryKind(services: Services): Promise<ItemsByTable> {
  const all = new Map<string, { readonly table: TableKind; readonly item: StoredItem }>();
  for (const make of [aTroubledWorld, aContractWorld, aMovingWorld]) {
    const { client, tables } = await make(services);
    for (const [table, name] of Object.entries(tables) as [TableKind, string][]) {
      for (const item of await scanned(client, name)) {
        const key = `${table}\n${item['pk']?.S ?? item['customerId']?.S}\n${item['sk']?.S}`;
        if (!all.has(key)) all.set(key, { table, item });
      }
    }
  }
  const byTable = Map.groupBy(all.values(), ({ table }) => table);
  return Object.fromEntries(
    [...byTable].map(([table, found]) => [table, found.map(({ item }) => item)]),
  ) as unknown as ItemsByTable;
}

async function scanned(client: DynamoDBClient, table: string): Promise<StoredItem[]> {
  const items: StoredItem[] = [];
  let start: StoredItem | undefined;
  do {
    const page = await client.send(new ScanCommand({ TableName: table, ExclusiveStartKey: start }));
    items.push(...(page.Items ?? []));
    start = page.LastEvaluatedKey;
  } while (start);
  return items;
}

interface Filled {
  readonly client: DynamoDBClient;
  readonly tables: TableNames;
}

/** Two days in which everything goes wrong, and what an operator does about some of it. */
async function aTroubledWorld(services: Services): Promise<Filled> {
  const { world, buyers } = await startTroubledWorld(services());
  const { perform } = await deskOf(world);
  const { licenceKey } = buyers('presumed');
  await perform('setPrice', { productCode: PRODUCT, dimension: 'requests', price: '0.02' });
  await perform('credit', { licenceKey, dimension: 'requests', units: '5' });
  await perform('withhold', {
    licenceKey: buyers('aboutToExpire').licenceKey,
    dimension: 'requests',
    hour: '2026-09-21T15',
    units: '20',
  });
  return world;
}

/** A contract that includes less than is used. */
async function aContractWorld(services: Services): Promise<Filled> {
  const world = await startContractWorld(services);
  const acme = await world.subscribe({ entitlements: world.seats(50), endAt: '2027-09-21T10:00:00Z' });
  await world.refresh();
  await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 1_200 })]);
  await world.tick('2026-09-21T11:11:00Z');
  return world;
}

/** Buyers who renew, leave, go over to a licence, and whom nobody has told us of; usage that comes late. */
async function aMovingWorld(services: Services): Promise<Filled> {
  const world = await startBackendWorld(services(), { product: { zeroRecords: 'oneDimension' } });
  const { control, client, tables, work, customers, clock } = world;
  const [acme, beta, gamma] = [await world.subscribe(), await world.subscribe(), await world.subscribe()];
  await register(world, acme, 'acme');
  await clock.set(at('2026-09-21T10:30:00Z'));
  await control.post(`/control/agreements/${acme.agreementId}/renew`);
  await world.deliverNotices();
  await world.report([
    anEvent(acme, '2026-09-21T10:20:00Z', { quantity: 12, tags: { team: 'a' } }),
    anEvent(beta, '2026-09-21T10:20:00Z', { quantity: 4 }),
    anEvent(
      { licenceArn: 'arn:aws:license-manager::294406891311:license:l-00000000000000000000000000000001' },
      '2026-09-21T10:20:00Z',
    ),
  ]);
  await world.tick('2026-09-21T11:11:00Z');
  await world.report([anEvent(beta, '2026-09-21T10:40:00Z', { quantity: 9 })]);
  await world.tick('2026-09-21T11:20:00Z');
  await control.post(`/control/agreements/${gamma.agreementId}/cancel`);
  await clock.set(at('2026-09-21T11:30:00Z'));
  await world.deliverNotices();
  await world.report([anEvent(acme, '2026-09-21T10:50:00Z', { quantity: 3 })]);
  const account = { productCode: PRODUCT, customerAwsAccountId: '222233334444' };
  await customers.upsert(account, aProduct({ productCode: PRODUCT }), clock.now());
  // What is gone within the run that writes it, and what takes months or a broken promise to come about.
  const nowMs = clock.now();
  await work.takeLease('sender', 'run-1', nowMs, nowMs + 60_000);
  await work.markTouched([anHour('2026-09-21T10')]);
  const desk = await openDesk(world.facts);
  // Told by the schedule, had the run that noted it died before it told it itself.
  const folded = await desk.notices.folded(acme.customerId);
  if (!folded) throw new Error('The buyer is no customer.');
  const standing: Standing = { ...folded.standing, marks: ['advisory'] };
  const { customerId, sequence } = folded.customer;
  const events = eventsOf(folded.standing, standing, { customerId, sequence, at: nowMs });
  await desk.notices.tell(folded, { standing, events });
  await desk.notices.noteDue({ customerId: acme.customerId, changesAt: nowMs + 60_000 });
  desk.close();
  // No product of this world has a sign-up page of the seller's own.
  await new DynamoHandOffStore(client, tables.work).redeem({
    handOffId: 'hand-off-of-acme',
    customerId: acme.customerId,
    redemptionId: 'redemption-of-acme',
    registersUntil: nowMs + REGISTERS_FOR_MS,
  });
  await new DynamoRefreshProgress(client, tables.work).noteNextShard(12);
  const notes = new DynamoArchiveNotes(client, tables.work);
  await notes.begin(anHour('2026-09-21T10'));
  await notes.noteArchived('audit/2026/09/21/10.jsonl.gz', nowMs);
  const difference = { licenceKey: beta.licenceKey, dimension: 'requests', difference: 1 };
  const summary = { hour: anHour('2026-09-21T09'), asOf: nowMs, meters: [], unbalanced: 1, differences: [difference] };
  await new DynamoSummaryStore(client, tables.summaries).writeHour(summary);
  return world;
}
