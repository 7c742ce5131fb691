// The memory ports keep the promises of the real stores; else the randomised worlds would prove nothing.
import { describe, expect, test } from 'vitest';
import { Unavailable } from '../../lambdas/domain/failure.ts';
import type { LedgerStore } from '../../lambdas/flow/ports.ts';
import { aCarry, aLicence, anHour, aSealedHour, at, aUsageEvent, LICENCE_KEY } from '../builders.ts';
import { describeLedgerAtOnce, describeUsageAtOnce, describeWorkAtOnce } from '../contracts/at-once-contract.ts';
import { describeTermCounters } from '../contracts/counter-contract.ts';
import { describeLedgerStore, describeUsageStore } from '../contracts/ledger-contract.ts';
import { describeLicences } from '../contracts/licence-contract.ts';
import { describeWorkStore } from '../contracts/work-contract.ts';
import { LedgerTables, MemoryLedgerStore, MemoryUsageStore, UsageTable } from './memory-ports.ts';
import type { Io } from './memory-table.ts';
import { MemoryLicences, MemoryWorkStore, WorkTable } from './memory-work.ts';

describe('usage in memory', () => describeUsageStore(async () => new MemoryUsageStore()));

describe('the ledger in memory', () =>
  describeLedgerStore(
    async () => new MemoryLedgerStore(),
    async () => new MemoryUsageStore(),
  ));

describe('terms in memory', () => describeTermCounters(async () => new MemoryLedgerStore()));

describe('work in memory', () => describeWorkStore(async () => new MemoryWorkStore()));

describe('usage in memory, at once', () => describeUsageAtOnce(async () => new MemoryUsageStore()));

describe('the ledger in memory, at once', () =>
  describeLedgerAtOnce(
    async () => new MemoryLedgerStore(),
    async () => new MemoryUsageStore(),
  ));

describe('work in memory, at once', () => describeWorkAtOnce(async () => new MemoryWorkStore()));

describe('licences in memory', () =>
  describeLicences(async () => {
    const licences = new MemoryLicences();
    const { customerId, productCode, firstSeenAt } = aLicence();
    const held = { licenceKeys: [LICENCE_KEY], createdAt: firstSeenAt, sequence: 1 };
    licences.add(aLicence());
    licences.table.customers.set(customerId, { customerId, productCode, ...held });
    return { licences, licenceKey: LICENCE_KEY };
  }));

const failure = () => new Unavailable('DatabaseBusy', 'The table did not answer in time.');
const failsBefore: Io = async () => {
  throw failure();
};
const failsAfter: Io = async (_kind, _shard, apply) => {
  apply();
  throw failure();
};

const NOW = at('2026-09-21T11:20:00Z');
const CARRY = aCarry({ originAccounted: 12_500 });

/** Every write to the ledger, and what shows that it was applied. */
const WRITES: readonly (readonly [name: string, write: (ledger: LedgerStore) => Promise<unknown>, trace: object])[] = [
  ['a seal', (ledger) => ledger.seal(aSealedHour({ dimension: 'other' })), { dimension: 'other' }],
  ['a carry', (ledger) => ledger.carry(aSealedHour(), CARRY, 'any'), { carriedOut: 700 }],
  ['a hold', (ledger) => ledger.holdLate(aSealedHour(), { tagSet: '', quantity: 45, reason: 'x' }), { heldLate: 45 }],
  ['a new deadline', (ledger) => ledger.hasten(aSealedHour(), NOW), { deadlineAt: NOW }],
  [
    'an attempt',
    (ledger) => ledger.intend(aSealedHour(), { id: 'a-1', at: NOW }),
    { attempts: { 'a-1': { at: NOW } } },
  ],
  ['a result', (ledger) => ledger.settle(aSealedHour(), { status: 'honoured', at: NOW }), { status: 'honoured' }],
];

describe('a table in memory that fails', () => {
  test.each(WRITES)(
    'before %s leaves everything as it was, and after it has all of it',
    async (_name, write, trace) => {
      const tables = new LedgerTables();
      await new MemoryLedgerStore(undefined, tables).seal(aSealedHour());
      const before = [...tables.entries.entries()];

      await expect(write(new MemoryLedgerStore(failsBefore, tables))).rejects.toThrow(Unavailable);
      expect([...tables.entries.entries()]).toEqual(before);

      await expect(write(new MemoryLedgerStore(failsAfter, tables))).rejects.toThrow(Unavailable);
      expect(tables.sealedHours()).toContainEqual(expect.objectContaining(trace));
    },
  );

  test('at usage and markers fails like the ledger', async () => {
    const [usage, work] = [new UsageTable(), new WorkTable()];

    await expect(new MemoryUsageStore(failsBefore, usage).put(aUsageEvent())).rejects.toThrow(Unavailable);
    await expect(new MemoryWorkStore(failsBefore, work).markLate(anHour(), 5)).rejects.toThrow(Unavailable);
    expect([[...usage.entries()], work.marked()]).toEqual([[], []]);

    await expect(new MemoryUsageStore(failsAfter, usage).put(aUsageEvent())).rejects.toThrow(Unavailable);
    await expect(new MemoryWorkStore(failsAfter, work).markLate(anHour(), 5)).rejects.toThrow(Unavailable);
    expect(await new MemoryUsageStore(undefined, usage).put(aUsageEvent())).toBe('already');
    expect(work.marked()).toHaveLength(1);
  });
});
