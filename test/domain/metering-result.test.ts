// What every answer of AWS means for a record in every state.
import { describe, expect, test } from 'vitest';
import { isLive, needsAttention, type RecordStatus, type SealedHour } from '../../lambdas/domain/ledger.ts';
import {
  faultGroupKey,
  groupKeysOf,
  INVALID_CODES,
  judgeAnswer,
  judgeDeadline,
  judgeFault,
  type RecordAnswer,
} from '../../lambdas/domain/metering-result.ts';
import { aSealedHour, at } from '../builders.ts';

const NOW = at('2026-09-21T11:20:00Z');
const judgement = { attemptId: 'a77e0001', requestId: 'req-1', nowMs: NOW };
const OWN = { a77e0001: { at: NOW - 900 } };
const ANOTHER = { ...OWN, b0b00002: { at: NOW - 90_000 } };

const LIVE: readonly RecordStatus[] = ['open', 'held', 'quarantined'];
const SETTLED: readonly RecordStatus[] = [
  'honoured',
  'presumed',
  'disputed',
  'withheld',
  'uncertain',
  'expired',
  'carried',
];
const ANSWERS: Readonly<Record<RecordAnswer['kind'], RecordAnswer>> = {
  success: { kind: 'success', meteringRecordId: 'm-1' },
  duplicate: { kind: 'duplicate' },
  notSubscribed: { kind: 'notSubscribed' },
  unprocessed: { kind: 'unprocessed' },
  missing: { kind: 'missing' },
  unknownStatus: { kind: 'unknownStatus', status: 'PendingReview' },
};

function aRecord(overrides: Partial<SealedHour> = {}): SealedHour {
  return aSealedHour({ attempts: OWN, ...overrides });
}

describe('an answer on one record', () => {
  test.each<[RecordAnswer['kind'], RecordStatus, string | undefined]>([
    ['success', 'honoured', undefined],
    ['duplicate', 'disputed', 'DuplicateRecord'],
    ['notSubscribed', 'held', 'CustomerNotSubscribed'],
    ['unprocessed', 'open', 'Unprocessed'],
    ['missing', 'open', 'MissingFromAnswer'],
    ['unknownStatus', 'open', 'UnknownStatus:PendingReview'],
  ])('of %s leaves an open record %s', (kind, status, reason) => {
    expect(judgeAnswer(aRecord(), ANSWERS[kind], judgement)).toMatchObject({ status, ...(reason && { reason }) });
  });

  test('of a duplicate is presumed ours where another attempt may have put it there', () => {
    expect(judgeAnswer(aRecord({ attempts: ANOTHER }), ANSWERS.duplicate, judgement)?.status).toBe('presumed');
  });

  test.each(SETTLED)('changes nothing on a record that is %s, unless it is a success', (status) => {
    for (const answer of Object.values(ANSWERS)) {
      if (answer.kind !== 'success') expect(judgeAnswer(aRecord({ status }), answer, judgement)).toBeUndefined();
    }
  });

  test('of success wins over whatever was written meanwhile, and is written once', () => {
    expect(judgeAnswer(aRecord({ status: 'expired' }), ANSWERS.success, judgement)?.status).toBe('honoured');
    expect(judgeAnswer(aRecord({ status: 'honoured' }), ANSWERS.success, judgement)).toBeUndefined();
  });

  test('that says for certain that nothing was metered takes the attempt off the record', () => {
    for (const kind of ['notSubscribed', 'unprocessed'] as const) {
      expect(judgeAnswer(aRecord(), ANSWERS[kind], judgement)).toMatchObject({
        refusedAttemptId: 'a77e0001',
        refusal: { requestId: 'req-1', at: NOW },
      });
    }
    for (const kind of ['missing', 'unknownStatus', 'duplicate', 'success'] as const) {
      expect(judgeAnswer(aRecord(), ANSWERS[kind], judgement)).not.toHaveProperty('refusedAttemptId');
    }
  });

  test.each(['notSubscribed', 'unprocessed', 'missing', 'unknownStatus'] as const)(
    'of %s does not let a quarantined record out',
    (kind) => {
      expect(judgeAnswer(aRecord({ status: 'quarantined' }), ANSWERS[kind], judgement)?.status).toBe('quarantined');
    },
  );

  test('of any live state never ends a record without AWS having spoken on it', () => {
    for (const status of LIVE) {
      for (const kind of ['unprocessed', 'missing', 'unknownStatus'] as const) {
        const settlement = judgeAnswer(aRecord({ status }), ANSWERS[kind], judgement);
        expect(isLive(settlement?.status ?? status)).toBe(true);
      }
    }
  });
});

