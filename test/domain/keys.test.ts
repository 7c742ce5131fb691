import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeKeyPart,
  encodeKeyPart,
  hourShardKey,
  KEY_SEPARATOR,
  MAX_ENCODED_DIMENSION_BYTES,
  meterKey,
  shardOf,
} from '../../lambdas/domain/keys.ts';
import { licenceKeyOf, licenceNameOf } from '../../lambdas/domain/licence.ts';
import { MAX_EVENT_ID_LENGTH } from '../../lambdas/domain/usage-event.ts';
import { carryKey } from '../../lambdas/stores/ledger-items.ts';
import { toUsageItem } from '../../lambdas/stores/usage-store.ts';
import { aCarry, anHour, aProduct, aUsageEvent, LICENCE_ARN, LICENCE_KEY } from '../builders.ts';

/** Any text that can be encoded: no half of a surrogate pair. */
const anyText = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });

describe('key parts', () => {
  test('come back from their encoded form as they were', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(decodeKeyPart(encodeKeyPart(text))).toBe(text);
      }),
    );
  });

  test('hold no byte at or below the separator, and no tilde', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const byte of Buffer.from(encodeKeyPart(text))) {
          expect(byte).toBeGreaterThan(KEY_SEPARATOR.charCodeAt(0));
          expect(byte).not.toBe('~'.charCodeAt(0));
        }
      }),
    );
  });

  test('stand in the order of their meters, however one name begins another', () => {
    const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
    fc.assert(
      fc.property(anyText, anyText, anyText, anyText, (one, other, event, another) => {
        const [first, second] = [meterKey(LICENCE_KEY, one), meterKey(LICENCE_KEY, other)];
        const [row, otherRow] = [`${first}#${encodeKeyPart(event)}`, `${second}#${encodeKeyPart(another)}`];
        if (first !== second) expect(Math.sign(byBytes(row, otherRow))).toBe(Math.sign(byBytes(first, second)));
      }),
    );
  });

  test.each(['a b', 'a%2', '%zz', '%7e', 'a!', '~1', 'ü', '\ud800'])(
    'are not read where nobody of us made them: %j',
    (part) => {
      expect(decodeKeyPart(part)).toBeUndefined();
    },
  );

  test('of the longest licence, dimension and event make a key under the 1,024 bytes that DynamoDB allows', () => {
    const longest = 'x'.repeat(MAX_ENCODED_DIMENSION_BYTES);
    // '!' is the longest that a printable character can become.
    const event = aUsageEvent({ dimension: longest, eventId: '!'.repeat(MAX_EVENT_ID_LENGTH) });
    const carry = aCarry({ dimension: longest, originAccounted: Number.MAX_SAFE_INTEGER });

    expect(Buffer.byteLength(toUsageItem(event).sk)).toBeLessThan(1_024);
    expect(Buffer.byteLength(String(carryKey(carry)['sk']))).toBeLessThan(1_024);
  });

  test('of a carry can not be written by a caller, whose ids never begin with a bare tilde', () => {
    const forged = toUsageItem(aUsageEvent({ eventId: '~2026-09-21T10.untagged.0' })).sk;

    expect(String(carryKey(aCarry())['sk'])).toMatch(/#~2026-09-21T10\.untagged\.0$/);
    expect(forged).toMatch(/#%7E2026-09-21T10\.untagged\.0$/);
  });
});

describe('shards', () => {
  test.each([
    ['l-00000000000000000000000000000001', 1],
    ['l-00000000000000000000000000000002', 5],
    ['l-00000000000000000000000000000003', 7],
  ])('keep the licence %s in shard %d for ever', (licenceKey, shard) => {
    expect(shardOf(licenceKey)).toBe(shard);
  });

  test('are named with two digits behind the hour', () => {
    expect(hourShardKey(anHour(), 5)).toBe('2026-09-21T10#05');
    expect(hourShardKey(anHour(), 63)).toBe('2026-09-21T10#63');
  });
});

describe('licence keys', () => {
  test('are the same for every shape in which AWS writes one ARN', () => {
    const sampleOfTheGuide = `aws:license-manager:us-east-1:123456789012:${LICENCE_KEY}`;

    expect(licenceKeyOf({ style: 'licence', licenceArn: LICENCE_ARN })).toBe(LICENCE_KEY);
    expect(licenceKeyOf({ style: 'licence', licenceArn: sampleOfTheGuide })).toBe(LICENCE_KEY);
  });

  test('are a digest where an ARN has no tail of the usual form, and at most 34 characters long', () => {
    const odd = `arn:aws:license-manager::294406891311:license:${'A'.repeat(900)}`;

    const key = licenceKeyOf({ style: 'licence', licenceArn: odd });

    expect(key).toMatch(/^h-[0-9a-f]{32}$/);
    expect(decodeKeyPart(key)).toBe(key);
  });

  test('of legacy customers tell product and customer apart', () => {
    const keyOf = (productCode: string, customerIdentifier: string) =>
      licenceKeyOf({ style: 'legacy', productCode, customerIdentifier });

    expect(keyOf('ab', 'c')).not.toBe(keyOf('a', 'bc'));
    expect(keyOf('metrics-cloud', 'X01EXAMPLEX')).toMatch(/^c-[0-9a-f]{32}$/);
  });

  test('take only the name of the product’s own style', () => {
    const clues = { licenceArn: LICENCE_ARN, customerIdentifier: 'X01EXAMPLEX' };

    expect(licenceNameOf(aProduct(), clues)).toEqual({ style: 'licence', licenceArn: LICENCE_ARN });
    expect(licenceNameOf(aProduct({ identityStyle: 'legacy' }), clues)).toMatchObject({ style: 'legacy' });
    expect(licenceNameOf(aProduct({ identityStyle: 'legacy' }), { licenceArn: LICENCE_ARN })).toBeUndefined();
  });
});
