// Who gets in: one browser that was given the address, and nobody's page.
import { describe, expect, test } from 'vitest';
import { startBackendWorld, useServices } from '../backend-world.ts';
import { ask, startConsoleWorld } from './console-world.ts';

const services = useServices();

async function openConsole() {
  return startConsoleWorld(await startBackendWorld(services()));
}

describe('the way into the console', () => {
  test('trades the secret of the printed address for a cookie that scripts and other sites never get', async () => {
    const { url, entered } = await openConsole();

    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?secret=[\w-]{43}$/);
    expect(entered).toMatchObject({ status: 303, headers: { location: '/' } });
    expect(entered.headers['set-cookie']).toEqual([
      expect.stringMatching(/^fulfillment-console-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/),
    ]);
    expect(String(entered.headers['set-cookie'])).not.toContain(new URL(url).searchParams.get('secret'));
  });

  test('leads on to the page that was asked for, and never to another site', async () => {
    const { origin, url } = await openConsole();
    const { search } = new URL(url);

    const kept = await ask(`${origin}/audit${search}&month=2026-09`);
    const elsewhere = await ask(`${origin}//evil.example/${search}`);

    expect(kept.headers['location']).toBe('/audit?month=2026-09');
    expect(elsewhere.headers['location']).toBe('/evil.example/');
  });

  test.each([
    ['without a cookie', {}],
    ['with a forged cookie', { cookie: `fulfillment-console-PORT=${'A'.repeat(43)}` }],
    ['with the secret itself as cookie', { cookie: 'fulfillment-console-PORT=SECRET' }],
    ['with the cookie of another start', { cookie: 'OTHER' }],
  ])('shows nothing %s, the assets included', async (_, headers: { cookie?: string }) => {
    const { origin, url, visit } = await openConsole();
    const other = await openConsole();
    const cookie = headers.cookie
      ?.replace('PORT', new URL(origin).port)
      .replace('SECRET', new URL(url).searchParams.get('secret') ?? '')
      .replace('OTHER', other.cookie.replace(/-\d+=/, `-${new URL(origin).port}=`));
    const style = /href="(\/assets\/[^"]+)"/.exec((await visit('/audit')).body)?.[1];

    for (const path of ['/', '/audit', '/export/ledger.csv', style ?? '/missing']) {
      const heard = await ask(`${origin}${path}`, cookie === undefined ? {} : { headers: { cookie } });
      expect(heard.status, path).toBe(401);
      expect(heard.body).toContain('Please open the address with the secret');
      expect(heard.body).not.toContain('laptop');
    }
  });

  test.each(['GET', 'POST'])(
    'answers no other name than its own to a %s, so that none can be rebound to it',
    async (method) => {
      const { origin, cookie } = await openConsole();
      const { port } = new URL(origin);

      for (const host of [
        'evil.example',
        `evil.example:${port}`,
        `127.0.0.1.evil.example:${port}`,
        '127.0.0.1',
        `127.0.0.1:${Number(port) + 1}`,
      ]) {
        const heard = await ask(`${origin}/audit`, { method, headers: { host, cookie, origin: `http://${host}` } });
        expect(heard.status, host).toBe(403);
        expect(heard.body).not.toContain('Audit');
      }
    },
  );

  test.each([
    ['another site', 'https://evil.example'],
    ['another port of this machine', 'http://127.0.0.1:1'],
    ['https on its own name', 'https://OWN'],
    ['a sandboxed frame', 'null'],
    ['nowhere', undefined],
  ])('takes no form from %s, not even with the cookie and the form’s token', async (_, foreign) => {
    const { origin, cookie, visit } = await openConsole();
    const token = /name="formToken" value="([^"]+)"/.exec((await visit('/acts/credit')).body)?.[1] ?? '';
    const from = foreign?.replace('OWN', new URL(origin).host);

    const heard = await ask(`${origin}/acts/credit`, {
      method: 'POST',
      headers: { cookie, ...(from === undefined ? {} : { origin: from }) },
      body: new URLSearchParams({ formToken: token }).toString(),
    });

    expect(token).toMatch(/^[\w-]{43}$/);
    expect(heard).toMatchObject({ status: 403, body: 'A page of another origin may not use the console.\n' });
  });

  test.each(['', 'A'.repeat(43), 'cookie'])('takes no form whose token is %j', async (token) => {
    const { origin, cookie } = await openConsole();
    const formToken = token === 'cookie' ? (cookie.split('=')[1] ?? '') : token;

    const heard = await ask(`${origin}/acts/credit`, {
      method: 'POST',
      headers: { cookie, origin },
      body: new URLSearchParams({ formToken }).toString(),
    });

    expect(heard.status).toBe(403);
    expect(heard.body).toContain('Open its page again');
  });

  test('lets no page be framed, loads and runs nothing but its own, and leaves no copy behind', async () => {
    const { visit, entered, origin } = await openConsole();
    const page = await visit('/audit');
    const locked = await ask(`${origin}/`);

    for (const { headers } of [page, locked, entered]) {
      expect(headers).toMatchObject({
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
        'cross-origin-opener-policy': 'same-origin',
        'referrer-policy': 'same-origin',
        'cache-control': 'no-store',
      });
      expect(headers['content-security-policy']).toMatch(
        /^default-src 'none'; script-src 'self'; style-src [^;]+;.* frame-ancestors 'none'/,
      );
      expect(headers['content-security-policy']).not.toContain('unsafe');
    }
    expect(page.body).not.toMatch(/ style=| onclick=|<script>|<style>/);
    expect(page.body).not.toMatch(/(?:src|href|action)="(?:https?:)?\/\//);
  });

  test('answers what makes no sense with what is expected, and goes on', async () => {
    const { origin, cookie, visit, faults } = await openConsole();

    const put = await ask(`${origin}/audit`, { method: 'PUT', headers: { cookie, origin } });
    const long = await ask(`${origin}/acts/credit`, {
      method: 'POST',
      headers: { cookie, origin },
      body: 'a'.repeat(9_000_000),
    }).catch(() => undefined);
    const missing = await visit('/nothing/here');
    const odd = await visit('/hours/%E0%A4%A');

    expect(put.status).toBe(405);
    // A server may hang up while the rest of a body that is too long is still being sent.
    expect(long?.status ?? 413).toBe(413);
    expect(missing.status).toBe(404);
    expect(odd.status).toBeLessThan(500);
    expect((await visit('/audit')).status).toBe(200);
    expect(faults).toEqual([]);
  });

  test('sends nothing again to a page that has it already', async () => {
    const { visit } = await openConsole();
    const first = await visit('/audit');

    const again = await visit('/audit', { 'if-none-match': String(first.headers['etag']) });

    expect(again).toMatchObject({ status: 304, body: '' });
  });

  test('leads back to a path of its own alone when the product is switched', async () => {
    const { visit, origin, cookie } = await openConsole();
    const token = /name="formToken" value="([^"]+)"/.exec((await visit('/acts/credit')).body)?.[1] ?? '';

    const switched = await ask(`${origin}/product`, {
      method: 'POST',
      headers: { cookie, origin },
      body: new URLSearchParams({ formToken: token, product: 'x; Path=/evil', back: '//evil.example' }).toString(),
    });

    expect(switched.headers['location']).toBe('/evil.example');
    expect(String(switched.headers['set-cookie'])).toMatch(
      /-product=x%3B%20Path%3D%2Fevil; Path=\/; HttpOnly; SameSite=Strict$/,
    );
  });
});
