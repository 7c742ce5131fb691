// The console's one door: a local web app over one deployment, for the person whose credentials opened the desk.
import { randomBytes } from 'node:crypto';
import type { Desk } from '../operator/desk.ts';
import { entranceOf, type Launch } from './guard.ts';
import { answerPage } from './pages.ts';
import { createConsoleServer } from './server.ts';

interface ConsoleOptions {
  readonly desk: Desk;
  /** 0 for any that is free. */
  readonly port: number;
  /** The reader's own; absent for this machine's. */
  readonly timeZone?: string;
  /** Told of what went wrong inside; absent for standard error. */
  readonly onFault?: (fault: unknown) => void;
}

export interface Console {
  /** Where it is, with this launch's secret: whoever has the address has the console. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the console on loopback until it is closed. Reads and acts through the desk, which stays the caller's to close.
 * Rejects where the port is taken.
 */
export async function startConsole(options: ConsoleOptions): Promise<Console> {
  const { desk, onFault = (fault) => console.error(fault) } = options;
  const timeZone = options.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  let launch: Launch = { secret: randomBytes(32).toString('base64url'), port: options.port };
  const server = createConsoleServer(
    () => launch,
    (request) => answerPage({ desk, launch, timeZone }, request),
    onFault,
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address === 'object' && address !== null) launch = { ...launch, port: address.port };
  return {
    url: entranceOf(launch),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
