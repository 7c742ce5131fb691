// What AWS's own log makes of a record, and what it does not prove.
import { describe, expect, test } from 'vitest';
import { newActionId } from '../../../lambdas/domain/amendment.ts';
import { HOUR_MS, MINUTE_MS } from '../../../lambdas/domain/hour.ts';
import type { SealedHour } from '../../../lambdas/domain/ledger.ts';
import { decideConfirm, Trail, windowProblem } from '../../../lambdas/domain/operations/confirm.ts';
import type { TrailRecord } from '../../../lambdas/domain/operations/submitted-usage.ts';
import { anHour, aSealedHour, at, LICENCE_KEY } from '../../builders.ts';

const NOW = at('2026-09-22T12:00:00Z');
const SENT = at('2026-09-21T11:20:00Z');
const ACT = { actionId: newActionId(NOW, 'a1'), who: 'kim@example.com', why: 'month end' };
const WIDE = { from: SENT - HOUR_MS, to: SENT + HOUR_MS };
const ATTEMPTS = { 'a-1': { at: SENT } };

function shown(overrides: Partial<TrailRecord> = {}): TrailRecord {
  return {
    licenceKey: LICENCE_KEY,
    region: 'us-east-1',
    dimension: 'requests',
    hour: anHour(),
    quantity: 12_500,
    answer: 'metered',
    meteringRecordId: 'm-1',
    at: SENT,
    ...overrides,
  };
}

function confirmed(record: SealedHour, trail: TrailRecord[], window: typeof WIDE | 'none' = WIDE) {
  const evidence = new Trail(trail).evidenceOf(record, '111122223333');
  return decideConfirm(record, evidence, window === 'none' ? undefined : window, ACT, NOW);
}

const presumed = aSealedHour({ status: 'presumed', reason: 'DuplicateRecord', attempts: ATTEMPTS });
const uncertain = aSealedHour({ status: 'uncertain', reason: 'TimeoutError', attempts: ATTEMPTS });

describe('AWS’s log', () => {
  test.each([
    ['presumed', presumed],
    ['uncertain', uncertain],
  ])('with our quantity makes a %s record honoured, with AWS’s id of it', (_status, record) => {
    const decision = confirmed(record, [shown({ answer: 'duplicate' }), shown()]);

    expect(decision).toMatchObject({ amendment: { after: { status: 'honoured', meteringRecordId: 'm-1' } } });
    expect(decision).not.toHaveProperty('amendment.after.reason');
  });

  test('with another quantity makes it disputed, and names both', () => {
    const decision = confirmed(presumed, [shown({ quantity: 9_000 })]);

    expect(decision).toMatchObject({
      amendment: {
        after: { status: 'disputed', reason: 'awsHolds:9000' },
        audit: { facts: { ours: 12_500, aws: 9_000 } },
      },
    });
  });

  test('measures against what was settled, where a person settled it', () => {
    const settled = { ...presumed, reason: 'accepted', settledQuantity: 9_000, withheldQuantity: 3_500 };

    expect(confirmed(settled, [shown({ quantity: 9_000 })])).toMatchObject({
      amendment: { after: { status: 'honoured', settledQuantity: 9_000 } },
    });
  });

  test('leaves alone what was accepted although AWS holds more, and opens it again where AWS holds less', () => {
    const accepted = { ...presumed, reason: 'accepted' };

    expect(confirmed(accepted, [shown({ quantity: 13_000 })])).toMatchObject({ kind: 'unchanged' });
    expect(confirmed(accepted, [shown({ quantity: 12_000 })])).toMatchObject({
      amendment: { after: { status: 'disputed' } },
    });
  });

  test('without a trace, and complete around each attempt, makes an uncertain record expired', () => {
    const decision = confirmed(uncertain, [shown({ hour: anHour('2026-09-21T09') }), shown({ answer: 'refused' })]);

    expect(decision).toMatchObject({ amendment: { after: { status: 'expired', reason: 'absentInCloudTrail' } } });
  });

  const MARGIN = 15 * MINUTE_MS;
  test.each<[string, TrailRecord[], typeof WIDE | 'none']>([
    ['no window is stated', [], 'none'],
    ['the window begins too late', [], { from: SENT - MARGIN + 1, to: SENT + HOUR_MS }],
    ['the window ends too early', [], { from: SENT - HOUR_MS, to: SENT + MARGIN - 1 }],
    ['AWS holds a record of an amount that is not told', [shown({ answer: 'duplicate' })], WIDE],
    ['a call failed at AWS', [shown({ answer: 'unknown' })], WIDE],
    ['AWS metered it in another region', [shown({ region: 'eu-west-1' })], WIDE],
    ['AWS said Success to two quantities', [shown(), shown({ quantity: 1 })], WIDE],
    [
      'a call names the account alone, with another quantity',
      [{ ...withoutLicence(shown({ quantity: 1 })), accountId: '111122223333' }],
      WIDE,
    ],
  ])('proves nothing where %s', (_why, trail, window) => {
    expect(confirmed(uncertain, trail, window)).toMatchObject({ kind: 'unchanged' });
  });

  test('at the very edges of its window is enough', () => {
    const window = { from: SENT - MARGIN, to: SENT + MARGIN };

    expect(confirmed(uncertain, [], window)).toMatchObject({ amendment: { after: { status: 'expired' } } });
  });

  test('that names the account alone confirms our quantity, as the one record that it can mean', () => {
    const trail = [{ ...withoutLicence(shown()), accountId: '111122223333' }];

    expect(confirmed(uncertain, trail)).toMatchObject({ amendment: { after: { status: 'honoured' } } });
  });

  test('that names another licence of the account says nothing of this one', () => {
    const trail = [shown({ licenceKey: 'l-ffffffffffffffffffffffffffffffff', accountId: '111122223333' })];

    expect(confirmed(presumed, trail)).toMatchObject({ kind: 'unchanged' });
  });

  test('never expires what is presumed, however complete it is', () => {
    expect(confirmed(presumed, [])).toMatchObject({ kind: 'unchanged' });
  });

  test('with an amount for a disputed record names it, and leaves the decision to a person', () => {
    const decision = confirmed(aSealedHour({ status: 'disputed' }), [shown({ quantity: 9_000 })]);

    expect(decision).toMatchObject({ kind: 'unchanged', message: expect.stringContaining('9000') });
  });

  test('is complete only for a time that has passed, and where all of it could be read', () => {
    expect(windowProblem(WIDE, 0, NOW)).toBeUndefined();
    expect(windowProblem(WIDE, 1, NOW)).toMatchObject({ code: 'windowInvalid' });
    expect(windowProblem({ from: NOW, to: NOW }, 0, NOW)).toMatchObject({ code: 'windowInvalid' });
    expect(windowProblem({ from: SENT, to: NOW + 1 }, 0, NOW)).toMatchObject({ code: 'windowInvalid' });
  });
});

function withoutLicence({ licenceKey: _key, ...rest }: TrailRecord): TrailRecord {
  return rest;
}
