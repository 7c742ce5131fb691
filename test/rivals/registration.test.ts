// From "Set up your account" to a registered customer: whom others lose on the way, and what they leak.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import {
  cookieOf,
  formTokenIn,
  NOW,
  type RegistrationWorld,
  startRegistrationWorld,
} from '../doubles/registration-world.ts';

const TOKEN = 'x-amzn-marketplace-token';
const ANSWERS = { email: 'ada@engines.example', name: 'Ada Lovelace', company: 'Engines', phone: '' };

let world: RegistrationWorld;

beforeAll(async () => {
  world = await startRegistrationWorld();
});
afterAll(async () => {
  await world?.close();
});
beforeEach(async () => {
  world.now = NOW;
  world.logged.length = 0;
  world.restart();
  await world.control('PUT', '/control/faults', {});
});

/** A buyer who has come from AWS Marketplace and sees the form. */
async function arrived() {
  const buyer = await world.buyer();
  const answer = await world.register({ form: { [TOKEN]: buyer.token } });
  const cookie = cookieOf(answer);
  const page = await world.registration({ cookie });
  const licenceKey = licenceKeyOf({ style: 'licence', licenceArn: buyer.licenceArn });
  return { ...buyer, answer, cookie, page, licenceKey, formToken: formTokenIn(page.body) };
}

test('the token stands in no address, header, cookie or page after it was redeemed, where the AWS sample and sbt-aws redirect with it in the URL (R1, S9)', async () => {
  const { token, answer, page } = await arrived();

  const seen = JSON.stringify([answer, page]);

  expect(answer).toMatchObject({ statusCode: 303, headers: { Location: '/registration' } });
  expect(seen).not.toContain(token);
  expect(seen).not.toContain(encodeURIComponent(token));
});

test('a buyer whose token expires over the form is registered, and one who leaves the form is a customer, where the AWS sample redeems at submit and loses both (R2)', async () => {
  const slow = await world.buyer();
  const path = `/control/agreements/${slow.agreementId}/tokens`;
  const { token } = await world.control('POST', path, { lifetimeSeconds: 60 });
  const cookie = cookieOf(await world.register({ form: { [TOKEN]: String(token) } }));
  const formToken = formTokenIn((await world.registration({ cookie })).body);
  const left = await arrived();
  await world.control('POST', '/control/clock/advance', { ms: 120_000 });
  world.now += 120_000;

  const expired = await world.register({ form: { [TOKEN]: String(token) } });
  const sent = await world.registration({ cookie, form: { ...ANSWERS, formToken } });

  expect(expired).toMatchObject({ statusCode: 400, body: expect.stringContaining('has expired') });
  expect(sent).toMatchObject({ statusCode: 303, headers: { Location: '/registration/done' } });
  expect(await world.customers.licence(left.licenceKey)).toMatchObject({ licenceArn: left.licenceArn });
});

test('what notices wrote before the form came stands after it, where the AWS sample and sbt-aws put the whole row anew (R3, S10)', async () => {
  const { licenceKey, agreementId, cookie, formToken, token } = await arrived();
  await world.customers.noteStart(licenceKey, { agreementId, from: NOW - 21_000 });
  await world.customers.noteEnding(licenceKey, { agreementId, noticeAt: NOW + 5_000 });
  const before = await world.customers.licence(licenceKey);

  await world.registration({ cookie, form: { ...ANSWERS, formToken } });
  await world.register({ form: { [TOKEN]: token } });

  const after = await world.customers.licence(licenceKey);
  expect(after).toEqual(before);
  expect(after).toMatchObject({ periods: [{ agreementId, from: NOW - 21_000 }], ending: { noticeAt: NOW + 5_000 } });
  expect(await world.customers.customer(after?.customerId ?? '')).toMatchObject({ registeredAt: NOW });
});

