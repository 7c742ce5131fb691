// Usage that AWS does not take, told in time, each trouble once.
import { describe, expect, test } from 'vitest';
import { hourShardKey, meterKey } from '../../lambdas/domain/keys.ts';
import type { SealedHour } from '../../lambdas/domain/ledger.ts';
import { UNKNOWN_STANDING } from '../../lambdas/domain/standing.ts';
import { noteUsageTrouble, type TroublePorts } from '../../lambdas/flow/note-usage-trouble.ts';
import type { FoldedCustomer } from '../../lambdas/flow/notice-ports.ts';
import type { ItemKey, LiveRecord } from '../../lambdas/flow/ports.ts';
import { anHour, aSealedHour, at } from '../builders.ts';
import { MemoryOutbox, OutboxTables } from '../doubles/memory-access.ts';

const CUSTOMER = aSealedHour().customerId;
const SEALED_AT = aSealedHour().sealedAt;
const DEADLINE = aSealedHour().deadlineAt;
const HOUR = 3_600_000;
const always = () => true;

const keyOf = (sealed: SealedHour): ItemKey => ({
  partition: hourShardKey(sealed.hour, sealed.shard),
  meter: meterKey(sealed.licenceKey, sealed.dimension),
});

function aWorld(...records: readonly SealedHour[]) {
  const tables = new OutboxTables();
  const standing = { ...UNKNOWN_STANDING, state: 'active' as const };
  const customer = { customerId: CUSTOMER, productCode: 'p', licenceKeys: [], createdAt: 0, sequence: 4 };
  tables.customers.set(CUSTOMER, { customer, folds: 1, standing });
  const state = { nowMs: SEALED_AT + HOUR, records: [...records] };
  const errors: unknown[] = [];
  const ports: TroublePorts = {
    ledger: {
      open: async function* () {},
      refused: async function* () {
        yield state.records.map((sealed): LiveRecord => ({ ...keyOf(sealed), ...sealed }));
      },
      records: async (references) => {
        const wanted = new Set(references.map(({ partition, meter }) => partition + meter));
        return state.records.filter((sealed) => wanted.has(keyOf(sealed).partition + keyOf(sealed).meter));
      },
    },
    notices: { folded: async (customerId): Promise<FoldedCustomer | undefined> => tables.customers.get(customerId) },
    outbox: new MemoryOutbox(tables),
    clock: () => state.nowMs,
    log: { error: (code, facts) => void errors.push({ code, ...facts }) },
    stateShards: 2,
    warnAtHours: [12, 6, 2],
  };
  return { tables, state, errors, ports, told: () => [...tables.waiting.values()] };
}

const held = (overrides: Partial<SealedHour> = {}) =>
  aSealedHour({ status: 'held', reason: 'CustomerNotSubscribed', ...overrides });

