// Starts and stops a simulator: a world, and a server on this machine's loopback address.
import { randomBytes } from 'node:crypto';
import type { ClockSetting } from './clock.ts';
import { createHttpServer } from './http-server.ts';
import { startPusher } from './push.ts';
import { seedWorld } from './seed.ts';
import { listProducts } from './world/products.ts';
import { World } from './world/world.ts';

export interface SimulatorOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** The world's SQLite file; without one the world ends with the simulator. */
  readonly dataPath?: string;
  /** Guards the control API; random where absent. */
  readonly controlSecret?: string;
  /** Where the clock of a new world begins; a world that is continued keeps its own. Real where absent. */
  readonly clock?: ClockSetting;
  /** The region of calls that carry none in their signature. */
  readonly region?: string;
  /** Where the buyers of products without an own fulfillment URL are sent. */
  readonly fulfillmentUrl?: string;
  /** What a world without products begins with. */
  readonly seed?: 'demo' | 'none';
}

export interface Simulator {
  readonly url: string;
  readonly controlSecret: string;
  /** Ends all connections and closes the file. A repeat does nothing. */
  close(): Promise<void>;
}

/** Starts a simulator on 127.0.0.1. Rejects where the port is taken or the file is no world. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const world = new World({
    dataPath: options.dataPath,
    clock: options.clock ?? { mode: 'real' },
    region: options.region ?? 'us-east-1',
    fulfillmentUrl: options.fulfillmentUrl ?? 'http://127.0.0.1:3000/register',
  });
  if (listProducts(world).length === 0) seedWorld(world, options.seed ?? 'none');
  const controlSecret = options.controlSecret ?? randomBytes(24).toString('base64url');
  const closing = new AbortController();
  const pusher = startPusher(world, closing.signal);
  const server = createHttpServer(world, controlSecret, closing.signal, pusher.wake);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
  } catch (error) {
    closing.abort();
    await pusher.ended;
    world.db.close();
    throw error;
  }
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    closing.abort();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    await pusher.ended;
    world.db.close();
  };
  return {
    url: `http://127.0.0.1:${port}`,
    controlSecret,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}
