// More records than one round takes, none of which can be written: what stands behind them is sent all the same.
import { expect, test } from 'vitest';
import type { SealedHour } from '../../lambdas/domain/ledger.ts';
import type { MeteringBatch } from '../../lambdas/domain/metering-batch.ts';
import { type SendPorts, sendMetering } from '../../lambdas/flow/send-metering.ts';
import { STATE_SHARDS } from '../../lambdas/stores/ledger-items.ts';
import { anHour, aSealedHour, at } from '../builders.ts';
import { MemoryLedgerStore } from '../doubles/memory-ports.ts';
import { MemoryWorkStore } from '../doubles/memory-work.ts';

const STUCK_LICENCE = 'l-00000000000000000000000000000001';
const OTHER_LICENCE = 'l-00000000000000000000000000000002';
/** A round takes 2,000. */
const STUCK_RECORDS = 2_100;

/** No intent of one licence can be written: its partition is throttled, or its items have grown too large. */
class StuckLedger extends MemoryLedgerStore {
  override async intend(sealed: SealedHour, attempt: { id: string; at: number }): Promise<boolean> {
    if (sealed.licenceKey === STUCK_LICENCE) throw new Error('The item could not be written.');
    return super.intend(sealed, attempt);
  }
}

test('a record is sent in the first run although all of more than a round’s worth before it can not be written', async () => {
  const ledger = new StuckLedger();
  const later = { licenceKey: OTHER_LICENCE, dimension: 'requests' };
  for (let index = 0; index < STUCK_RECORDS; index++) {
    await ledger.seal(aSealedHour({ licenceKey: STUCK_LICENCE, dimension: `d${index}` }));
  }
  const { deadlineAt } = aSealedHour();
  await ledger.seal(aSealedHour({ ...later, deadlineAt: deadlineAt + 1 }));
  let ids = 0;
  const ports: SendPorts = {
    ledger,
    work: new MemoryWorkStore(),
    metering: {
      send: async ({ records }: MeteringBatch) => ({
        kind: 'answered',
        answers: records.map(() => ({ kind: 'success' })),
      }),
    },
    pace: { take: async () => {}, depart: async () => {}, throttled: () => {} },
    clock: () => at('2026-09-21T11:20:00Z'),
    newId: () => (++ids).toString(16).padStart(8, '0'),
    limitCalls: (task) => task(),
    limitWrites: (task) => task(),
    log: { warn: () => {}, error: () => {} },
    lingerMs: 0,
    stateShards: STATE_SHARDS,
  };

  await expect(sendMetering(ports, () => true)).rejects.toMatchObject({ code: 'SendingIncomplete' });

  expect(await ledger.sealed(anHour(), OTHER_LICENCE, 'requests')).toMatchObject({ status: 'honoured' });
});
