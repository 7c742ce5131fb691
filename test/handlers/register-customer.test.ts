import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FAILURES } from '../../lambdas/pages/failures.ts';
import { styleOf, styleVersion } from '../../lambdas/pages/style.ts';
import {
  cookieOf,
  formTokenIn,
  NOW,
  type RegistrationWorld,
  startRegistrationWorld,
} from '../doubles/registration-world.ts';

const TOKEN = 'x-amzn-marketplace-token';
const ANSWERS = { email: 'Ada@gmail.com', name: 'Ada Lovelace', company: 'Engines + Söhne', phone: '' };

let world: RegistrationWorld;

beforeAll(async () => {
  world = await startRegistrationWorld();
});
afterAll(async () => {
  await world?.close();
});
beforeEach(() => {
  world.now = NOW;
  world.secret = { current: 'k1', keys: { k1: 'a'.repeat(44) } };
  world.logged.length = 0;
  world.restart();
});

/** A buyer who has come from AWS Marketplace and sees the form. */
async function arrived(agreement?: Record<string, unknown>) {
  const buyer = await world.buyer(agreement);
  const cookie = cookieOf(await world.register({ form: { [TOKEN]: buyer.token } }));
  const page = await world.registration({ cookie });
  return { ...buyer, cookie, page, formToken: formTokenIn(page.body) };
}

/** Without the count of folds, which grows with those that change nothing. */
function unfolded({ folds: _, ...item }: Readonly<Record<string, unknown>>) {
  return item;
}

function encoded(fields: Record<string, string>): string {
  return new URLSearchParams(fields).toString();
}

async function buyers() {
  return (await world.items()).filter((item) => 'emailKey' in item);
}

