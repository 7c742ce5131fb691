// The embedded DynamoDB engine: a real one, as a child process.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface Database {
  readonly endpoint: string;
  close(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

interface DatabaseOptions {
  /** The file that keeps the data; in memory without it. */
  readonly dataPath?: string;
  readonly environment?: Environment;
  /** The module whose packages are searched for the engine; this one where absent. */
  readonly searchedFrom?: string;
}

/** The engine's version wherever it has to be fetched; the platform package in the lockfile is the same. */
const ENGINE_VERSION = '1.2.1';

const REMEDY = `No DynamoDB engine was found for this machine. Do one of these and start again:
  - set DYNAMODB_ENDPOINT to a DynamoDB-compatible endpoint, for example DynamoDB Local on http://127.0.0.1:8000
  - put dynoxide ${ENGINE_VERSION} on the PATH (cargo install dynoxide --version ${ENGINE_VERSION})
  - on Linux x64, run npm ci without --omit=optional: the engine comes with the packages`;

/**
 * Starts the embedded database, or names the one that DYNAMODB_ENDPOINT points at. Throws with the remedy where
 * none is to be had. The engine dies with this process.
 */
export async function startDatabase(options: DatabaseOptions = {}): Promise<Database> {
  const { environment = process.env, searchedFrom = import.meta.url } = options;
  const endpoint = environment['DYNAMODB_ENDPOINT'];
  if (endpoint) return { endpoint, close: async () => {} };

  const [command, ...leading] = findEngine(environment, searchedFrom);
  if (!command) throw new Error(REMEDY);
  const port = await freePort();
  const data = options.dataPath === undefined ? [] : ['--db-path', options.dataPath];
  const engine = [command, ...leading, '--host', '127.0.0.1', '--port', String(port), ...data];
  const child = spawn('sh', ['-c', ENDS_WITH_ITS_PARENT, 'sh', ...engine], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: environment,
    // In a group of its own: Ctrl-C in the terminal is for us, who still have to write down what is under way.
    detached: true,
  });
  const database = { endpoint: `http://127.0.0.1:${port}`, close: () => close(child) };
  try {
    await answering(child, database.endpoint);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

/**
 * Ends the engine when its parent closes the pipe, or dies: an engine that outlived a killed process would hold the
 * data file, and the next start would open it a second time. The engine keeps what it has answered, however it ends.
 */
const ENDS_WITH_ITS_PARENT =
  'exec 3<&0; "$@" 3<&- & engine=$!; (read -r _ <&3; kill -9 $engine) 2>/dev/null & wait $engine';

function findEngine(environment: Environment, searchedFrom: string): string[] {
  const packaged = packagedEngine(searchedFrom);
  if (packaged) return [packaged];
  if (spawnSync('dynoxide', ['--version'], { env: environment }).status === 0) return ['dynoxide'];
  const fetched = ['npx', '--yes', `dynoxide@${ENGINE_VERSION}`];
  const asked = spawnSync('npx', [...fetched.slice(1), '--version'], { env: environment, timeout: 60_000 });
  return asked.status === 0 ? fetched : [];
}

function packagedEngine(searchedFrom: string): string | undefined {
  try {
    const name = `@dynoxide/${process.platform}-${process.arch}/package.json`;
    return join(dirname(createRequire(searchedFrom).resolve(name)), 'dynoxide');
  } catch {
    return undefined;
  }
}

async function answering(child: ChildProcess, endpoint: string): Promise<void> {
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-2_000);
  });
  let startError: Error | undefined;
  child.once('error', (error) => {
    startError = error;
  });
  const END_OF_PATIENCE = 400;
  for (let round = 0; round < END_OF_PATIENCE; round++) {
    if (startError || child.exitCode !== null) break;
    const up = await fetch(endpoint, { method: 'POST', body: '{}' }).then(
      () => true,
      () => false,
    );
    if (up) return;
    await delay(25);
  }
  throw new Error(`The embedded database did not start. ${said.trim()}`, { cause: startError });
}

async function close(child: ChildProcess): Promise<void> {
  child.stdin?.end();
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}

/** A free port on loopback. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No free port on loopback.');
  return address.port;
}
