// The type of what the product is told, for consumers of the bus and of webhooks. docs/access-events.md says how to use it.
export type { AccessEventEnvelope as AccessEvent } from '../lambdas/contracts/access-event.ts';
