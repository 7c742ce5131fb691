// What `npm start` runs, as a child process with a data folder of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Started {
  /** The address with the secret, as printed. */
  readonly marketplaceUrl: string;
  /** The printed address of the bill without its secret: a browser that has been let in needs none. */
  readonly billUrl: string;
  readonly appUrl: string;
  /** Where mail shows. */
  readonly mailUrl: string;
  /** The console's address with its secret. */
  readonly consoleUrl: string;
  /** The printed curl line: where to, and the body with `cus_…` in it. */
  readonly curl: { readonly url: string; readonly body: string };
  /** By which the commands find what runs. */
  readonly deploymentFile: string;
  /** Everything printed so far. */
  output(): string;
  close(): Promise<void>;
}

const START = join(import.meta.dirname, '../../local/start.ts');
const LAST_WORDS = 'Ctrl-C ends all of it.';

/** Starts everything on free ports, in an empty folder; resolves when the start has printed how to go on. */
export async function npmStart(): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'npm-start-'));
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', START, '--port', '0', '--marketplace-port', '0', '--console-port', '0'],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const stop = () => child.kill('SIGTERM');
  process.once('exit', stop);
  const ended = once(child, 'exit');
  let printed = '';
  const ready = new Promise<void>((resolve) => {
    const read = (chunk: Buffer) => {
      printed += chunk.toString();
      if (printed.includes(LAST_WORDS)) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
  });
  const close = async () => {
    process.removeListener('exit', stop);
    stop();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  await Promise.race([ready, ended]);
  if (!printed.includes(LAST_WORDS)) {
    await close();
    throw new Error(`npm start ended before it was ready. It printed: ${printed}`);
  }
  const found = (pattern: RegExp) => {
    const text = pattern.exec(printed)?.[1];
    if (text === undefined) throw new Error(`npm start printed nothing like ${pattern}: ${printed}`);
    return text;
  };
  return {
    marketplaceUrl: found(/AWS Marketplace \(simulated\)\s+(\S+)/),
    billUrl: found(/The bill, as AWS sees it\s+([^?\s]+)/),
    consoleUrl: found(/The operator's console\s+(\S+)/),
    appUrl: found(/Your backend\s+(\S+)/),
    mailUrl: found(/Mail to buyers and to you\s+(\S+)/),
    curl: { url: found(/curl -s (\S+) -d '/), body: found(/curl -s \S+ -d '(.+)'$/m) },
    deploymentFile: join(folder, '.local/start-0/deployment.json'),
    output: () => printed,
    close,
  };
}
