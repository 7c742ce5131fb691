// Mistakes that others have made with money, planted one by one to show that the randomised check can fail.
import type { Carry, SealedHour } from '../../lambdas/domain/ledger.ts';
import type { BatchAnswer, Settlement } from '../../lambdas/domain/metering-result.ts';
import type { MeteringGateway } from '../../lambdas/flow/ports.ts';
import { MemoryLedgerStore, type MemoryUsageStore, raised } from './memory-ports.ts';
import type { Defect } from './metering-world.ts';

class SealsUnconditionally extends MemoryLedgerStore {
  override async seal(sealed: SealedHour): Promise<'sealed' | 'exists'> {
    await this.gate(sealed.shard);
    this.put(sealed);
    return 'sealed';
  }
}

class CarriesInTwoWrites extends MemoryLedgerStore {
  override async carry(origin: SealedHour, carry: Carry): Promise<'carried' | 'moved' | 'targetSealed'> {
    await this.gate(origin.shard);
    if (!this.hasCarry(carry)) this.putCarry(carry);
    await this.gate(origin.shard);
    const current = this.unmoved(origin, carry.tagSet);
    if (!current) return 'moved';
    this.put({ ...raised(current, origin, carry), carriedOut: current.carriedOut + carry.quantity });
    return 'carried';
  }
}

class CarriesWhateverStands extends MemoryLedgerStore {
  protected override unmoved(origin: SealedHour): SealedHour | undefined {
    return this.standing(origin);
  }
}

class ClosesOnFault extends MemoryLedgerStore {
  override settle(sealed: SealedHour, settlement: Settlement): Promise<boolean> {
    const isFault = settlement.status === 'open' && settlement.reason === 'InternalServiceErrorException';
    return super.settle(sealed, isFault ? { ...settlement, status: 'quarantined' } : settlement);
  }
}

class ForgetsAttempts extends MemoryLedgerStore {
  override async intend(sealed: SealedHour, _attempt: { id: string; at: number }): Promise<boolean> {
    await this.gate(sealed.shard);
    return true;
  }

  override settle(sealed: SealedHour, settlement: Settlement): Promise<boolean> {
    return super.settle({ ...sealed, attempts: {} }, settlement);
  }
}

class ExpiresWhatWasAttempted extends MemoryLedgerStore {
  override settle(sealed: SealedHour, settlement: Settlement): Promise<boolean> {
    const { status } = settlement;
    return super.settle(sealed, { ...settlement, status: status === 'uncertain' ? 'expired' : status });
  }
}

/** Sends what is used now instead of what was sealed, as every rival does that keeps no sealed record. */
function sendsCurrentUsage(aws: MeteringGateway, usage: MemoryUsageStore): MeteringGateway {
  const usedOf = async (sealed: SealedHour) => {
    let used = 0;
    for await (const page of usage.rows(sealed.hour, sealed.shard)) {
      for (const row of page) if (row.kind === 'good' && row.dimension === sealed.dimension) used += row.quantity;
    }
    return { ...sealed, record: { ...sealed.record, quantity: used } };
  };
  return {
    send: async (batch): Promise<BatchAnswer> =>
      aws.send({ ...batch, records: await Promise.all(batch.records.map(usedOf)) }),
  };
}

/** Takes a call that failed for one that succeeded. */
function believesEveryCall(aws: MeteringGateway): MeteringGateway {
  return {
    send: async (batch): Promise<BatchAnswer> => {
      const answer = await aws.send(batch);
      if (answer.kind === 'answered') return answer;
      return { kind: 'answered', answers: batch.records.map(() => ({ kind: 'success' })) };
    },
  };
}

export const PLANTED_DEFECTS: Readonly<Record<string, Defect & { readonly firstSeed: number }>> = {
  'a seal overwrites a seal': {
    firstSeed: 10,
    ledger: (gate) => new SealsUnconditionally(gate),
    chances: { timePasses: 0.02 },
  },
  'a carry is written in two steps': {
    firstSeed: 9,
    ledger: (gate) => new CarriesInTwoWrites(gate),
    chances: { die: 0.04, timePasses: 0.01 },
  },
  'a carry does not ask what is accounted for': {
    firstSeed: 5,
    ledger: (gate) => new CarriesWhateverStands(gate),
    chances: { timePasses: 0.02 },
  },
  'a fault of AWS closes a record': { firstSeed: 3, ledger: (gate) => new ClosesOnFault(gate) },
  'attempts are not noted before the call': { firstSeed: 1, ledger: (gate) => new ForgetsAttempts(gate) },
  'an attempted record expires like one never sent': {
    firstSeed: 93,
    ledger: (gate) => new ExpiresWhatWasAttempted(gate),
  },
  'the usage of the moment is sent, not the sealed one': { firstSeed: 1, metering: sendsCurrentUsage },
  'a failed call counts as a success': { firstSeed: 1, metering: believesEveryCall },
};
