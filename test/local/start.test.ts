// `npm start` that can't start: what it says, and that it leaves nothing behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';

const START = join(import.meta.dirname, '../../local/start.ts');

/** Starts in an empty folder with options that it is to refuse. */
async function start(...options: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'start-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', START, ...options], { cwd: folder });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { exitCode, stdout, stderr, hasLeftData: existsSync(join(folder, '.local')) };
}

async function aBusyPort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const ANY_PORTS = ['--port', '0', '--marketplace-port', '0', '--console-port', '0'];

describe('npm start', () => {
  test.each(['--port', '--marketplace-port', '--console-port'])(
    'names the port that is taken, how to choose others, and leaves no data behind: %s',
    async (option) => {
      const port = await aBusyPort();

      const { exitCode, stderr, hasLeftData } = await start(...ANY_PORTS, option, String(port));

      expect({ exitCode, hasLeftData }).toEqual({ exitCode: 1, hasLeftData: false });
      expect(stderr).toMatch(new RegExp(`^Port ${port} is taken, .* npm start -- --port 7400 `));
    },
  );

  test.each([
    [['--port', '7301'], 'The three ports have to differ.\n'],
    [['--port', 'http'], 'A port is a number from 0 to 65535.\n'],
    [['--prot', '7400'], /^Unknown option '--prot'.*\n\nnpm start -- \[options\]\n/],
  ])('is told what is wrong with %j, and starts nothing', async (options, said) => {
    const { exitCode, stdout, stderr, hasLeftData } = await start(...options);

    expect({ exitCode, stdout, hasLeftData }).toEqual({ exitCode: 2, stdout: '', hasLeftData: false });
    expect(stderr).toMatch(said);
  });

  test.each(['http://hooks.example.com/', 'https://127.0.0.1:3000/', 'https://[::1]/', 'nowhere'])(
    'posts to no address that a deployment would not post to: %s',
    async (url) => {
      const { exitCode, stdout, stderr } = await start(...ANY_PORTS, '--webhook', url);

      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
      expect(stderr).toMatch(/^The address of --webhook (has to begin with https|must not be)/);
    },
  );
});
