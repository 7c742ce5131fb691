// Whether the ports of a start are free: asked before it leaves anything behind.
import { createServer, type Server } from 'node:net';

export interface UnusablePort {
  readonly port: number;
  /** Node's word for it: EADDRINUSE, EACCES. */
  readonly code: string | undefined;
}

/** The first of some ports of this machine that can't be had; undefined where all can. 0 stands for any that is free. */
export async function unusablePort(ports: readonly number[]): Promise<UnusablePort | undefined> {
  for (const port of ports) {
    const server = createServer();
    try {
      await listening(server, port);
    } catch (error) {
      return { port, code: error instanceof Error && 'code' in error ? String(error.code) : undefined };
    } finally {
      server.close();
    }
  }
  return undefined;
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}