describe('a call that was not answered record by record', () => {
  test('leaves every live record live, whatever the fault', () => {
    for (const status of LIVE) {
      for (const fault of [
        { kind: 'unknown', code: 'TimeoutError' } as const,
        { kind: 'unlisted', code: 'BrandNewException' } as const,
        { kind: 'refused', code: 'AccessDeniedException', isThrottled: false } as const,
        { kind: 'invalid', code: 'InvalidTagException' } as const,
      ]) {
        const after = judgeFault(aRecord({ status }), fault, judgement)?.status;
        expect(after).toBe(status === 'quarantined' ? 'quarantined' : 'open');
      }
    }
  });

  test('keeps the attempt where AWS may have metered, and takes it off where it can not have', () => {
    const unknown = judgeFault(aRecord(), { kind: 'unknown', code: 'TimeoutError' }, judgement);
    const refused = judgeFault(aRecord(), { kind: 'refused', code: 'X', isThrottled: false }, judgement);

    const unlisted = judgeFault(aRecord(), { kind: 'unlisted', code: 'BrandNewException' }, judgement);

    expect(unknown).not.toHaveProperty('refusedAttemptId');
    expect(unlisted).not.toHaveProperty('refusedAttemptId');
    expect(refused).toMatchObject({ refusedAttemptId: 'a77e0001' });
  });

  test('lets a throttled record go again at once, and any other after a while that doubles up to 15 minutes', () => {
    const waits = Array.from({ length: 12 }, (_, tries) => {
      const attempts = Object.fromEntries(Array.from({ length: tries }, (_each, index) => [`${index}`, { at: NOW }]));
      const settlement = judgeFault(aRecord({ attempts }), { kind: 'unknown', code: 'X' }, judgement);
      return (settlement?.nextAttemptAt ?? 0) - NOW;
    });
    const throttled = judgeFault(aRecord(), { kind: 'refused', code: 'X', isThrottled: true }, judgement);

    expect(throttled).not.toHaveProperty('nextAttemptAt');
    expect(waits.every((wait, index) => index === 0 || wait >= (waits[index - 1] ?? 0))).toBe(true);
    expect(waits[0]).toBeGreaterThanOrEqual(22_500);
    expect(waits.at(-1)).toBeLessThanOrEqual(900_000);
  });

  test('changes nothing on a record that somebody else has settled', () => {
    expect(judgeFault(aRecord({ status: 'honoured' }), { kind: 'unknown', code: 'X' }, judgement)).toBeUndefined();
  });
});

