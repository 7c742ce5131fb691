// A seller who moves from AWS's sample: the old stack at work, ours beside it, and the command between them.
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import { type BackendWorld, PRODUCT, startBackendWorld } from '../backend-world.ts';
import { commandsOn } from '../cli/deployment.ts';
import { type OldBuyerName, type OldStack, startOldStack } from './old-stack.ts';

const CUT_OVER = '2026-09-21T12';
export const WHY = '--apply --why "moving house"';
export const USAGE = `--old-sender-stopped --without-cloudtrail --quiet-for 0 ${WHY}`;

/** A seller of a product that is metered by customer identifier, with the old stack at work and ours beside it. */
export async function movingHouse(services: Parameters<typeof startBackendWorld>[0], product: object = {}) {
  const world = await startBackendWorld(services, {
    product: { identityStyle: 'legacy', rehearsal: { mode: 'shadow', until: CUT_OVER }, ...product },
  });
  const old = await startOldStack(world);
  const fulfillment = commandsOn(world);
  const migrate = (options = '', person: Parameters<typeof fulfillment>[1] = {}) =>
    fulfillment(`migrate sample --subscribers ${old.subscribers} --records ${old.records} ${options}`, person);
  const at = (time: string) => world.clock.set(Date.parse(`2026-09-21T${time}:00Z`));
  return { world, old, fulfillment, migrate, at };
}

export function requests(value: number) {
  return [{ dimension: 'requests', value }];
}

export async function billOf(world: BackendWorld): Promise<Record<string, number>> {
  const bill: Record<string, number> = {};
  for (const { customerIdentifier, dimension, quantity } of await world.bill()) {
    const name = `${customerIdentifier} ${dimension}`;
    bill[name] = (bill[name] ?? 0) + quantity;
  }
  return bill;
}

export async function closeAndSend(world: BackendWorld): Promise<void> {
  await world.tick('2026-09-21T13:11:00Z');
  await world.tick('2026-09-21T13:12:00Z');
}

export function sumsOf(stdout: string): Record<string, number> {
  const { sums } = JSON.parse(stdout) as {
    sums: { row: string; fate: string; dimension: string; units: number; rows: number }[];
  };
  return Object.fromEntries(
    sums.map(({ row, fate, dimension, units, rows }) => [
      row === 'buyer' ? fate : `${fate} ${dimension}`.trim(),
      row === 'buyer' ? rows : units,
    ]),
  );
}

/** Usage of two buyers: some sent by the old stack in hour 10, some pending as its sender is switched off. */
export async function halfSent(old: OldStack, at: (time: string) => Promise<unknown>) {
  const acme = await old.buyer();
  const beta = await old.buyer();
  await old.record(acme, '2026-09-21T10:10:00Z', requests(5));
  await at('10:30');
  await old.run();
  await old.record(acme, '2026-09-21T11:10:00Z', [...requests(7), { dimension: 'gb_stored', value: 2 }]);
  await old.record(acme, '2026-09-21T11:20:00Z', requests(20));
  await old.record(beta, '2026-09-21T11:20:00Z', requests(3));
  return { acme, beta };
}

export const truthOf = (acme: OldBuyerName, beta: OldBuyerName) => ({
  [`${acme.customerIdentifier} requests`]: 5 + 7 + 20,
  [`${acme.customerIdentifier} gb_stored`]: 2,
  [`${beta.customerIdentifier} requests`]: 3,
});

export function licenceKeyAt({ customerIdentifier }: Pick<OldBuyerName, 'customerIdentifier'>): string {
  return licenceKeyOf({ style: 'legacy', productCode: PRODUCT, customerIdentifier });
}
