// Keys that rotate under hand-offs, and bodies that are none.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NOW, type RegistrationWorld, startRegistrationWorld } from '../doubles/registration-world.ts';

const PAGES = { 'stream-code': { signUp: { url: 'https://app.example.com/aws' } } };
const K1 = 'a'.repeat(44);
const K2 = 'b'.repeat(44);

let world: RegistrationWorld;

beforeAll(async () => {
  world = await startRegistrationWorld();
});
afterAll(() => world?.close());
beforeEach(() => {
  world.now = NOW;
  world.secret = { current: 'k1', keys: { k1: K1 } };
  world.logged.length = 0;
  world.restart({}, PAGES);
});

async function handOff(): Promise<string> {
  const { token } = await world.buyer();
  const answer = await world.register({ form: { 'x-amzn-marketplace-token': token } });
  return new URL(String(answer.headers?.['Location'])).searchParams.get('handOff') ?? '';
}

async function redeem(text: string, path = '/prod/hand-offs') {
  const redemptionId = 'redemption-number-1';
  const answer = await world.signUp({ path, body: JSON.stringify({ handOff: text, redemptionId }) });
  return { status: answer.statusCode, body: JSON.parse(answer.body) };
}

async function keyIds(): Promise<string[]> {
  const { body } = await world.registration({ path: '/prod/.well-known/jwks.json' });
  return (JSON.parse(body) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
}

describe('a rotation of the keys', () => {
  test('leaves what the old key has signed believed, and is met at once by functions that hold the old keys', async () => {
    const before = await handOff();
    expect(await keyIds()).toEqual(['k1']);

    world.secret = { current: 'k2', keys: { k1: K1, k2: K2 } };
    world.now += 1_000;
    expect(await keyIds()).toEqual(['k1', 'k2']);
    // New functions sign by the new key; the one that judges has held the old keys for a second.
    expect((await redeem(before)).status).toBe(200);
    world.restart({}, PAGES);
    const after = await handOff();
    expect(JSON.parse(Buffer.from(after.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({ kid: 'k2' });
    expect((await redeem(after)).status).toBe(200);
  });

  test('makes what a dropped key has signed worthless', async () => {
    const stolen = await handOff();
    world.secret = { current: 'k2', keys: { k2: K2 } };
    world.restart({}, PAGES);

    expect(await redeem(stolen)).toMatchObject({ status: 400, body: { error: { code: 'HandOffForged' } } });
  });
});

describe('what is sent', () => {
  test('is refused by what is wrong with it, without a value of it', async () => {
    const answers = await Promise.all(
      [
        '',
        '[]',
        '{"handOff":5,"redemptionId":"redemption-number-1"}',
        '{"handOff":"secret-value","redemptionId":"short"}',
        '{"handOff":"secret-value","redemptionId":"redemption-number-1","email":"ada@buyers.example"}',
      ].map((body) => world.signUp({ path: '/prod/hand-offs', method: 'POST', body })),
    );

    for (const { statusCode, body } of answers) {
      expect(statusCode).toBe(400);
      expect(JSON.parse(body)).toMatchObject({ error: { code: 'BodyMalformed', retryable: false } });
      expect(body).not.toMatch(/secret-value|ada@/);
    }
    expect(answers[2]?.body).toContain('handOff: has to be the text that the buyer brought');
    expect(answers[3]?.body).toContain('redemptionId: has to be 16 to 64');
  });

  test('finds its way under a stage and under none, by POST alone, and no log line holds a hand-off or an address', async () => {
    const text = await handOff();
    expect((await redeem(text, '/hand-offs')).status).toBe(200);
    const statuses = await Promise.all(
      [
        { path: '/prod/hand-offs', method: 'GET' },
        { path: '/prod/elsewhere', body: '{}' },
        { path: '/prod/customers/cus_unknown/registration', body: '{}' },
      ].map(async (call) => (await world.signUp(call)).statusCode),
    );
    const customerId = String((await redeem(text)).body.customerId);
    const registered = await world.signUp({
      path: `/prod/customers/${customerId}/registration`,
      body: JSON.stringify({ handOffId: 'made-up', email: 'ada@buyers.example', fields: { name: 'A', company: 'B' } }),
    });

    expect(statuses).toEqual([405, 404, 404]);
    expect(registered.statusCode).toBe(409);
    expect(JSON.stringify(world.logged)).not.toMatch(/ada@buyers|eyJ/);
  });
});

test('the page that offers to try again may lead on to the sign-up page, and to nobody else’s', async () => {
  const { token } = await world.buyer();
  world.secret = new Error('InternalServiceError');
  world.restart({}, PAGES);

  const answer = await world.register({ form: { 'x-amzn-marketplace-token': token } });

  expect(answer.statusCode).toBe(503);
  expect(answer.body).toContain(token);
  expect(answer.headers?.['Content-Security-Policy']).toContain("form-action 'self' https://app.example.com;");
});

test('products without a sign-up page of their own keep the form', async () => {
  const { token } = await world.buyer({ productCode: 'legacy-code' });

  const answer = await world.register({ form: { 'x-amzn-marketplace-token': token } });

  expect(answer).toMatchObject({ statusCode: 303, headers: { Location: '/registration' } });
});