describe('usage in trouble', () => {
  test('is told when AWS does not take it, as an event of its customer with the standing as it was', async () => {
    const { ports, tables, told, state } = aWorld(held());

    expect(await noteUsageTrouble(ports, always)).toEqual({ noted: 1, waiting: 0, failed: 0 });

    expect(told()).toEqual([
      {
        type: 'usageHeld',
        customerId: CUSTOMER,
        sequence: 5,
        at: state.nowMs,
        standing: { ...UNKNOWN_STANDING, state: 'active' },
        usage: {
          hour: '2026-09-21T10',
          licenceKey: held().licenceKey,
          dimension: 'requests',
          quantity: 12_500,
          status: 'held',
          reason: 'CustomerNotSubscribed',
          deadlineAt: DEADLINE,
        },
      },
    ]);
    expect(tables.customers.get(CUSTOMER)?.customer.sequence).toBe(5);
  });

  test('is told once of each trouble, however often it is looked at', async () => {
    const { ports, told, state } = aWorld(held());
    const after: [number, number][] = [];

    for (let hours = 24; hours > 0; hours -= 0.5) {
      state.nowMs = DEADLINE - hours * HOUR;
      const { noted } = await noteUsageTrouble(ports, always);
      if (noted > 0) after.push([hours, noted]);
    }

    expect(after).toEqual([
      [24, 1],
      [12, 1],
      [6, 1],
      [2, 1],
    ]);
    expect(told().map(({ type }) => type)).toEqual(['usageHeld', ...Array(3).fill('usageAboutToExpire')]);
    expect(told().map(({ sequence }) => sequence)).toEqual([5, 6, 7, 8]);
  });

  test('that is found late is told of the step that it has reached, not of those before it', async () => {
    const { ports, told, state } = aWorld(aSealedHour({ status: 'quarantined' }));
    state.nowMs = DEADLINE - HOUR;

    await noteUsageTrouble(ports, always);
    await noteUsageTrouble(ports, always);

    expect(told()).toHaveLength(1);
  });

  test('is two events where two hours are held, each with what it is about', async () => {
    const { ports, told } = aWorld(held(), held({ hour: anHour('2026-09-21T11') }));

    await noteUsageTrouble(ports, always);

    expect(told().map(({ usage }) => usage?.hour)).toEqual(['2026-09-21T10', '2026-09-21T11']);
    expect(told().map(({ sequence }) => sequence)).toEqual([5, 6]);
  });

  test.each<[string, SealedHour, number]>([
    ['while there is time and AWS has not refused it', aSealedHour(), DEADLINE - 13 * HOUR],
    [
      'while its short deadline is all, and the sender has only begun',
      aSealedHour({ deadlineAt: SEALED_AT + HOUR }),
      SEALED_AT + 5 * 60_000,
    ],
    ['of a zero, which harms nobody', held({ record: { ...held().record, quantity: 0 } }), DEADLINE - HOUR],
    ['of what AWS has taken since the index was read', aSealedHour({ status: 'honoured' }), DEADLINE - HOUR],
    ['of what has expired: nothing can be done in time', aSealedHour(), DEADLINE],
  ])('is not told %s', async (_claim, sealed, nowMs) => {
    const { ports, told, state } = aWorld(sealed);
    state.nowMs = nowMs;

    expect(await noteUsageTrouble(ports, always)).toEqual({ noted: 0, waiting: 0, failed: 0 });

    expect(told()).toEqual([]);
  });

  test('of a short deadline is told once the sender has had its time', async () => {
    const { ports, told, state } = aWorld(aSealedHour({ deadlineAt: SEALED_AT + HOUR }));
    state.nowMs = SEALED_AT + 16 * 60_000;

    await noteUsageTrouble(ports, always);

    expect(told().map(({ type }) => type)).toEqual(['usageAboutToExpire']);
  });

  test('is told with the standing that a change in between has left', async () => {
    const { ports, tables, told } = aWorld(held());
    let reads = 0;
    const notices = {
      folded: async (customerId: string) => {
        const read = await ports.notices.folded(customerId);
        if (++reads === 1 && read) {
          const customer = { ...read.customer, sequence: 5 };
          tables.customers.set(customerId, { ...read, customer, standing: { ...read.standing, state: 'ending' } });
        }
        return read;
      },
    };

    await noteUsageTrouble({ ...ports, notices }, always);

    expect(told()).toMatchObject([{ sequence: 6, standing: { state: 'ending' } }]);
  });

  test('of a customer of whom nothing was ever told waits: an unknown standing would lock it out', async () => {
    const { ports, tables, told } = aWorld(held());
    const kept = tables.customers.get(CUSTOMER);
    if (!kept) expect.unreachable('The world has the customer.');
    tables.customers.set(CUSTOMER, { ...kept, folds: 0, standing: UNKNOWN_STANDING });

    expect(await noteUsageTrouble(ports, always)).toEqual({ noted: 0, waiting: 1, failed: 0 });
    expect(told()).toEqual([]);
    tables.customers.set(CUSTOMER, kept);

    expect(await noteUsageTrouble(ports, always)).toMatchObject({ noted: 1 });
  });

  test('of a customer that is not there is loud and keeps nothing else from being told', async () => {
    const { ports, told, errors } = aWorld(held({ customerId: 'cus_gone' }), held({ hour: anHour('2026-09-21T11') }));

    await expect(noteUsageTrouble(ports, always)).rejects.toMatchObject({ facts: { noted: 1, failed: 1 } });

    expect(told()).toHaveLength(1);
    expect(errors).toMatchObject([{ code: 'TroubleUntold', failureCode: 'CustomerMissing' }]);
  });
});

test('the builders seal in time for what is claimed here', () => {
  expect(SEALED_AT).toBe(at('2026-09-21T11:10:00Z'));
  expect(DEADLINE).toBe(at('2026-09-22T10:00:00Z'));
});
