// Reads:       a delivery
// Writes:      the delivery as if it were new; then a message that asks for it
// Once per:    call: an operator's wish
// If it stops: call it again: what was reopened and not asked for is reopened again
import { type DeliveryName, reopened } from '../domain/delivery.ts';
import type { DeliveryQueue, DeliveryStore } from './access-ports.ts';

export interface ResendPorts {
  readonly deliveries: Pick<DeliveryStore, 'delivery' | 'reopen'>;
  readonly queue: Pick<DeliveryQueue, 'send'>;
  readonly clock: () => number;
}

/** Posts an event to an endpoint again, whatever became of it, under the id that it has. */
export async function resendWebhook(ports: ResendPorts, name: DeliveryName): Promise<'resent' | 'unknown'> {
  const { deliveries, queue, clock } = ports;
  const delivery = await deliveries.delivery(name);
  if (!delivery) return 'unknown';
  // Before the message: it would find a settled delivery, and nothing left to do.
  await deliveries.reopen(reopened(delivery, clock()));
  await queue.send(delivery.endpoint, delivery.body);
  return 'resent';
}
