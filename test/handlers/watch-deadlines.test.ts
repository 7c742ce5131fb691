// What a run costs, and what it says of more than it looks at.
import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { addHours } from '../../lambdas/domain/hour.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import { DEFAULT_METERING_POLICY } from '../../lambdas/domain/metering-policy.ts';
import { type WatchPorts, watchDeadlines } from '../../lambdas/flow/watch-deadlines.ts';
import { STATE_SHARDS } from '../../lambdas/stores/ledger-items.ts';
import { DynamoLedgerStore } from '../../lambdas/stores/ledger-store.ts';
import { DynamoNoticeStore } from '../../lambdas/stores/notice-store.ts';
import { DynamoOutboxStore } from '../../lambdas/stores/outbox-store.ts';
import { DynamoWorkStore } from '../../lambdas/stores/work-store.ts';
import { createTables } from '../../local/tables.ts';
import { localClient, useServices } from '../backend-world.ts';
import { anHour, aSealedHour, at } from '../builders.ts';
import { MemoryLedgerStore } from '../doubles/memory-ports.ts';

const services = useServices();

const NOW = at('2026-09-21T12:00:00Z');

/** The stores on a real engine, with the calls that they make. */
async function countedPorts() {
  const client = localClient(services().database.endpoint);
  onTestFinished(() => client.destroy());
  const tables = await createTables(client, `${randomBytes(6).toString('hex')}-`);
  const calls: string[] = [];
  client.middlewareStack.add(
    (next, context) => (args) => {
      calls.push(String(context.commandName));
      return next(args);
    },
    { step: 'initialize' },
  );
  const ports: WatchPorts & { readonly ledger: DynamoLedgerStore; readonly work: DynamoWorkStore } = {
    ledger: new DynamoLedgerStore(client, tables.ledger),
    work: new DynamoWorkStore(client, tables.work),
    notices: new DynamoNoticeStore(client, tables),
    outbox: new DynamoOutboxStore(client, tables),
    clock: () => NOW,
    policy: DEFAULT_METERING_POLICY,
    stateShards: STATE_SHARDS,
  };
  const callsOf = async () => {
    calls.length = 0;
    const watched = await watchDeadlines(ports);
    return { watched, queries: calls.filter((name) => name === 'QueryCommand').length, calls: calls.length };
  };
  return { ports, callsOf };
}

describe('a run', () => {
  test('makes 21 queries while nothing waits, and one read more for what is in trouble', async () => {
    const { ports, callsOf } = await countedPorts();
    await ports.work.raiseWatermark(anHour());
    await ports.work.noteLooks({ hour: anHour(), looksDone: 1 });
    const quiet = await callsOf();
    for (let index = 0; index < 20; index++) {
      const licenceKey = `l-${String(index).padStart(32, '0')}`;
      await ports.ledger.seal(aSealedHour({ licenceKey, shard: shardOf(licenceKey), status: 'held' }));
    }
    const troubled = await callsOf();

    // Eight shards each of what is to be sent and of events; what was refused; what needs a person; groups, looks,
    // notices; watermark.
    expect(quiet.queries).toBe(21);
    expect(quiet.calls).toBe(22);
    expect(troubled.calls).toBe(23);
    expect(troubled.watched.byStatus.held).toBe(20);
    expect(troubled.watched.unitsAtStake).toBe(20 * 12_500);
  });

  test('reads 200 records of an outage at most, and counts the others as the index has them', async () => {
    const { ports } = await countedPorts();
    const ledger = new MemoryLedgerStore();
    const read: number[] = [];
    const counting: WatchPorts['ledger'] = {
      open: (shard, onMalformed) => ledger.open(shard, onMalformed),
      refused: (onMalformed) => ledger.refused(onMalformed),
      attention: (onMalformed, sinceMs) => ledger.attention(onMalformed, sinceMs),
      records: (references, onMalformed) => {
        read.push(references.length);
        return ledger.records(references, onMalformed);
      },
    };
    const sealedAt = at('2026-09-21T11:10:00Z');
    for (let index = 0; index < 3_000; index++) {
      // The first of them are zeros, which harm nobody; all in one shard, and the later, the more time is left.
      const record = { ...aSealedHour().record, quantity: index < 50 ? 0 : 1 };
      const deadlineAt = at('2026-09-22T10:00:00Z') + index;
      await ledger.seal(aSealedHour({ dimension: `d${index}`, record, deadlineAt, sealedAt }));
    }

    const watched = await watchDeadlines({ ...ports, ledger: counting });

    expect(Math.max(...read)).toBe(200);
    expect(watched.byStatus.open).toBe(2_500 - 50);
    expect(watched.unitsAtStake).toBe(150);
    expect(watched.leftMs.window).toBe(at('2026-09-22T10:00:00Z') + 50 - NOW);
  });

  test('tells of a record that was lost behind thousands of which nobody has confirmed that AWS has them', async () => {
    const { ports } = await countedPorts();
    const ledger = new MemoryLedgerStore();
    const deadlineAt = NOW - 3_600_000;
    for (let index = 0; index < 3_000; index++)
      await ledger.seal(aSealedHour({ dimension: `d${index}`, status: 'presumed', deadlineAt }));
    // Of the same outage: its place among them, at one end, is by its name.
    await ledger.seal(aSealedHour({ dimension: 'dx', status: 'expired', deadlineAt }));

    const { byStatus } = await watchDeadlines({ ...ports, ledger });

    expect([byStatus.expired, byStatus.presumed]).toEqual([1, 3_000]);
  });

  test('says how long the oldest has waited, and how many hours nobody has been through', async () => {
    const { ports } = await countedPorts();
    await ports.work.raiseWatermark(anHour('2026-09-21T08'));
    await ports.work.noteLooks({ hour: anHour('2026-09-21T09'), looksDone: 1 });
    await ports.ledger.seal(aSealedHour({ hour: addHours(anHour(), -1) }));

    const watched = await watchDeadlines(ports);

    expect(watched.oldestOpenMs).toBe(2 * 3_600_000);
    // That of eight, and that of ten, which was over an hour ago.
    expect(watched.hoursUnclosed).toBe(2);
    expect(watched.leftMs.window).toBe(at('2026-09-22T08:00:00Z') - NOW);
  });
});
