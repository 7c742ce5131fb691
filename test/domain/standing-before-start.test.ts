// An agreement that was signed for a later day, and what is told of it before that day.
import { describe, expect, test } from 'vitest';
import { eventsOf } from '../../lambdas/domain/access-event.ts';
import type { Notice } from '../../lambdas/domain/notice.ts';
import { foldStanding, UNKNOWN_STANDING } from '../../lambdas/domain/standing.ts';
import { aNotice, BOUGHT_AT, MINUTE, NEXT_ARN } from '../purchase.ts';

const STARTS_AT = BOUGHT_AT + 600 * MINUTE;
const SIGNED = [aNotice('agreementCreated', 0, { startsAt: STARTS_AT }), aNotice('licenceUpdated', 1)];

/** What is told when each notice comes in its own minute, and when the day has come. */
function toldOf(notices: readonly Notice[]): string[] {
  let before = UNKNOWN_STANDING;
  const told: string[] = [];
  const fold = (heard: readonly Notice[], nowMs: number) => {
    const { standing } = foldStanding(heard, {}, nowMs);
    told.push(...eventsOf(before, standing, { customerId: 'cus_1', sequence: 0, at: nowMs }).map(({ type }) => type));
    before = standing;
  };
  for (const [index, { atMs }] of notices.entries()) fold(notices.slice(0, index + 1), atMs);
  fold(notices, STARTS_AT);
  return told;
}

describe('an agreement that is to begin later', () => {
  test.each(['CANCELLED', 'TERMINATED'])('and ends before, %s, gives access at no time', (status) => {
    const cancelled = [...SIGNED, aNotice('agreementEnded', 30, { status })];
    const taken = [...cancelled, aNotice('licenceDeprovisioned', 31)];

    expect(toldOf(cancelled)).not.toContain('accessGranted');
    expect(toldOf(taken)).not.toContain('accessGranted');
    expect(foldStanding(cancelled, {}, STARTS_AT).standing.state).toBe('ended');
    expect(foldStanding(cancelled, {}, BOUGHT_AT).changesAt).toBeUndefined();
  });

  test('and is replaced before gives no access until the other begins', () => {
    const replaced = [...SIGNED, aNotice('agreementSucceeded', 30, { status: 'REPLACED' })];
    const other = { agreementId: 'agmt-b', licenceArn: NEXT_ARN };
    const taken = [
      ...replaced,
      aNotice('agreementCreated', 31, { ...other, intent: 'REPLACE', startsAt: STARTS_AT + MINUTE }),
      aNotice('licenceUpdated', 32, other),
    ];

    expect(toldOf(replaced)).not.toContain('accessGranted');
    expect(foldStanding(taken, {}, STARTS_AT).standing.state).toBe('scheduled');
    expect(foldStanding(taken, {}, STARTS_AT + MINUTE).standing.state).toBe('active');
  });

  test('and whose licence comes first gives access until its day is told, as AWS said that it is active; then by its day', () => {
    const [created, updated] = SIGNED as [Notice, Notice];
    const arrivals = [[updated], [updated, created]];
    let before = UNKNOWN_STANDING;
    const told = arrivals.map((heard) => {
      const { standing } = foldStanding(heard, {}, BOUGHT_AT + 2 * MINUTE);
      const events = eventsOf(before, standing, { customerId: 'cus_1', sequence: 0, at: 0 });
      before = standing;
      return [events.map(({ type }) => type), standing.state];
    });

    expect(told).toEqual([
      [['accessGranted'], 'active'],
      [['accessRevoked'], 'scheduled'],
    ]);
    expect(before).toEqual(foldStanding(SIGNED, {}, BOUGHT_AT + 2 * MINUTE).standing);
    expect(toldOf([updated, created]).at(-1)).toBe('accessGranted');
  });

  test('and runs by its day ends like any other', () => {
    const ended = [...SIGNED, aNotice('agreementEnded', 700), aNotice('licenceDeprovisioned', 701)];

    expect(toldOf(SIGNED)).toEqual(['accessChanged', 'accessChanged', 'accessGranted']);
    expect(foldStanding(ended.slice(0, 3), {}, STARTS_AT + 100 * MINUTE).standing.state).toBe('ending');
    expect(foldStanding(ended, {}, STARTS_AT + 101 * MINUTE).standing.state).toBe('ended');
  });
});