describe('the form', () => {
  it('is shown again to a browser that posts nothing, as one that goes back and reloads may', async () => {
    const { cookie } = await arrived();

    const answer = await world.registration({ method: 'POST', cookie });

    expect(answer).toMatchObject({ statusCode: 303, headers: { Location: '/registration' } });
    expect(await buyers()).toEqual([]);
  });

  it('names seller and product, shows no more of the AWS account than four digits, and asks for the e-mail first', async () => {
    const { page, awsAccountId } = await arrived();
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain('Sample &amp; Söhne');
    expect(page.body).toContain('Stream &lt;Processor&gt;');
    expect(page.body).toContain(`ending in <strong>${awsAccountId.slice(-4)}`);
    expect(page.body).not.toContain(awsAccountId);
    expect(page.body).toContain('aria-current="step">2 Details');
    expect([...page.body.matchAll(/<input id="(\w+)"/g)].map(([, id]) => id)).toEqual([
      'email',
      'name',
      'company',
      'phone',
    ]);
  });

  it('links style, form and redirects under the prefix that the buyer sees', async () => {
    const { cookie, formToken } = await arrived();
    const page = await world.registration({ path: '/prod/registration', cookie });
    expect(page.body).toContain('action="/prod/registration"');
    expect(page.body).toContain(`href="/prod/registration/style.css?v=${styleVersion(styleOf({}))}"`);
    const sent = await world.registration({ path: '/prod/registration', cookie, form: { ...ANSWERS, formToken } });
    expect(sent.headers?.['Location']).toBe('/prod/registration/done');
  });

  it('serves its style itself, for ever under its own version', async () => {
    const query = { v: styleVersion(styleOf({})) };
    const style = await world.registration({ path: '/registration/style.css', query });
    expect(style).toMatchObject({
      statusCode: 200,
      headers: { 'Content-Type': 'text/css; charset=utf-8', 'Cache-Control': 'public, max-age=31536000, immutable' },
    });
    expect(style.body).not.toMatch(/url\(|@import/);
  });

  it('lets no browser keep its style under another version, as one asks for while a deployment is under way', async () => {
    const older = await world.registration({ path: '/registration/style.css', query: { v: 'of-the-next-release' } });

    expect(older).toMatchObject({ statusCode: 200, headers: { 'Cache-Control': 'no-store' } });
    expect(older.body).toBe(styleOf({}));
  });

  it('gives back what was written, with each problem beside its field and in a summary that takes the focus', async () => {
    const { cookie, formToken } = await arrived();
    const before = await buyers();
    const form = { email: 'ada at home', name: '<script>"x"', company: '', phone: '12', formToken };
    const result = await world.registration({ cookie, form });
    expect(result.statusCode).toBe(422);
    expect(result.body).toContain('<title>Error: ');
    expect(result.body).toMatch(/role="alert" tabindex="-1" autofocus/);
    for (const name of ['email', 'company', 'phone']) {
      expect(result.body).toContain(`href="#${name}"`);
      expect(result.body).toMatch(
        new RegExp(`id="${name}" [^>]*aria-invalid="true" aria-describedby="[^"]*${name}-problem"`),
      );
    }
    expect(result.body).toContain('value="ada at home"');
    expect(result.body).toContain('value="&lt;script&gt;&quot;x&quot;"');
    expect(await buyers()).toEqual(before);
  });
});

describe('registering', () => {
  it('keeps the details apart from the customer, then shows what happens next without promising access', async () => {
    const { cookie, formToken } = await arrived();
    const before = (await buyers()).map((item) => item['customerId']);
    const sent = await world.registration({ cookie, form: { ...ANSWERS, formToken, extra: 'ignored' } });
    expect(sent).toMatchObject({ statusCode: 303, headers: { Location: '/registration/done' }, body: '' });
    const [details, ...others] = (await buyers()).filter((item) => !before.includes(item['customerId']));
    expect(others).toEqual([]);
    expect(details).toEqual({
      v: 1,
      customerId: details?.['customerId'],
      companyKey: 'company',
      companySort: 'engines + söhne',
      email: 'Ada@gmail.com',
      emailKey: 'ada@gmail.com',
      fields: { name: 'Ada Lovelace', company: 'Engines + Söhne' },
      submittedAt: NOW,
    });
    const customerId = String(details?.['customerId']);
    expect(await world.customers.customer(customerId)).toMatchObject({ registeredAt: NOW });

    const done = await world.registration({ path: '/registration/done', cookie });
    expect(done.statusCode).toBe(200);
    expect(done.body).toContain(customerId);
    expect(done.body).toContain('within one working day');
    expect(done.body).toContain('once AWS confirms that your subscription is active');
  });

  it('changes nothing when it is sent twice, or 12 times at once, with other answers', async () => {
    const { cookie, formToken } = await arrived();
    const before = await buyers();
    const sends = Array.from({ length: 12 }, (_, index) =>
      world.registration({ cookie, form: { ...ANSWERS, name: `Sender ${index}`, formToken } }),
    );
    const places = (await Promise.all(sends)).map(({ headers }) => headers?.['Location']);
    // Only whose answers are kept is thanked for them; the others are told that nothing was changed.
    expect(places.filter((place) => place === '/registration/done')).toHaveLength(1);
    expect(places.filter((place) => place === '/registration')).toHaveLength(11);
    const after = await buyers();
    expect(after).toHaveLength(before.length + 1);
    world.now += 60_000;
    const again = await world.registration({ cookie, form: { ...ANSWERS, email: 'broken', formToken } });
    expect(again).toMatchObject({ statusCode: 303, headers: { Location: '/registration' } });
    expect(await buyers()).toEqual(after);
  });

  it('thanks a buyer who sends the same answers twice, twice', async () => {
    const { cookie, formToken } = await arrived();
    const send = () => world.registration({ cookie, form: { ...ANSWERS, formToken } });

    const [first, again] = [await send(), await send()];

    expect([first, again].map(({ headers }) => headers?.['Location'])).toEqual(Array(2).fill('/registration/done'));
  });

  it('greets a buyer who comes back from AWS Marketplace with "registered already" and the same reference', async () => {
    const { cookie, formToken, token } = await arrived();
    await world.registration({ cookie, form: { ...ANSWERS, formToken } });
    const done = await world.registration({ path: '/registration/done', cookie });
    const items = await world.items();
    const back = cookieOf(await world.register({ form: { [TOKEN]: token } }));
    const page = await world.registration({ cookie: back });
    expect(page.body).toContain('You are registered already');
    const [reference = 'none'] = /cus_[\w-]{24}/.exec(done.body) ?? [];
    expect(page.body).toContain(reference);
    expect((await world.items()).map(unfolded)).toEqual(items.map(unfolded));
  });

  it('writes that the buyer has registered, to be told to the product, and leaves nothing due', async () => {
    const { cookie, formToken } = await arrived();
    const { headers } = await world.registration({ cookie, form: { ...ANSWERS, formToken } });
    expect(headers?.['Location']).toBe('/registration/done');
    const done = await world.registration({ path: '/registration/done', cookie });
    const [customerId = 'none'] = /cus_[\w-]{24}/.exec(done.body) ?? [];
    const items = await world.items();
    const events = items.filter(({ pk, customerId: of }) => String(pk).startsWith('outbox#') && of === customerId);
    expect(events).toMatchObject([{ type: 'customerRegistered', standing: { registeredAt: NOW } }]);
    expect(items.filter(({ pk }) => pk === 'due')).toEqual([]);
  });

  it('sends whoever opens the last page too early to the form', async () => {
    const { cookie } = await arrived();
    const result = await world.registration({ path: '/registration/done', cookie });
    expect(result).toMatchObject({ statusCode: 303, headers: { Location: '/registration' } });
  });
});

describe('the session', () => {
  it('ends after half an hour, and is none without cookie, with a changed one or one of another key', async () => {
    const { cookie, formToken } = await arrived();
    const [name = '', value = ''] = cookie.split('=');
    const [format, keyId, payload = '', signature] = value.split('.');
    const stolen = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const forged = Buffer.from(JSON.stringify({ ...stolen, customerId: 'cus_other' })).toString('base64url');
    const cookies = [
      '',
      `${name}=`,
      `${name}=${[format, keyId, forged, signature].join('.')}`,
      `${name}=${[format, keyId, payload, 'AAAA'].join('.')}`,
      `${name}=${[format, 'k9', payload, signature].join('.')}`,
      `Other${cookie}`,
    ];
    for (const bad of cookies) {
      for (const call of [{}, { form: { ...ANSWERS, formToken } }, { path: '/registration/done' }]) {
        const result = await world.registration({ ...call, cookie: bad });
        expect(result).toMatchObject({ statusCode: 403, body: expect.stringContaining('Your visit has ended') });
      }
    }
    world.now += 30 * 60_000 - 1;
    expect((await world.registration({ cookie })).statusCode).toBe(200);
    world.now += 1;
    expect((await world.registration({ cookie })).statusCode).toBe(403);
    expect((await world.registration({ cookie, form: { ...ANSWERS, formToken } })).statusCode).toBe(403);
  });

  it('tells a browser that keeps no cookies why it gets no further', async () => {
    await arrived();
    const answer = await world.registration({});

    expect(answer.statusCode).toBe(403);
    expect(answer.body).toContain('let your browser keep cookies of this site');
  });

  it('takes no form without the session’s own form token: not another session’s, not the buyer’s next one', async () => {
    const one = await arrived();
    const other = await arrived();
    const before = await buyers();
    for (const formToken of ['', 'x', other.formToken, `${one.formToken}x`]) {
      const result = await world.registration({ cookie: one.cookie, form: { ...ANSWERS, formToken } });
      expect(result.statusCode).toBe(403);
    }
    expect(await buyers()).toEqual(before);
  });

  it('lives through a rotation of the key, also in a function that has not seen the new key yet', async () => {
    const before = await arrived();
    world.secret = { current: 'k2', keys: { k1: 'a'.repeat(44), k2: 'b'.repeat(44) } };
    world.now += 4 * 60_000;
    expect((await world.registration({ cookie: before.cookie })).statusCode).toBe(200);
    world.now += 2 * 60_000;
    const buyer = await world.buyer();
    const cookie = cookieOf(await world.register({ form: { [TOKEN]: buyer.token } }));
    expect(cookie).toContain('.k2.');
    expect((await world.registration({ cookie })).statusCode).toBe(200);
    expect((await world.registration({ cookie: before.cookie })).statusCode).toBe(200);
    // The old key is taken off the list: its sessions end.
    world.secret = { current: 'k2', keys: { k2: 'b'.repeat(44) } };
    world.now += 6 * 60_000;
    expect((await world.registration({ cookie: before.cookie })).statusCode).toBe(403);
    expect((await world.registration({ cookie })).statusCode).toBe(200);
  });
});

describe('trouble', () => {
  it('gives the input back, to be sent again with one press, while something does not answer', async () => {
    const { cookie, formToken } = await arrived();
    const before = await buyers();
    world.secret = Object.assign(new Error('down'), { name: 'InternalServiceError' });
    world.restart();
    const result = await world.registration({ cookie, form: { ...ANSWERS, formToken } });
    expect(result).toMatchObject({ statusCode: 503, headers: { 'Retry-After': '5' } });
    expect(result.body).toContain('name="company" value="Engines + Söhne"');

    world.secret = { current: 'k1', keys: { k1: 'a'.repeat(44) } };
    const hidden = [...result.body.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)];
    const form = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value]));
    expect((await world.registration({ cookie, form })).statusCode).toBe(303);
    expect(await buyers()).toHaveLength(before.length + 1);
  });

  it('shows a fault of ours as such, with the reference and nothing of our insides', async () => {
    const { cookie } = await arrived();
    world.secret = { current: 'k7', keys: {} };
    world.restart();
    const result = await world.registration({ cookie });
    expect(result).toMatchObject({ statusCode: 500, body: expect.stringContaining('gateway-request-1') });
    expect(result.body).not.toMatch(/SessionKeys|secret|Misconfigured/i);
    expect(world.logged.map(({ facts }) => facts['failureCode'])).toContain('SessionKeysMalformed');
  });

  it('answers unknown places and wrong methods with pages of their own', async () => {
    expect((await world.registration({ path: '/registration/nowhere' })).statusCode).toBe(404);
    const wrong = await world.registration({ method: 'PUT' });
    expect(wrong).toMatchObject({ statusCode: 405, headers: { Allow: 'GET, HEAD, POST' } });
    const done = await world.registration({ path: '/registration/done', form: {} });
    expect(done).toMatchObject({ statusCode: 405, headers: { Allow: 'GET, HEAD' } });
    expect((await world.registration({ body: 'x'.repeat(1_000_000) })).statusCode).toBe(413);
    const json = { body: '{}', headers: { 'content-type': 'application/json' } };
    expect((await world.registration(json)).statusCode).toBe(415);
  });
});

