import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { isPublicAddress, postWebhook, targetProblem } from '../../lambdas/runtime/webhook-target.ts';

const post = (url: string) => ({ url, headers: {}, body: '{}', timeoutMs: 2_000 });

describe('a webhook target', () => {
  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '192.0.2.5',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    'fd00:ec2::254',
    'no address',
  ])('is refused at %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  test.each(['52.94.236.248', '172.32.0.1', '100.128.0.1', '2600:1f18::1', '2a05:d018::1'])(
    'may be at %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  test.each([
    ['http://hooks.example.com/', 'https'],
    ['https://user:secret@hooks.example.com/', 'password'],
    ['https://127.0.0.1/', 'loopback'],
    ['https://2130706433/', 'loopback'],
    ['https://0x7f.1/', 'loopback'],
    ['https://[::1]/', 'loopback'],
    ['https://[::ffff:10.0.0.1]/', 'private'],
    ['file:///etc/passwd', 'https'],
    ['nonsense', 'https'],
  ])('written as %s says what is wrong with it', async (url, words) => {
    expect(targetProblem(url)).toContain(words);
    expect(await postWebhook(post(url))).toMatchObject({ kind: 'forbidden' });
  });

  test('whose name stands for an address of this machine is refused after it was resolved', async () => {
    expect(await postWebhook(post('https://localhost:9/'))).toMatchObject({ kind: 'forbidden' });
  });

  test('that may be reached is connected to at the address that was checked, and its fault is told', async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const asked: string[] = [];
    // A server without a certificate: the handshake is refused, and nothing was sent in the clear.
    const outcome = await postWebhook(post(`https://localhost:${port}/`), (address) => asked.push(address) > 0);
    server.close();
    expect(outcome).toMatchObject({ kind: 'failed' });
    expect(asked).toContain('127.0.0.1');
  });
});
