// The memory ports keep the promises of the real stores; else the randomised worlds would prove nothing.
import { describe } from 'vitest';
import { describeTermCounters } from '../contracts/counter-contract.ts';
import { describeLedgerStore, describeUsageStore } from '../contracts/ledger-contract.ts';
import { describeWorkStore } from '../contracts/work-contract.ts';
import { MemoryLedgerStore, MemoryUsageStore } from './memory-ports.ts';
import { MemoryWorkStore } from './memory-work.ts';

describe('usage in memory', () => describeUsageStore(async () => new MemoryUsageStore()));

describe('the ledger in memory', () =>
  describeLedgerStore(
    async () => new MemoryLedgerStore(),
    async () => new MemoryUsageStore(),
  ));

describe('terms in memory', () => describeTermCounters(async () => new MemoryLedgerStore()));

describe('work in memory', () => describeWorkStore(async () => new MemoryWorkStore()));
