import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { verifyWebhook } from '../../client/webhooks.ts';
import { signWebhook, webhookKey, webhookWaitSeconds } from '../../lambdas/domain/webhook.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const OTHER = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const keyOf = (secret: string) => webhookKey(secret) ?? expect.unreachable('The secret is none.');

describe('a signed webhook', () => {
  test('is genuine to the public Standard Webhooks library, and what that library signs is to us', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.json(), (name, body) => {
        const id = `evt_${Buffer.from(name).toString('base64url')}`;
        const now = new Date();
        const headers = signWebhook(id, now.getTime(), body, [keyOf(SECRET)]);
        const theirs = new Webhook(SECRET);
        expect(theirs.verify(body, { ...headers })).toEqual(JSON.parse(body));
        expect(headers['webhook-signature']).toBe(theirs.sign(id, now, body));
        expect(verifyWebhook({ ...headers }, body, [SECRET])).toEqual({ kind: 'genuine' });
      }),
    );
  });

  test('is genuine under the old and the new secret while both sign', () => {
    const headers = { ...signWebhook('evt_1', Date.now(), '{}', [keyOf(SECRET), keyOf(OTHER)]) };
    expect(verifyWebhook(headers, '{}', [SECRET])).toEqual({ kind: 'genuine' });
    expect(verifyWebhook(headers, '{}', [OTHER])).toEqual({ kind: 'genuine' });
    expect(new Webhook(OTHER).verify('{}', headers)).toEqual({});
  });

  test.each<[string, (headers: Record<string, string>) => { headers: Record<string, string>; body?: string }, string]>([
    ['another body', (headers) => ({ headers, body: '{ }' }), 'signatureWrong'],
    ['another id', (headers) => ({ headers: { ...headers, 'webhook-id': 'evt_2' } }), 'signatureWrong'],
    [
      'another version',
      (h) => ({ headers: { ...h, 'webhook-signature': h['webhook-signature']?.replace('v1', 'v2') ?? '' } }),
      'signatureWrong',
    ],
    ['no signature', ({ 'webhook-signature': _gone, ...headers }) => ({ headers }), 'headersMissing'],
    [
      'a time that is no number',
      (headers) => ({ headers: { ...headers, 'webhook-timestamp': 'now' } }),
      'timeOutsideTolerance',
    ],
  ])('is refused with %s', (_claim, change, reason) => {
    const nowMs = Date.parse('2026-09-21T10:00:00Z');
    const changed = change({ ...signWebhook('evt_1', nowMs, '{}', [keyOf(SECRET)]) });
    expect(verifyWebhook(changed.headers, changed.body ?? '{}', [SECRET], nowMs)).toEqual({ kind: 'refused', reason });
  });

  test('is refused six minutes later, and with another secret', () => {
    const nowMs = Date.parse('2026-09-21T10:00:00Z');
    const headers = { ...signWebhook('evt_1', nowMs, '{}', [keyOf(SECRET)]) };
    expect(verifyWebhook(headers, '{}', [SECRET], nowMs + 6 * 60_000)).toMatchObject({
      reason: 'timeOutsideTolerance',
    });
    expect(verifyWebhook(headers, '{}', [OTHER], nowMs)).toMatchObject({ reason: 'signatureWrong' });
  });

  test('can not be verified with something that is no secret', () => {
    for (const secret of ['', 'whsec_', 'whsec_short', `whsec_${randomBytes(80).toString('base64')}`, '§'.repeat(40)]) {
      expect(() => verifyWebhook({}, '{}', [secret])).toThrow(/whsec_/);
    }
    expect(() => verifyWebhook({}, '{}', [])).toThrow(/whsec_/);
  });
});

test('tries wait ever longer, from five seconds to three hours, and make a day in some twenty tries', () => {
  const waits = Array.from({ length: 30 }, (_, index) => webhookWaitSeconds(index + 1, 0.5));
  expect(waits[0]).toBe(5);
  expect(waits.at(-1)).toBe(3 * 3_600);
  expect(waits.toSorted((a, b) => a - b)).toEqual(waits);
  let tries = 0;
  for (let spent = 0; spent < 24 * 3_600; tries++) spent += waits[tries] ?? 0;
  expect(tries).toBeGreaterThan(15);
  expect(tries).toBeLessThan(25);
});
