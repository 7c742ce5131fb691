import { DeleteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { toItem } from '../../lambdas/stores/dynamo.ts';
import { monthKey } from '../../lambdas/stores/summary-items.ts';
import { DynamoSummaryStore } from '../../lambdas/stores/summary-store.ts';
import { anHour, at } from '../builders.ts';
import { describeSummaryStore } from '../contracts/summary-contract.ts';
import { MemorySummaryStore } from '../doubles/memory-summaries.ts';
import { useEngine } from './engine-tables.ts';

const engine = useEngine();
const NOW = at('2026-09-21T11:20:00Z');
const HOUR = anHour('2026-09-21T10');

async function store() {
  const { client, tables } = await engine();
  return { client, table: tables.summaries, summaries: new DynamoSummaryStore(client, tables.summaries) };
}

function meter(number: number, units = { recorded: 5, open: 5 }) {
  const licenceKey = `l-${String(number).padStart(32, '0')}`;
  return { licenceKey, dimension: 'requests', customerId: `cus_${number}`, productCode: 'metrics-cloud', units };
}

/** Counts what is sent from now on, by kind of command. */
function counting(client: DynamoDBClient): Record<string, number> {
  const counts: Record<string, number> = {};
  client.middlewareStack.add(
    (next, context) => (args) => {
      const name = String(context.commandName);
      counts[name] = (counts[name] ?? 0) + 1;
      return next(args);
    },
    { step: 'initialize' },
  );
  return counts;
}

describe('the summaries table', () => {
  describeSummaryStore(async () => (await store()).summaries);

  test('reads a hundred meters at once and writes none that is the same', async () => {
    const { client, summaries } = await store();
    const meters = Array.from({ length: 50 }, (_, number) => meter(number));
    await summaries.writeMeters(HOUR, NOW, meters);
    const counts = counting(client);

    await summaries.writeMeters(HOUR, NOW + 1, [...meters.slice(1), meter(0, { recorded: 6, open: 6 })]);

    expect(counts).toEqual({ BatchGetItemCommand: 1, UpdateItemCommand: 2 });
  });

  test('brings a month up to date that a run which died left behind its day', async () => {
    const { client, table, summaries } = await store();
    await summaries.writeMeters(HOUR, NOW, [meter(1)]);
    const { licenceKey, dimension } = meter(1);
    await client.send(
      new DeleteItemCommand({ TableName: table, Key: toItem(monthKey(licenceKey, dimension, '2026-09')) }),
    );

    await summaries.writeMeters(HOUR, NOW + 1, [meter(1)]);

    expect((await summaries.months('2026-09')).items).toMatchObject([{ licenceKey, customerId: 'cus_1' }]);
  });

  test('ends with the sum of all hours, however many are written at once', async () => {
    const { summaries } = await store();
    const hours = Array.from({ length: 24 }, (_, hour) => anHour(`2026-09-21T${String(hour).padStart(2, '0')}`));

    await Promise.all(hours.map((hour) => summaries.writeMeters(hour, NOW, [meter(1)])));
    // What lost the race for the month is told by the next look at any of the day's hours.
    await summaries.writeMeters(HOUR, NOW + 1, [meter(1)]);

    expect((await summaries.months('2026-09')).items[0]?.days.get('2026-09-21')).toEqual({ recorded: 120, open: 120 });
  });

  test('gives a month page by page, every licence once', async () => {
    const { summaries } = await store();
    const meters = Array.from({ length: 60 }, (_, number) => meter(number));
    await summaries.writeMeters(HOUR, NOW, meters);

    const all = (await summaries.months('2026-09')).items.map(({ licenceKey }) => licenceKey);
    const rest = await summaries.months('2026-09', JSON.stringify({ 0: ' ', 3: 'z' }));

    expect(all.toSorted()).toEqual(meters.map(({ licenceKey }) => licenceKey));
    expect(rest.items.length).toBeGreaterThan(0);
    expect(rest.items.length).toBeLessThan(60);
    expect(rest.cursor).toBeUndefined();
  });
});

describe('summaries in memory', () => describeSummaryStore(async () => new MemorySummaryStore()));
