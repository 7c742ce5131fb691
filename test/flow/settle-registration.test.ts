// A registration stands whatever becomes of what follows on it, and what follows comes, at once or by the schedule.
import { describe, expect, test } from 'vitest';
import type { Notice } from '../../lambdas/domain/notice.ts';
import { applyNotice, settleDue } from '../../lambdas/flow/apply-notice.ts';
import { registerCustomer } from '../../lambdas/flow/register-customer.ts';
import { resolveBuyer } from '../../lambdas/flow/resolve-buyer.ts';
import { aProduct, at } from '../builders.ts';
import { LifecycleTables, memoryNoticePorts } from '../doubles/memory-notices.ts';

const NOW = at('2026-09-21T10:05:00Z');
const MINUTE = 60_000;
const PRODUCT = aProduct({ identityStyle: 'legacy' });
const ACCOUNT = '111122223333';
const BUYER = { productCode: PRODUCT.productCode, customerIdentifier: 'cust-1', customerAwsAccountId: ACCOUNT };

/** AWS's notice of the agreement names no customer identifier: it waits for the buyer's registration. */
const UPDATED: Notice = {
  noticeId: 'eb-1',
  channel: 'eventBridge',
  kind: 'licenceUpdated',
  type: 'License Updated - Manufacturer',
  atMs: NOW - MINUTE,
  agreementId: 'agmt-1',
  licenceArn: 'arn:aws:license-manager::111122223333:license:l-0123456789abcdef0123456789abcdef',
  productCode: PRODUCT.productCode,
  customerAwsAccountId: ACCOUNT,
};

function aWorld() {
  const tables = new LifecycleTables();
  /** How many operations succeed before every further one fails; all do until it is set. */
  const state = { left: Number.POSITIVE_INFINITY };
  const warned: string[] = [];
  const details = new Map<string, object>();
  const step = async () => {
    state.left -= 1;
    if (state.left < 0) throw new Error('The database is gone.');
  };
  const { ports: notices, customers } = memoryNoticePorts(tables, [PRODUCT], step);
  const ports = {
    ...notices,
    customers,
    registration: { resolve: async () => ({ kind: 'resolved' as const, buyer: BUYER }) },
    buyers: {
      details: async () => undefined,
      put: async (told: { readonly customerId: string }) => {
        await step();
        const isNew = !details.has(told.customerId);
        details.set(told.customerId, told);
        return isNew ? ('recorded' as const) : ('already' as const);
      },
    },
    log: { warn: (code: string) => void warned.push(code) },
  };
  return {
    tables,
    state,
    warned,
    ports,
    arrive: () => resolveBuyer(ports, { token: 't', hints: {} }, NOW),
    register: (customerId: string) =>
      registerCustomer(ports, { customerId, email: 'a@b.co', fields: {}, submittedAt: NOW }),
    typesOf: (customerId: string) => tables.eventsOf(customerId).map(({ type }) => type),
  };
}

async function arrived(world: ReturnType<typeof aWorld>): Promise<string> {
  const resolution = await world.arrive();
  if (resolution.kind !== 'resolved') throw new Error('The buyer was not resolved.');
  return resolution.customer.customerId;
}

describe('a registration', () => {
  test('places the notices that waited for its buyer, tells that the buyer has registered, and leaves nothing due', async () => {
    const world = aWorld();
    expect(await applyNotice(world.ports, UPDATED, '', NOW)).toEqual({ kind: 'waits', for: 'registration' });

    const customerId = await arrived(world);
    expect(world.typesOf(customerId)).toEqual(['accessGranted']);
    await world.register(customerId);

    expect(world.typesOf(customerId)).toEqual(['accessGranted', 'customerRegistered']);
    expect(world.tables.due.size).toBe(0);
    expect(world.warned).toEqual([]);
  });

  test('ends the same wherever the database goes away while the page is submitted, by one more try and the schedule', async () => {
    let stoodAlone = 0;
    for (let left = 0; ; left++) {
      const world = aWorld();
      await applyNotice(world.ports, UPDATED, '', NOW);
      const customerId = await arrived(world);

      world.state.left = left;
      const outcome = await world.register(customerId).catch(() => 'failed');
      const isUntouched = world.state.left >= 0;
      world.state.left = Number.POSITIVE_INFINITY;
      if (outcome === 'failed') await world.register(customerId);
      else if (world.tables.due.size > 0) stoodAlone += 1;
      await settleDue(world.ports, NOW);
      await settleDue(world.ports, NOW + MINUTE);

      const kept = world.tables.ofCustomer(customerId);
      expect(kept.customer.registeredAt, `after ${left}`).toBe(NOW);
      expect(kept.standing.registeredAt, `after ${left}`).toBe(NOW);
      expect(world.typesOf(customerId), `after ${left}`).toEqual(['accessGranted', 'customerRegistered']);
      expect(world.tables.due.size, `after ${left}`).toBe(0);
      if (isUntouched) break;
    }
    expect(stoodAlone).toBeGreaterThan(3);
  });

  test('ends the same wherever the database goes away when the buyer arrives', async () => {
    for (let left = 0; ; left++) {
      const world = aWorld();
      await applyNotice(world.ports, UPDATED, '', NOW);

      world.state.left = left;
      const outcome = await world.arrive().catch(() => undefined);
      const isUntouched = world.state.left >= 0;
      world.state.left = Number.POSITIVE_INFINITY;
      if (!outcome) await world.arrive();
      await settleDue(world.ports, NOW + MINUTE);

      expect(
        [...world.tables.customers.keys()].flatMap((customerId) => world.typesOf(customerId)),
        `after ${left}`,
      ).toEqual(['accessGranted']);
      expect(world.tables.due.size, `after ${left}`).toBe(0);
      if (isUntouched) break;
    }
  });

  test('that can’t be settled says so, and the schedule waits until its request is over', async () => {
    const world = aWorld();
    const customerId = await arrived(world);
    world.state.left = 4;

    expect(await world.register(customerId)).toBe('registered');

    expect(world.warned).toEqual(['RegistrationUnsettled']);
    world.state.left = Number.POSITIVE_INFINITY;
    expect(await settleDue(world.ports, NOW + MINUTE - 1)).toBe(0);
    expect(await settleDue(world.ports, NOW + MINUTE)).toBe(1);
    expect(world.typesOf(customerId)).toEqual(['customerRegistered']);
  });
});

test('a customer who can’t be settled keeps no other waiting, and wakes somebody', async () => {
  const world = aWorld();
  const customerId = await arrived(world);
  await world.ports.customers.markRegistered(customerId, NOW);
  await world.ports.notices.noteDue({ customerId: 'cus_0', changesAt: NOW });
  await world.ports.notices.noteDue({ customerId, changesAt: NOW });
  const folded = world.ports.notices.folded.bind(world.ports.notices);
  world.ports.notices.folded = (id) => (id === 'cus_0' ? Promise.reject(new Error('broken')) : folded(id));

  await expect(settleDue(world.ports, NOW)).rejects.toMatchObject({
    code: 'SettlingIncomplete',
    facts: { failed: 1, customerId: 'cus_0' },
  });

  expect(world.typesOf(customerId)).toEqual(['customerRegistered']);
  expect([...world.tables.due.values()]).toEqual([{ customerId: 'cus_0', changesAt: NOW }]);
});
