import { BatchMeterUsageCommand, ResolveCustomerCommand } from '@aws-sdk/client-marketplace-metering';
import { describe, expect, it } from 'vitest';
import { cost, formatUsd } from '../../simulator/pages/money.ts';
import { PRODUCT, recordOf, startTestWorld, type TestWorld } from './fixture.ts';

interface Visit {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** A browser as far as it matters here: keeps the cookie, sends the origin with forms, follows no redirect by itself. */
async function openBrowser(
  world: TestWorld,
): Promise<{ get(path: string): Promise<Visit>; post(path: string, form?: Record<string, string>): Promise<Visit> }> {
  const opened = await fetch(`${world.url}/?secret=${world.secret}`, { redirect: 'manual' });
  expect(opened.status).toBe(303);
  expect(opened.headers.get('location')).toBe('/');
  const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? '';
  const visit = async (path: string, init: RequestInit): Promise<Visit> => {
    const response = await fetch(`${world.url}${path}`, { redirect: 'manual', ...init });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  return {
    get: (path) => visit(path, { headers: { cookie } }),
    post: (path, form = {}) =>
      visit(path, { method: 'POST', headers: { cookie, origin: world.url }, body: new URLSearchParams(form) }),
  };
}

function decodeEntities(text: string): string {
  return text.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}

/** The action and the hidden fields of the form that holds the button. */
function formOf(page: string, button: string): { action: string; fields: Record<string, string> } {
  const form = page.match(/<form[\s\S]*?<\/form>/g)?.find((each) => each.includes(button)) ?? '';
  const hidden = form.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g);
  const fields = Object.fromEntries([...hidden].map(([, name = '', value = '']) => [name, decodeEntities(value)]));
  return { action: decodeEntities(/action="([^"]*)"/.exec(form)?.[1] ?? ''), fields };
}

describe('The marketplace page', () => {
  it('lets a person subscribe, set up the account with a fresh token, and cancel', async () => {
    const world = await startTestWorld({ fulfillmentUrl: 'http://127.0.0.1:3000/register' });
    const browser = await openBrowser(world);

    const subscribed = await browser.post('/subscriptions', {
      productCode: PRODUCT,
      buyerName: 'Ada & Söhne <b>',
      awsAccountId: '111122223333',
    });
    expect(subscribed.status).toBe(303);
    const page = (await browser.get('/')).text;
    expect(page).toContain('Ada &#38; Söhne &#60;b&#62;');
    const setUp = formOf(page, 'Set up your account');
    expect(setUp.action).toBe('http://127.0.0.1:3000/register');
    expect(Object.keys(setUp.fields)).toEqual(['x-amzn-marketplace-token']);
    const RegistrationToken = setUp.fields['x-amzn-marketplace-token'] ?? '';
    const resolved = await world.aws.send(new ResolveCustomerCommand({ RegistrationToken }));
    expect(resolved).toMatchObject({ CustomerAWSAccountId: '111122223333', ProductCode: PRODUCT });

    await browser.post(formOf(page, 'Cancel subscription').action);
    const after = (await browser.get('/')).text;
    expect(after).toContain('Ended (CANCELLED)');
    expect(after).not.toContain('Set up your account');
  });

  it('adds the offer type to the form of a free trial', async () => {
    const world = await startTestWorld();
    const browser = await openBrowser(world);
    await browser.post('/subscriptions', { productCode: PRODUCT, buyerName: 'Ada', freeTrial: 'on' });

    const { fields } = formOf((await browser.get('/')).text, 'Set up your account');

    expect(fields['x-amzn-marketplace-offer-type']).toBe('free-trial');
  });

  it('says what is wrong with a form and subscribes nobody', async () => {
    const world = await startTestWorld();
    const browser = await openBrowser(world);

    for (const form of [
      { productCode: PRODUCT, buyerName: '  ' },
      { productCode: PRODUCT, buyerName: 'Ada', awsAccountId: '12' },
      { productCode: 'unknown', buyerName: 'Ada' },
    ]) {
      const answer = await browser.post('/subscriptions', form);
      expect(answer.status).toBe(400);
      expect(answer.text).toContain('role="alert"');
    }
    expect((await world.control('GET', '/control/agreements')).agreements).toEqual([]);
  });

  it('moves a set clock by an hour or to the next one, and offers neither while the clock is real', async () => {
    const world = await startTestWorld();
    const browser = await openBrowser(world);

    await browser.post('/clock/advance', { by: 'hour' });
    expect((await world.control('GET', '/control/clock')).now).toBe('2026-09-21T15:30:00.000Z');
    await browser.post('/clock/advance', { by: 'next-hour' });
    expect((await world.control('GET', '/control/clock')).now).toBe('2026-09-21T16:00:00.000Z');
    await world.control('PUT', '/control/clock', { mode: 'real' });
    expect((await browser.get('/')).text).not.toContain('Advance 1 hour');
    expect((await browser.post('/clock/advance', { by: 'hour' })).status).toBe(400);
  });

  it('is shown to nobody without the cookie, and the cookie does not open the control API', async () => {
    const world = await startTestWorld();
    const opened = await fetch(`${world.url}/?secret=${world.secret}`, { redirect: 'manual' });
    const cookie = opened.headers.get('set-cookie') ?? '';

    expect(cookie).toContain('HttpOnly; SameSite=Strict');
    expect(cookie).not.toContain(world.secret);
    for (const path of ['/', '/bill', '/?secret=wrong']) expect((await fetch(`${world.url}${path}`)).status).toBe(401);
    const blind = { method: 'POST', body: new URLSearchParams({ productCode: PRODUCT, buyerName: 'Eve' }) };
    expect((await fetch(`${world.url}/subscriptions`, blind)).status).toBe(401);
    expect((await fetch(`${world.url}/control/clock`, { headers: { cookie } })).status).toBe(401);
  });

  it('never leads away from itself when it trades the secret for the cookie', async () => {
    const world = await startTestWorld();

    const answer = await fetch(`${world.url}//evil.example/?secret=${world.secret}`, { redirect: 'manual' });

    expect(answer.headers.get('location')).toBe('/evil.example/');
  });

  it('loads nothing from elsewhere and lets forms lead only to the sellers', async () => {
    const world = await startTestWorld({ fulfillmentUrl: 'https://seller.example/register' });
    const browser = await openBrowser(world);

    const { headers, text } = await browser.get('/');

    const policy = headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'; style-src 'self'");
    expect(policy).toContain("form-action 'self' https://seller.example;");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(text).not.toMatch(/<script|<style|style="|onclick/);
    expect(text).toContain('This is not AWS');
    expect((await browser.get('/styles.css')).headers.get('content-type')).toContain('text/css');
  });

  it('labels every field, and answers unknown addresses and methods with a page', async () => {
    const world = await startTestWorld();
    const browser = await openBrowser(world);
    const { text } = await browser.get('/');

    const ids = [...text.matchAll(/<input id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids.length).toBeGreaterThan(0);
    for (const id of ids) expect(text).toContain(`<label for="${id}">`);
    expect((await browser.get('/nowhere')).status).toBe(404);
    expect((await browser.post('/nowhere')).status).toBe(404);
  });
});

describe('The bill page', () => {
  it('shows what is billed by customer and dimension, with money, and the calls with their outcome', async () => {
    const world = await startTestWorld();
    const paying = await world.subscribe({ buyerName: 'Payer' });
    const trial = await world.subscribe({ buyerName: 'Trier', offer: { freeTrial: true } });
    const Quantity = 1_234_567;
    const UsageRecords = [
      recordOf(paying, { Quantity }),
      recordOf(trial, { Quantity }),
      recordOf(paying, { Dimension: 'kib_sent' }),
    ];
    await world.aws.send(new BatchMeterUsageCommand({ UsageRecords }));
    await world.aws
      .send(new BatchMeterUsageCommand({ UsageRecords: [recordOf(paying, { Dimension: 'no' })] }))
      .catch(() => undefined);

    const { text } = await (await openBrowser(world)).get('/bill');

    // 1,234,567 requests at $0.0004; the trial costs nothing; kib_sent has no price.
    expect(text).toContain('Total <strong>$493.8268</strong>');
    expect(text).toContain('$0.00');
    expect(text).toContain('no price');
    expect(text).toContain('Payer');
    expect(text).toContain('Success × 3');
    expect(text).toContain('InvalidUsageDimensionException');
  });

  it('is shown while nothing has happened yet', async () => {
    const world = await startTestWorld();

    const { status, text } = await (await openBrowser(world)).get('/bill');

    expect(status).toBe(200);
    expect(text).toContain('Nobody has called yet.');
  });
});

describe('Money', () => {
  it.each([
    ['0.0004', 1, '$0.0004'],
    ['0.1', 3, '$0.30'],
    ['1', 0, '$0.00'],
    ['0.000000000001', 499_999, '$0.00'],
    ['0.000000000001', 500_000, '$0.000001'],
    ['999999999', 2_147_483_647, '$2,147,483,644,852,516,353.00'],
  ])('prices %s x %i at %s', (price, quantity, expected) => {
    expect(formatUsd(cost(price, quantity))).toBe(expected);
  });
});
