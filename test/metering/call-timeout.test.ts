// AWS takes a call and never answers it: what our own patience, and not AWS, brings to an end.
import { describe, expect, test } from 'vitest';
import { createSendMeteringHandler } from '../../lambdas/send-metering.handler.ts';
import { backendEnvironment, lambdaContext } from '../../local/backend.ts';
import { anEvent, startBackendWorld, useServices } from '../backend-world.ts';
import { anHour } from '../builders.ts';

const services = useServices();

/** Twenty seconds in a deployment. */
const PATIENCE_MS = 1_500;
/** Longer than any test: AWS does not answer. */
const SILENCE_MS = 600_000;

/** A world whose sender waits for an answer no longer than PATIENCE_MS. */
async function impatientWorld() {
  const world = await startBackendWorld(services());
  const { clock, tables, simulator } = world;
  const silent = () => {};
  const log = { info: silent, warn: silent, error: silent };
  const environment = backendEnvironment({
    databaseEndpoint: services().database.endpoint,
    tables,
    marketplaceUrl: simulator.url,
    secretsUrl: services().secrets.url,
    clock: clock.now,
    log,
    products: [],
    policy: { lingerMs: 0 },
  });
  const sender = createSendMeteringHandler({ environment, clock: clock.now, log }, PATIENCE_MS);
  return { ...world, send: () => sender({}, lambdaContext(300_000)) };
}

describe('a call that AWS accepts and never answers', () => {
  test.each([
    ['Success', 'honoured'],
    ['DuplicateRecord', 'presumed'],
  ])(
    'is given up by us with its attempt left standing, and the same record, answered %s by the next run, is %s and billed once',
    async (reading, status) => {
      const world = await impatientWorld();
      await world.control.put('/control/switches', { identicalResend: reading });
      const buyer = await world.subscribe();
      await world.report([anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 10 })]);
      await world.clock.set(Date.parse('2026-09-21T11:11:00Z'));
      await world.backend.closeHours();
      await world.control.put('/control/faults', { next: [{ kind: 'acceptThenTimeout', delayMs: SILENCE_MS }] });
      const sealed = () => world.ledger.sealed(anHour(), buyer.licenceKey, 'requests');

      await world.send();
      const givenUp = await sealed();
      const billedThen = await world.bill();
      await world.clock.set(Date.parse('2026-09-21T11:13:00Z'));
      await world.send();
      const settled = await sealed();

      expect(billedThen).toMatchObject([{ quantity: 10 }]);
      expect(givenUp).toMatchObject({ status: 'open', refusals: [] });
      expect(Object.keys(givenUp?.attempts ?? {})).toHaveLength(1);
      expect(settled).toMatchObject({ status, record: givenUp?.record, attempts: givenUp?.attempts });
      expect(Object.keys(settled?.attempts ?? {})).toHaveLength(2);
      expect(await world.calls()).toBe(2);
      expect(await world.bill()).toEqual(billedThen);
      const books = await world.books('2026-09-21T10', '2026-09-21T11');
      expect(books).toMatchObject([{ recorded: 10, difference: 0, byStatus: { [status]: 10, open: 0 } }]);
    },
  );
});
