import { BatchMeterUsageCommand, ResolveCustomerCommand } from '@aws-sdk/client-marketplace-metering';
import { describe, expect, it } from 'vitest';
import { cost, formatUsd } from '../../simulator/pages/money.ts';
import { CONTRACT_PRODUCT, listContract, PRODUCT, recordOf, startTestWorld, type TestWorld } from './fixture.ts';

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

const agreements = async (world: TestWorld) => (await world.control('GET', '/control/agreements')).agreements;

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
    await browser.post('/subscriptions', { productCode: PRODUCT, buyerName: 'Ada', offer: 'freeTrial' });

    const { fields } = formOf((await browser.get('/')).text, 'Set up your account');

    expect(fields['x-amzn-marketplace-offer-type']).toBe('free-trial');
  });

  it('lets a person buy a contract through a partner, from a later day, and change it, renew it and let it expire', async () => {
    const world = await startTestWorld();
    await listContract(world);
    const browser = await openBrowser(world);
    const quantities = {
      'entitled:seats': '25',
      'entitled:ratio': '0.5',
      'entitled:pro': 'on',
      'entitled:tier': 'gold',
    };
    const wanted = { productCode: CONTRACT_PRODUCT, buyerName: 'Ada', offer: 'channelPartner', ...quantities };
    await browser.post('/subscriptions', {
      ...wanted,
      startInDays: '2',
      days: '30',
      autoRenew: 'on',
      deliver: 'twice',
    });

    const [bought] = await agreements(world);
    expect(bought).toMatchObject({
      offer: { kind: 'channelPartner' },
      startsAt: '2026-09-23T14:30:00.000Z',
      termEndsAt: '2026-10-23T14:30:00.000Z',
      autoRenew: true,
      entitlements: [{ value: 25 }, { value: 0.5 }, { value: true }, { value: 'gold' }],
    });
    expect((await browser.get('/')).text).toContain('Not started, through a channel partner');
    await world.control('POST', '/control/clock/advance', { to: '2026-09-24T00:00:00Z' });

    const amend = formOf((await browser.get('/')).text, 'Amend').action;
    await browser.post(amend, { ...quantities, 'entitled:seats': '30', 'entitled:pro': '' });
    expect((await browser.get('/')).text).toContain('<code>seats</code> 30');
    expect((await agreements(world))[0]).toMatchObject({ autoRenew: false });

    await browser.post(amend.replace('amend', 'renew'), quantities);
    expect(await agreements(world)).toMatchObject([{ intent: 'RENEW', status: 'ACTIVE' }, { status: 'RENEWED' }]);
    await browser.post(formOf((await browser.get('/')).text, 'Amend').action.replace('amend', 'expire'));
    expect((await agreements(world))[0]).toMatchObject({ status: 'EXPIRED' });
    const { text } = await browser.get('/notices');
    expect(text).toContain('License Updated - Manufacturer');
    expect(text).toContain('Purchase Agreement Ended - Manufacturer');
  });

  it('lets a person suspend and resume, warn, announce and replace, and says what can not be done', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe();
    const browser = await openBrowser(world);
    const press = (action: string, form: Record<string, string> = {}) =>
      browser.post(`/subscriptions/${agreement.agreementId}/${action}`, form);
    const page = async () => (await browser.get('/')).text;

    await press('suspend');
    expect(await page()).toContain('<dd>Suspended</dd>');
    await press('resume');
    expect(await page()).toContain('<dd>Active</dd>');
    await press('announce', { event: 'advisoryIssued' });
    expect(await page()).toContain('<dt>Advisory</dt><dd>issued 2026-09-21 14:30:00 UTC</dd>');
    await press('announce', { event: 'advisoryResolved' });
    expect(await page()).not.toContain('<dt>Advisory</dt>');
    await press('replace');
    expect(await page()).toContain('Ended (REPLACED)');

    const again = await press('amend');
    expect(again.status).toBe(400);
    expect(again.text).toMatch(/role="alert">The agreement has ended/);
    for (const action of ['moon', 'constructor']) expect((await press(action)).status).toBe(404);
  });

  it('shows a payment that failed, and subscribes nobody with quantities or days that are none', async () => {
    const world = await startTestWorld();
    await listContract(world, { dimensions: [{ key: 'seats' }] });
    const browser = await openBrowser(world);
    const wanted = { productCode: CONTRACT_PRODUCT, buyerName: 'Ada', 'entitled:seats': '1' };

    for (const mistake of [
      { 'entitled:seats': '' },
      { 'entitled:seats': '-1' },
      { days: '1.5' },
      { startInDays: 'x' },
    ]) {
      expect((await browser.post('/subscriptions', { ...wanted, ...mistake })).status).toBe(400);
    }
    expect(await agreements(world)).toEqual([]);
    await browser.post('/subscriptions', { ...wanted, subscribeFails: 'on' });
    expect((await browser.get('/')).text).toContain('<dd>Payment failed</dd>');
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
    await listContract(world);
    await world.subscribe({ productCode: CONTRACT_PRODUCT });
    const { text } = await browser.get('/');

    const ids = [...text.matchAll(/<(?:input|select) id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(0);
    for (const id of ids) expect(text).toContain(`<label for="${id}">`);
    expect((await browser.get('/nowhere')).status).toBe(404);
    expect((await browser.post('/nowhere')).status).toBe(404);
  });
});

describe('The notices page', () => {
  it('shows each notice with the text that its consumer gets, the newest first, and where they are posted', async () => {
    const world = await startTestWorld();
    const browser = await openBrowser(world);
    expect((await browser.get('/notices')).text).toContain('No notice has gone out yet.');
    await world.control('PUT', '/control/notice-target', { url: 'http://127.0.0.1:9/notices' });
    await world.subscribe({ offer: { id: 'offer-<b>' } });

    const { text } = await browser.get('/notices');

    expect(text.indexOf('License Updated')).toBeLessThan(text.indexOf('Purchase Agreement Created'));
    expect(text).toContain('&#34;id&#34;: &#34;offer-&#60;b&#62;&#34;');
    expect(text).toContain('They are posted to http://127.0.0.1:9/notices.');
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
