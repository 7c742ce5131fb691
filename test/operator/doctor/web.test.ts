// What the doctor asks of web addresses, of servers on this machine.
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DAY_MS } from '../../../lambdas/domain/hour.ts';
import { probeCertificate, probeSignUps } from '../../../operator/doctor/probes/web.ts';
import { closed, listening } from '../../doubles/aws-services.ts';
import { selfSigned } from '../../self-signed.ts';

describe('the certificate of the pages', () => {
  test('is valid for so long as it says, whoever vouches for it', async () => {
    const server = createTlsServer(selfSigned());
    onTestFinished(() => closed(server));
    const url = (await listening(server)).replace('http://127.0.0.1', 'https://localhost');
    const startedAt = Date.now();

    const probed = await probeCertificate(`${url}/register`, () => startedAt);

    expect(probed.kind).toBe('seen');
    const leftMs = probed.kind === 'seen' ? probed.value : 0;
    expect(leftMs).toBeGreaterThan(0.9 * DAY_MS);
    expect(leftMs).toBeLessThanOrEqual(DAY_MS);
  });

  test('is asked for at no address that is not https, and is unknown where nobody answers', async () => {
    expect(await probeCertificate('http://127.0.0.1:1/register', Date.now)).toEqual({ kind: 'passedOver' });
    expect(await probeCertificate(undefined, Date.now)).toEqual({ kind: 'passedOver' });
    expect(await probeCertificate('https://localhost:1/register', Date.now)).toMatchObject({ kind: 'failed' });
  });
});

test('a sign-up page is asked once, by GET and without following where it leads', async () => {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  onTestFinished(() => closed(server));
  const url = `${await listening(server)}/aws`;

  const found = await probeSignUps([url, url]);

  expect(found).toMatchObject([{ name: url, probed: { kind: 'seen', value: { status: 302 } } }]);
  expect(asked).toEqual(['GET /aws']);
});

test('a sign-up page whose certificate nobody trusts does not answer a buyer', async () => {
  const server = createTlsServer(selfSigned(), (_request, response) => void response.end('hello'));
  onTestFinished(() => closed(server));
  const url = (await listening(server)).replace('http://127.0.0.1', 'https://localhost');

  const [found] = await probeSignUps([url]);

  expect(found?.probed).toMatchObject({ kind: 'failed', message: expect.stringMatching(/SELF_SIGNED|CERT/) });
});
