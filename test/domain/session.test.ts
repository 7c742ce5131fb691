import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formTokenOf, isSameToken, keyIdOf, signSession, verifySession } from '../../lambdas/domain/session.ts';

const RING = { current: 'k1', keys: new Map([['k1', 'a'.repeat(44)]]) };
const SESSION = { sessionId: 's', customerId: 'cus_1', productCode: 'p', expiresAt: 1000 };
const TEXT = signSession(SESSION, RING) ?? '';

it('gives back the session that was signed, until the moment it expires', () => {
  expect(keyIdOf(TEXT)).toBe('k1');
  expect(verifySession(TEXT, RING, 999)).toEqual(SESSION);
  expect(verifySession(TEXT, RING, 1000)).toBeUndefined();
});

it('signs nothing without its current key', () => {
  expect(signSession(SESSION, { ...RING, current: 'k2' })).toBeUndefined();
});

it('is written in characters that a cookie may hold', () => {
  expect(TEXT).toMatch(/^[\w.-]+$/);
});

it('believes no text that differs in one character, and no text of another making', () => {
  fc.assert(
    fc.property(fc.nat(TEXT.length - 1), fc.constantFrom('A', 'B', '.', '', '=', 'é'), (at, char) => {
      const changed = TEXT.slice(0, at) + char + TEXT.slice(at + 1);
      // The last characters of base64 may differ and yet stand for the same bytes: then it is the same signature.
      const session = verifySession(changed, RING, 0);
      if (session) expect(session).toEqual(SESSION);
      const isSameBytes = changed.split('.').slice(0, 3).join('.') === TEXT.split('.').slice(0, 3).join('.');
      if (!isSameBytes) expect(session).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
  fc.assert(fc.property(fc.string(), (text) => verifySession(text, RING, 0) === undefined));
});

it('binds the form token to the session, and makes none of the signature itself', () => {
  const token = formTokenOf(TEXT, RING) ?? '';
  const other = formTokenOf(signSession({ ...SESSION, sessionId: 't' }, RING) ?? '', RING) ?? '';
  expect(isSameToken(token, token)).toBe(true);
  expect(isSameToken(token, other)).toBe(false);
  expect(isSameToken(token, '')).toBe(false);
  expect(TEXT).not.toContain(token);
});