test('a buyer whose answer was lost sends the form again and is thanked, once in the books, where a failed mail ends in an error at the AWS sample and sbt-aws (R4, S15)', async () => {
  const { cookie, formToken } = await arrived();
  const send = () => world.registration({ cookie, form: { ...ANSWERS, formToken } });
  await send();
  const items = await world.items();

  const again = await send();

  expect(again).toMatchObject({ statusCode: 303, headers: { Location: '/registration/done' } });
  expect(await world.items()).toEqual(items);
});

test('a buyer is told what went wrong, each its own, and keeps what can be tried again, where the AWS sample says the same 400 to all (R5)', async () => {
  const { token, agreementId } = await world.buyer();
  const path = `/control/agreements/${agreementId}/tokens`;
  const { token: short } = await world.control('POST', path, { lifetimeSeconds: 1 });
  await world.control('POST', '/control/clock/advance', { ms: 2_000 });
  const post = (value: string) => world.register({ form: { [TOKEN]: value } });
  const expired = await post(String(short));
  const unknown = await post('made-up');
  const none = await world.register({ form: { other: 'x' } });
  const unreadable = await world.register({ body: '{"a":1}', headers: { 'content-type': 'application/json' } });
  await world.control('PUT', '/control/faults', { next: [{ kind: 'throttle', count: 20 }] });
  const throttled = await post(token);
  await world.control('PUT', '/control/faults', { next: [{ kind: 'accessDenied', count: 20 }] });
  const denied = await post(token);

  const answers = [expired, unknown, none, unreadable, throttled, denied];
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([400, 400, 400, 415, 503, 500]);
  expect(new Set(answers.map(({ body }) => /<h1[^>]*>(.*?)<\/h1>/s.exec(body)?.[1])).size).toBe(6);
  expect(throttled.body).toContain('action="/register"');
});

test('missing answers are named beside their fields with what was written kept, where sbt-aws turns them into a 500 (S14)', async () => {
  const { cookie, formToken } = await arrived();

  const answer = await world.registration({ cookie, form: { ...ANSWERS, email: '', company: '', formToken } });

  expect(answer.statusCode).toBe(422);
  expect(answer.body).toContain('href="#email"');
  expect(answer.body).toContain('href="#company"');
  expect(answer.body).toContain('value="Ada Lovelace"');
});

test('what a buyer writes comes back as text and a refusal as a refusal, where sbt-aws shows errors as good news and puts answers into innerHTML (S17)', async () => {
  const { cookie, formToken } = await arrived();
  const name = '<img src=x onerror=alert(1)>';

  const answer = await world.registration({ cookie, form: { ...ANSWERS, email: 'nobody', name, formToken } });

  expect(answer.statusCode).toBe(422);
  expect(answer.body).toContain('role="alert"');
  expect(answer.body).toContain('&lt;img src=x onerror=alert(1)&gt;');
  expect(answer.body).not.toContain(name);
});

test('every page works without script and without anything from elsewhere, where sbt-aws needs three libraries from public CDNs (S19)', async () => {
  const { page, cookie, formToken } = await arrived();
  await world.registration({ cookie, form: { ...ANSWERS, formToken } });
  const done = await world.registration({ path: '/registration/done', cookie });

  for (const { body, headers } of [await world.register({}), page, done]) {
    expect(body).not.toMatch(/<script|\son\w+=|(?:src|href)="(?:https?:)?\/\/[^"]*\.(?:js|css)/);
    expect(String(headers?.['Content-Security-Policy'])).toContain("default-src 'none'; style-src 'self'");
  }
});

test('no line of the log holds a token or a word about a buyer, where sbt-aws and the April 2026 sample log whole events (S8)', async () => {
  const { token, cookie, formToken, awsAccountId } = await arrived();
  await world.registration({ cookie, form: { ...ANSWERS, formToken } });
  await world.control('PUT', '/control/faults', { next: [{ kind: 'accessDenied', count: 20 }] });
  await world.register({ form: { [TOKEN]: token } });

  const log = JSON.stringify(world.logged);

  expect(world.logged.length).toBeGreaterThan(3);
  for (const word of [token, ANSWERS.email, ANSWERS.name, ANSWERS.company, awsAccountId, formToken, cookie]) {
    expect(log).not.toContain(word);
  }
});
