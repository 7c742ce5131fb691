import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const START = join(import.meta.dirname, '../../local/start.ts');

test.each(['http://hooks.example.com/', 'https://127.0.0.1:3000/', 'https://[::1]/', 'nowhere'])(
  'npm start posts to no address that a deployment would not post to: %s',
  (url) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      START,
      ...['--port', '0', '--marketplace-port', '0', '--webhook', url],
    ]);

    expect(status).toBe(2);
    expect(String(stdout)).toBe('');
    expect(String(stderr)).toMatch(/^The address of --webhook (has to begin with https|must not be)/);
  },
);
