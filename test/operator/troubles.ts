// Worlds in which something needs an operator.
import { anEvent, PRODUCT, startBackendWorld, type useServices } from '../backend-world.ts';

type Services = ReturnType<ReturnType<typeof useServices>>;

/** A record that AWS refused, since its dimension was not listed then. It is listed now. */
export async function quarantinedWorld(services: Services) {
  const world = await startBackendWorld(services, { product: { dimensions: ['requests', 'gb_stored', 'novel'] } });
  const buyer = await world.subscribe();
  await world.report([anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 300, dimension: 'novel' })]);
  await world.tick('2026-09-21T11:11:00Z');
  await world.control.put(`/control/products/${PRODUCT}`, {
    title: 'Metrics Cloud',
    dimensions: ['requests', 'gb_stored', 'novel'].map((key) => ({ key })),
  });
  return { world, raw: { hour: '2026-09-21T10', licenceKey: buyer.licenceKey, dimension: 'novel' } };
}
