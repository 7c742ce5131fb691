import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { startTestWorld } from './fixture.ts';

/** Node's fetch sets Host itself, so a plain request is needed to lie about it. */
function statusOf(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: options.method ?? 'GET', headers: options.headers ?? {}, agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    sent.on('error', reject);
    sent.end(options.body);
  });
}

describe('Who may drive the simulator', () => {
  it('answers under its loopback names and refuses any other host name, on wire, control and pages', async () => {
    const { url, secret } = await startTestWorld();
    const port = new URL(url).port;
    const headers = { 'x-control-secret': secret, 'x-amz-target': 'AWSMPMeteringService.BatchMeterUsage' };

    for (const name of ['127.0.0.1', 'localhost', '[::1]']) {
      expect(await statusOf(`${url}/control/clock`, { headers: { ...headers, host: `${name}:${port}` } }), name).toBe(
        200,
      );
    }
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1',
      `127.0.0.1.evil.example:${port}`,
      'localhost:1',
    ]) {
      for (const [method, path] of [
        ['GET', '/control/clock'],
        ['POST', '/'],
        ['GET', '/'],
        ['GET', '/styles.css'],
      ]) {
        expect(await statusOf(`${url}${path}`, { method: method ?? '', headers: { ...headers, host } }), host).toBe(
          403,
        );
      }
    }
  });

  it('wants the secret for everything below /control', async () => {
    const { url, secret } = await startTestWorld();

    for (const headers of [{}, { 'x-control-secret': 'wrong' }, { 'x-control-secret': `${secret}x` }]) {
      expect(await statusOf(`${url}/control/world`, { headers })).toBe(401);
      expect(await statusOf(`${url}/control/reset`, { method: 'POST', headers })).toBe(401);
    }
  });

  it('refuses changes that a page of another origin or site starts, whatever it knows', async () => {
    const { url, secret } = await startTestWorld();
    const known = { 'x-control-secret': secret };

    for (const foreign of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'http://127.0.0.1:1' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ]) {
      const headers = { ...known, ...foreign };
      expect(await statusOf(`${url}/control/reset`, { method: 'POST', headers })).toBe(403);
      expect(await statusOf(`${url}/`, { method: 'POST', headers })).toBe(403);
      expect(await statusOf(`${url}/subscriptions`, { method: 'POST', headers })).toBe(403);
    }
    expect(await statusOf(`${url}/control/reset`, { method: 'POST', headers: { ...known, origin: url } })).toBe(200);
  });

  it('gives every launch another secret unless it is told one', async () => {
    const one = await startTestWorld();
    const other = await startTestWorld();
    const told = await startTestWorld({ controlSecret: 'told' });

    expect(one.secret.length).toBeGreaterThanOrEqual(32);
    expect(other.secret).not.toBe(one.secret);
    expect(told.secret).toBe('told');
  });
});
