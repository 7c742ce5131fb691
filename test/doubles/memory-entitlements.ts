// What AWS said of contracts, in memory, under the conditions of the real store.
import { type LicenceEntitlements, refreshDueAt } from '../../lambdas/domain/entitlement.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import type { EntitlementChange, EntitlementStore, RefreshProgress } from '../../lambdas/flow/entitlement-ports.ts';

export class MemoryEntitlementStore implements EntitlementStore {
  readonly table = new Map<string, LicenceEntitlements>();

  async entitlements(licenceKey: string): Promise<LicenceEntitlements | undefined> {
    return structuredClone(this.table.get(licenceKey));
  }

  async write({ before, after }: EntitlementChange): Promise<'written' | 'moved'> {
    const stands = this.table.get(after.licenceKey);
    if (JSON.stringify(stands) !== JSON.stringify(before)) return 'moved';
    this.table.set(after.licenceKey, structuredClone(after));
    return 'written';
  }

  async dueTimes(shard: number): Promise<ReadonlyMap<string, number>> {
    const ofShard = [...this.table].filter(([licenceKey]) => shardOf(licenceKey) === shard);
    return new Map(ofShard.map(([licenceKey, known]) => [licenceKey, refreshDueAt(known)]));
  }
}

export class MemoryRefreshProgress implements RefreshProgress {
  #shard = 0;

  async nextShard(): Promise<number> {
    return this.#shard;
  }

  async noteNextShard(shard: number): Promise<void> {
    this.#shard = shard;
  }
}
