// One record that AWS refuses a whole call for: it is found, the others are billed, its like are held.
import { describe, expect, test } from 'vitest';
import { shardOf } from '../../lambdas/domain/keys.ts';
import type { SealedHour, WireRecord } from '../../lambdas/domain/ledger.ts';
import {
  anEvent,
  type BackendWorld,
  PRODUCT,
  type Subscription,
  startBackendWorld,
  useServices,
} from '../backend-world.ts';
import { anHour, aProduct, aSealedHour, at } from '../builders.ts';

const services = useServices();

/** Seals a record of a buyer as it stands, whatever AWS may think of it. */
async function sealRaw(
  world: BackendWorld,
  of: Subscription,
  record: Partial<WireRecord>,
  overrides: Partial<SealedHour> = {},
): Promise<SealedHour> {
  const base = aSealedHour();
  const sealed: SealedHour = {
    ...base,
    licenceKey: of.licenceKey,
    shard: shardOf(of.licenceKey),
    record: {
      ...base.record,
      timestampSeconds: at('2026-09-21T10:05:00Z') / 1_000,
      licenceArn: of.licenceArn,
      customerAwsAccountId: of.awsAccountId,
      ...record,
    },
    ...overrides,
  };
  await world.ledger.seal(sealed);
  return sealed;
}

async function standing(world: BackendWorld, { hour, licenceKey, dimension }: SealedHour) {
  return world.ledger.sealed(hour, licenceKey, dimension);
}

/** A product whose settings list a dimension that AWS does not know. */
const MISLISTED = { product: { dimensions: ['requests', 'gb_stored', 'novel'] } };

describe('a record that AWS refuses a whole call for', () => {
  const tag = (key: string) => [key, 'x'] as const;
  test.each<[string, Partial<WireRecord>, Partial<SealedHour>, string | undefined]>([
    ['TimestampOutOfBoundsException', { timestampSeconds: at('2026-09-19T10:00:00Z') / 1_000 }, {}, undefined],
    ['InvalidUsageDimensionException', { dimension: 'novel' }, {}, `dimension ${PRODUCT} requests`],
    ['InvalidLicenseException', { licenceArn: aSealedHour().record.licenceArn ?? '' }, {}, 'licence'],
    ['InvalidCustomerIdentifierException', { customerIdentifier: 'X01EXAMPLEX' }, {}, 'licence'],
    ['InvalidTagException', { allocations: [{ quantity: 12_500, tags: 'abcdef'.split('').map(tag) }] }, {}, undefined],
    ['InvalidUsageAllocationsException', { allocations: [{ quantity: 1, tags: [] }] }, {}, undefined],
    ['ValidationException', { quantity: 2 ** 31 }, {}, undefined],
  ])('with %s is found and quarantined, and the 6 others are billed', async (code, record, overrides, group) => {
    const world = await startBackendWorld(services());
    const poisoned = await world.subscribe();
    const others: Subscription[] = [];
    for (let index = 0; index < 6; index++) others.push(await world.subscribe());
    await world.report(
      others.flatMap((buyer) =>
        Array.from({ length: 5 }, (_, index) => anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 1 + index })),
      ),
    );
    const poison = await sealRaw(world, poisoned, record, { dimension: 'gb_stored', ...overrides });

    await world.tick('2026-09-21T11:11:00Z');

    expect(await standing(world, poison)).toMatchObject({ status: 'quarantined', reason: code, attempts: {} });
    expect((await world.bill()).map(({ quantity }) => quantity)).toEqual([15, 15, 15, 15, 15, 15]);
    const groups = [...(await world.work.heldGroups()).values()].map((each) => each.code);
    expect(groups).toEqual(group === undefined ? [] : [code]);
    // Found by halving: seven records take at most three rounds of two calls.
    expect(await world.calls()).toBeLessThanOrEqual(7);
  });

  test('with InvalidProductCodeException holds its product and quarantines nothing: no record is at fault', async () => {
    const world = await startBackendWorld(services());
    const acme = await world.subscribe();
    const { licenceArn: _arn, customerAwsAccountId: _account, ...record } = aSealedHour().record;
    const legacy = { identityStyle: 'legacy', productCode: 'unlisted' } as const;
    const sealed = await sealRaw(world, acme, {}, legacy);
    await world.clock.set(at('2026-09-21T11:11:00Z'));

    await world.backend.sendMetering();
    await world.backend.sendMetering();

    expect(record.dimension).toBe('requests');
    expect(await standing(world, sealed)).toMatchObject({ status: 'open', reason: 'InvalidProductCodeException' });
    expect([...(await world.work.heldGroups()).keys()]).toEqual(['product unlisted']);
    expect(await world.calls()).toBe(1);
  });
});

describe('a held group', () => {
  test('spares AWS the records of one unlisted dimension after the first, and sends them once released', async () => {
    const world = await startBackendWorld(services(), MISLISTED);
    const buyers: Subscription[] = [];
    for (let index = 0; index < 12; index++) buyers.push(await world.subscribe());
    await world.report(
      buyers.flatMap((buyer, index) => [
        anEvent(buyer, '2026-09-21T10:05:00Z', { dimension: 'novel', quantity: 100 + index }),
        anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 1 + index }),
      ]),
    );
    await world.tick('2026-09-21T11:11:00Z');
    const held = await Promise.all(buyers.map((each) => world.ledger.sealed(anHour(), each.licenceKey, 'novel')));
    const billed = (await world.bill()).length;

    const keys = ['requests', 'gb_stored', 'novel'];
    await world.control.put(`/control/products/${PRODUCT}`, {
      title: aProduct().title,
      dimensions: keys.map((key) => ({ key })),
    });
    await world.work.releaseGroup(`dimension ${PRODUCT} novel`);
    await world.tick('2026-09-21T11:30:00Z');

    expect(billed).toBe(12);
    expect(held.map((each) => each?.status).sort()).toEqual([...Array(11).fill('open'), 'quarantined']);
    expect((await world.bill()).filter(({ dimension }) => dimension === 'novel')).toHaveLength(11);
  });

  test('does not keep later hours of other dimensions from being billed', async () => {
    const world = await startBackendWorld(services(), MISLISTED);
    const acme = await world.subscribe();
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { dimension: 'novel', quantity: 100 })]);
    await world.tick('2026-09-21T11:11:00Z');
    await world.report([
      anEvent(acme, '2026-09-21T11:05:00Z', { dimension: 'novel', quantity: 200 }),
      anEvent(acme, '2026-09-21T11:05:00Z', { quantity: 7 }),
    ]);
    const calls = await world.calls();

    await world.tick('2026-09-21T12:11:00Z');

    expect((await world.bill()).map(({ quantity }) => quantity)).toEqual([7]);
    expect(await world.calls()).toBe(calls + 1);
  });
});