describe('what the log says', () => {
  it('holds no word of what the buyer wrote, no cookie and no form token', async () => {
    const { cookie, formToken } = await arrived();
    const wrong = { email: 'secret-mail', name: 'secret-name', company: 'secret-company', phone: 'secret-phone' };
    await world.registration({ cookie, form: { ...wrong, formToken } });
    const right = { email: 'secret@mail.example', name: 'secret-name', company: 'secret-company' };
    await world.registration({ cookie, form: { ...right, formToken } });
    const log = JSON.stringify(world.logged);
    expect(log).toContain('formIncomplete');
    expect(log).not.toContain('secret');
    expect(log).not.toContain(cookie.split('=')[1]);
    expect(log).not.toContain(formToken);
  });
});

describe('whatever is sent', () => {
  it('gets a page and no 5xx, and nothing is stored, in 2,000 malformed requests', async () => {
    const { cookie, formToken } = await arrived();
    const before = await world.items();
    const titles = Object.values(FAILURES).map(({ title }) => title.slice(0, 12));
    const oddities = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.base64String(),
      fc.constantFrom('%', '%E0%A4%A', '&&==&', '\u0000', 'email=%00&formToken=', 'email[]=x', '__proto__=x', '+'),
      fc.dictionary(fc.constantFrom('email', 'name', 'formToken', TOKEN), fc.string()).map(encoded),
      fc.string().map((text) => encoded({ email: `${text}@`, name: text, formToken })),
    );
    const calls = fc.record({
      door: fc.constantFrom('register' as const, 'registration' as const),
      method: fc.constantFrom('POST', 'POST', 'POST', 'GET', 'PUT', 'OPTIONS', 'x'),
      path: fc.oneof(
        fc.constantFrom(
          '/registration',
          '/register',
          '/registration/done',
          '/prod/registration',
          '//x/registration',
          '',
        ),
        fc.string().map((text) => `/${text}`),
      ),
      body: fc.option(oddities),
      isBase64Encoded: fc.boolean(),
      cookie: fc.oneof(
        fc.constant(''),
        fc.constant(cookie),
        fc.string().map((text) => `__Host-registration=${text}`),
        fc.string().map((text) => `__Host-registration=s1.k1.${Buffer.from(text).toString('base64url')}.AAAA`),
      ),
      type: fc.oneof(fc.constant('application/x-www-form-urlencoded'), fc.string()),
    });
    await fc.assert(
      fc.asyncProperty(calls, async ({ door, type, ...call }) => {
        const result = await world[door]({ ...call, headers: { 'content-type': type } });
        expect(result.statusCode).toBeLessThan(500);
        if (result.statusCode === 303) return;
        expect(result.body).toMatch(/^<!doctype html>|^:root/);
        if (result.statusCode >= 400 && result.statusCode !== 422) {
          expect(titles.some((title) => result.body.includes(title))).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
    expect(await world.items()).toEqual(before);
  });
});

describe('a product with a look of its own', () => {
  const OWN = {
    'legacy-code': {
      registration: {
        sellerName: 'Old & Sons',
        supportEmail: 'help@old.example',
        accent: '#7c2d12',
        nextSteps: 'We call you.',
        fields: [{ name: 'team', label: 'Team', required: true }],
      },
    },
  };

  it('is shown by it on every page of its buyer, in its colour, and asks for its own fields', async () => {
    world.restart({}, OWN);
    const { page, cookie, formToken } = await arrived({ productCode: 'legacy-code' });
    const href = /href="([^"]*style\.css)\?v=(\w+)"/.exec(page.body);
    const style = await world.registration({ path: href?.[1] ?? '', query: { v: href?.[2] ?? '' } });
    const form = { email: 'ada@example.com', team: 'Red', formToken };
    const refused = await world.registration({ cookie, form: { ...form, team: '' } });
    const sent = await world.registration({ cookie, form });
    const done = await world.registration({ path: '/registration/done', cookie });

    expect(sent).toMatchObject({ statusCode: 303, headers: { Location: '/registration/done' } });
    expect(refused.body).toContain('Team is missing.');
    expect(style.body).toContain('--accent: rgb(124 45 18)');
    expect(done.body).toContain('We call you.');
    for (const { body } of [page, refused, done]) {
      expect(body).toContain('Old &amp; Sons');
      expect(body).toContain('help@old.example');
      expect(body).not.toMatch(/Sample|sample\.example\/support" |help@sample/);
    }
  });

  it('is shown by it, and keeps what was written, where the database fails in the middle', async () => {
    world.restart({}, OWN);
    const { cookie, formToken } = await arrived({ productCode: 'legacy-code' });
    world.restart({ AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1' }, OWN);

    const result = await world.registration({ cookie, form: { email: 'a@b.co', team: 'Red', formToken } });

    expect(result.statusCode).toBe(503);
    expect(result.body).toContain('Old &amp; Sons');
    expect(result.body).toContain('name="team" value="Red"');
  });

  it('leaves the pages of the others, and those before any product is known, as the deployment has them', async () => {
    world.restart({}, OWN);
    const other = await arrived();
    const nobody = await world.registration({});
    const style = await world.registration({ path: '/registration/style.css', query: { v: 'made-up' } });

    for (const { body } of [other.page, nobody]) expect(body).toContain('Sample &amp; Söhne');
    expect(style.body).toBe(styleOf({}));
  });
});
