// The AWS emulator: installed into a Python environment of its own, started on loopback, ended with everything it began.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export const ACCOUNT = '111122223333';
export const REGION = 'us-east-1';
/** The emulator checks no signature; it takes a key of twelve digits for the account. */
export const CREDENTIALS = { accessKeyId: ACCOUNT, secretAccessKey: 'emulated' };

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');
const READY_WITHIN_MS = 30_000;

export interface Emulator {
  readonly url: string;
  readonly port: number;
  readonly logFile: string;
  close(): Promise<void>;
}

export interface EmulatorOptions {
  /** Everything that is made stands below it. */
  readonly folder: string;
  readonly port: number;
  /** Where the deployed functions find AWS. */
  readonly endpoint: string;
}

/** Installs the pinned emulator unless it is there; gives its program. Throws where Python can't be used. */
export function installEmulator(folder: string): string {
  const venv = join(folder, 'venv');
  const wanted = readFileSync(REQUIREMENTS, 'utf8');
  const marker = join(venv, 'installed.txt');
  const program = join(venv, 'bin', 'ministack');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return program;
  rmSync(venv, { recursive: true, force: true });
  try {
    execFileSync('python3', ['-m', 'venv', venv], { stdio: ['ignore', 'ignore', 'inherit'] });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '-r', REQUIREMENTS];
    execFileSync(join(venv, 'bin', 'python'), pip, { stdio: ['ignore', 'ignore', 'inherit'] });
  } catch (cause) {
    throw new Error(
      'The emulator could not be installed. It needs python3 of 3.10 or newer with venv (Debian: python3-venv) and a ' +
        'Python package index that pip reaches.',
      { cause },
    );
  }
  writeFileSync(marker, wanted);
  return program;
}

/** Starts the emulator with an empty account. It and its functions end when this process does, however it ends. */
export async function startEmulator(program: string, options: EmulatorOptions): Promise<Emulator> {
  const { folder, port, endpoint } = options;
  const work = join(folder, 'work');
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  // Functions are unpacked below it, and their `.js` shim must not take this project's package.json for its own.
  writeFileSync(join(work, 'package.json'), '{"type":"commonjs"}\n');
  const logFile = join(folder, 'emulator.log');
  const out = openSync(logFile, 'w');
  const child = spawn('sh', ['-c', ENDS_WITH_ITS_PARENT, 'sh', program], {
    stdio: ['pipe', out, out],
    // A group of its own, so that the functions it started can be ended with it.
    detached: true,
    env: {
      PATH: `${nodeThatTellsItsFunction(folder)}:${process.env['PATH'] ?? ''}`,
      HOME: work,
      TMPDIR: work,
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: 'localhost',
      GATEWAY_PORT: String(port),
      MINISTACK_ACCOUNT_ID: ACCOUNT,
      MINISTACK_REGION: REGION,
      SFTP_ENABLED: '0',
      IOT_MTLS_ENABLED: '0',
      // Functions inherit these.
      AWS_ENDPOINT_URL: endpoint,
      // The archive of the audit trail goes by this name alone, and else to AWS.
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    },
  });
  const emulator = { url: `http://127.0.0.1:${port}`, port, logFile, close: () => close(child) };
  try {
    await answering(child, emulator.url);
  } catch (error) {
    await emulator.close();
    throw new Error(`The emulator did not start; ${logFile} tells more.`, { cause: error });
  }
  return emulator;
}

const ENDS_WITH_ITS_PARENT = 'exec 3<&0; "$@" 3<&- & emulator=$!; (read -r _ <&3; kill 0) & wait $emulator';

/**
 * The `node` that the emulator finds on its PATH: the Node that runs this, as Lambda's runtime is. The name of its
 * function goes along as session token, as a role's credentials would, so that a call can be laid at its door.
 */
function nodeThatTellsItsFunction(folder: string): string {
  const file = join(folder, 'bin', 'node');
  mkdirSync(dirname(file), { recursive: true });
  const script = `#!/bin/sh\nexport AWS_SESSION_TOKEN="$AWS_LAMBDA_FUNCTION_NAME"\nexec '${process.execPath}' "$@"\n`;
  writeFileSync(file, script, { mode: 0o755 });
  return dirname(file);
}

async function answering(child: ChildProcess, url: string): Promise<void> {
  for (const endsAtMs = performance.now() + READY_WITHIN_MS; performance.now() < endsAtMs; ) {
    if (child.exitCode !== null) break;
    const isUp = await fetch(`${url}/_ministack/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return;
    await delay(100);
  }
  throw new Error(child.exitCode === null ? 'It did not answer in time.' : `It ended with code ${child.exitCode}.`);
}

async function close(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  await ended;
}

/** A free port on loopback. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No free port on loopback.');
  return address.port;
}
