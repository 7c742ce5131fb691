// The memory store keeps the promises of the real one; else what the flow does over it would prove nothing.
import { describe } from 'vitest';
import { describeEntitlementStore, describeRefreshProgress } from '../contracts/entitlement-contract.ts';
import { MemoryEntitlementStore, MemoryRefreshProgress } from './memory-entitlements.ts';

describe('entitlements in memory', () => describeEntitlementStore(async () => new MemoryEntitlementStore()));

describe('progress in memory', () => describeRefreshProgress(async () => new MemoryRefreshProgress()));
