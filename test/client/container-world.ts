// A buyer's account with an instance, a task or a pod in it, against the simulator.
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type ContainerMeter, type ContainerMeterOptions, startContainerMeter } from '../../client/container-meter.ts';
import { NOW, PRODUCT, startTestWorld } from '../simulator/fixture.ts';

const ACCOUNT = '111122223333';

export interface Running {
  readonly platform: string;
  readonly region?: string;
  readonly instanceId?: string;
  /** False for a buyer who has not subscribed. */
  readonly isSubscribed?: boolean;
}

const keyOf = (instanceId: string) => `AKID${instanceId.replace('-', '').toUpperCase()}`;

/** One machine of a buyer, known to the simulator by its access key. */
export async function runIn({ platform, region = 'us-east-1', instanceId = 'i-1', isSubscribed = true }: Running) {
  const world = await startTestWorld();
  const { agreementId } = isSubscribed ? await world.subscribe({ awsAccountId: ACCOUNT }) : { agreementId: '' };
  const run = (id: string) =>
    world.control('PUT', `/control/compute/${keyOf(id)}`, { platform, region, awsAccountId: ACCOUNT, instanceId: id });
  await run(instanceId);
  const folder = mkdtempSync(join(tmpdir(), 'container-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  let nowMs = Date.parse(NOW);
  const client = (id = instanceId, called = region) => world.client(called, keyOf(id));
  const options = (overrides: Partial<ContainerMeterOptions> = {}): ContainerMeterOptions => ({
    productCode: PRODUCT,
    dimensions: ['requests', 'gb_stored'],
    journal: join(folder, 'metering.json'),
    client: client(),
    reportEveryMs: 0,
    retryForMs: 0,
    clock: () => nowMs,
    ...overrides,
  });
  return {
    world,
    agreementId,
    client,
    run,
    options,
    folder,
    now: () => nowMs,
    /** Moves the machine's clock and AWS's. */
    pass: async (ms: number) => {
      nowMs += ms;
      await world.control('POST', '/control/clock/advance', { ms });
    },
    fault: (next: object) => world.control('PUT', '/control/faults', { next: [next] }),
    /** Starts a meter that has to be ready. */
    start: async (overrides: Partial<ContainerMeterOptions> = {}): Promise<ContainerMeter> => {
      const started = await startContainerMeter(options(overrides));
      if (started.kind !== 'ready') throw new Error(`The meter did not start: ${started.code}`);
      return started.meter;
    },
    /** What AWS billed: `dimension hour quantity`. */
    bill: async () =>
      (await world.bill())
        .map(({ dimension, hour, quantity }) => `${dimension} ${hour.slice(0, 13)} ${quantity}`)
        .sort(),
  };
}