describe('the time of the next try', () => {
  const MINUTE = 60_000;
  const nextOf = (record: SealedHour, answer: RecordAnswer = ANSWERS.missing, id = judgement.attemptId) =>
    judgeAnswer(record, answer, { ...judgement, attemptId: id })?.nextAttemptAt ?? 0;
  const tired = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`${index}`, { at: NOW }]));
  const FAULTS = [
    { kind: 'unknown', code: 'TimeoutError' },
    { kind: 'unlisted', code: 'BrandNewException' },
    { kind: 'refused', code: 'AccessDeniedException', isThrottled: false },
  ] as const;

  test.each(['notSubscribed', 'unprocessed', 'missing', 'unknownStatus'] as const)(
    'leaves a minute before the deadline, after %s, however old the record is',
    (kind) => {
      for (const leftMs of [MINUTE + 10_000, 2 * MINUTE, 119 * MINUTE]) {
        const next = nextOf(aRecord({ attempts: tired, deadlineAt: NOW + leftMs }), ANSWERS[kind]);
        expect(next).toBeGreaterThan(NOW);
        expect(next).toBeLessThanOrEqual(NOW + Math.min(MINUTE, leftMs - MINUTE));
      }
    },
  );

  test('leaves a minute before the deadline after a call that was not answered', () => {
    for (const fault of FAULTS) {
      const record = aRecord({ attempts: tired, deadlineAt: NOW + 2 * MINUTE });
      const next = judgeFault(record, fault, judgement)?.nextAttemptAt ?? 0;
      expect(next).toBeGreaterThan(NOW);
      expect(next).toBeLessThanOrEqual(NOW + MINUTE);
    }
  });

  test('follows a deadline that was brought forward', () => {
    const record = aRecord({ attempts: tired, sealedAt: NOW - 20 * 3_600_000 });

    expect(nextOf({ ...record, deadlineAt: NOW + 4 * 3_600_000 })).toBeGreaterThan(NOW + 10 * MINUTE);
    expect(nextOf({ ...record, deadlineAt: NOW + 3_600_000 })).toBeLessThanOrEqual(NOW + MINUTE);
  });

  test('comes after a pause even in the last minute, so that a run does not spin', () => {
    for (const leftMs of [1, 30_000, MINUTE]) {
      expect(nextOf(aRecord({ deadlineAt: NOW + leftMs }))).toBe(NOW + 10_000);
    }
  });

  test('is ten minutes later for a held record with time left', () => {
    expect(nextOf(aRecord(), ANSWERS.notSubscribed)).toBe(NOW + 10 * MINUTE);
  });

  test('differs between the records of one call, so that companions of a poisoned one separate', () => {
    const dimensions = Array.from({ length: 25 }, (_, index) => `d${index}`);
    const times = dimensions.map((dimension) => nextOf(aRecord({ attempts: tired, dimension })) - NOW);

    expect(new Set(times).size).toBe(25);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(675_000);
    expect(Math.max(...times)).toBeLessThanOrEqual(900_000);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(120_000);
  });
});

describe('a passed deadline', () => {
  const due = aRecord({ deadlineAt: NOW, attempts: {} });

  test('makes a record uncertain where AWS may have it, and expired where it can not', () => {
    expect(judgeDeadline({ ...due, attempts: OWN }, NOW)?.status).toBe('uncertain');
    expect(judgeDeadline(due, NOW)).toMatchObject({ status: 'expired', reason: 'neverSent' });
    expect(judgeDeadline({ ...due, reason: 'CustomerNotSubscribed', status: 'held' }, NOW)).toMatchObject({
      status: 'expired',
      reason: 'CustomerNotSubscribed',
    });
  });

  test('is passed at its instant, not before, and only for records that are not settled', () => {
    expect(judgeDeadline(due, NOW - 1)).toBeUndefined();
    for (const status of SETTLED) expect(judgeDeadline({ ...due, status }, NOW)).toBeUndefined();
  });
});

describe('attention', () => {
  test.each<[RecordStatus, boolean]>([
    ['presumed', true],
    ['disputed', true],
    ['uncertain', true],
    ['expired', true],
    ['honoured', false],
    ['withheld', false],
    ['carried', false],
  ])('of an operator for a record that is %s: %s', (status, wanted) => {
    expect(needsAttention(aRecord({ status }))).toBe(wanted);
  });

  test('is never asked for a zero record, and always for usage that is held as late', () => {
    const zero = { ...aRecord().record, quantity: 0 };

    expect(needsAttention(aRecord({ status: 'expired', record: zero }))).toBe(false);
    expect(needsAttention(aRecord({ status: 'honoured', record: zero, heldLate: 45 }))).toBe(true);
  });
});

describe('a validation error on one record', () => {
  test('holds the records of which it says something, and no others', () => {
    const groups = INVALID_CODES.map((code) => [code, faultGroupKey(aRecord(), code)]);

    expect(Object.fromEntries(groups)).toEqual({
      TimestampOutOfBoundsException: undefined,
      InvalidUsageDimensionException: 'dimension metrics-cloud requests',
      InvalidLicenseException: `licence ${aRecord().licenceKey}`,
      InvalidCustomerIdentifierException: `licence ${aRecord().licenceKey}`,
      InvalidTagException: undefined,
      InvalidUsageAllocationsException: undefined,
      InvalidProductCodeException: 'product metrics-cloud',
      ValidationException: undefined,
    });
  });

  test('holds under a key that the records of the group are asked for', () => {
    for (const code of INVALID_CODES) {
      const key = faultGroupKey(aRecord(), code);
      if (key) expect(groupKeysOf(aRecord())).toContain(key);
    }
  });
});
