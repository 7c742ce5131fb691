import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  answered,
  counted,
  dueHours,
  type Hours,
  intended,
  type MeterAnswer,
  nameOf,
  sealed,
  settledByTime,
} from '../../client/container-hours.ts';
import { HOUR_MS, hourStartMs } from '../../lambdas/domain/hour.ts';

const START_MS = Date.parse('2026-09-30T21:10:00Z');

/** What may happen to one dimension of one instance. `lost`: AWS takes the record, and its answer does not arrive. */
type Step =
  | { readonly kind: 'record'; readonly quantity: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'report'; readonly fate: 'taken' | 'lost' | 'throttled' | 'dead' | 'unentitled' | 'outOfBounds' }
  /** The process ends in good order, or dies between a call and its answer, and begins again on its journal. */
  | { readonly kind: 'close' | 'dieCalling' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('record' as const),
        quantity: fc.integer({ min: 0, max: 2_000_000_000 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 3 * HOUR_MS }) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('report' as const),
        fate: fc.constantFrom('taken', 'lost', 'throttled', 'dead', 'unentitled', 'outOfBounds'),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('close' as const, 'dieCalling' as const) }) },
  ),
  { maxLength: 60 },
);

/** AWS, as its reference says: the first record of an hour counts, the same again is answered, another is refused. */
class Aws {
  readonly bill = new Map<string, number>();

  take(hour: string, quantity: number, nowMs: number): MeterAnswer {
    if (nowMs >= hourStartMs(hour as never) + 6 * HOUR_MS)
      return { kind: 'fault', code: 'TimestampOutOfBoundsException' };
    const known = this.bill.get(hour);
    if (known !== undefined && known !== quantity) return { kind: 'fault', code: 'DuplicateRequestException' };
    this.bill.set(hour, quantity);
    return { kind: 'metered', meteringRecordId: hour };
  }
}

test('every unit that was recorded is billed once, waits, or stands with its cause, whatever happens in whatever order', () => {
  fc.assert(
    fc.property(steps, (life) => {
      const aws = new Aws();
      let hours: Hours = new Map();
      let [nowMs, recorded, tokens] = [START_MS, 0, 0];
      const newToken = () => `token-${++tokens}`;
      for (const step of life) {
        switch (step.kind) {
          case 'record':
            hours = counted(hours, 'requests', step.quantity, nowMs);
            recorded += step.quantity;
            break;
          case 'pass':
            nowMs += step.ms;
            break;
          case 'close':
            hours = sealed(hours, nowMs, newToken, true);
            break;
          case 'dieCalling':
          case 'report': {
            hours = settledByTime(sealed(hours, nowMs, newToken, false), nowMs);
            for (const due of dueHours(hours, nowMs)) {
              hours = intended(hours, due);
              if (step.kind !== 'report') {
                aws.take(due.hour, due.quantity, nowMs);
                break;
              }
              hours = answered(hours, due, answerOf(step.fate, aws, due.hour, due.quantity, nowMs), nowMs);
            }
          }
        }
      }
      const all = [...hours.values()];
      const standing = all.filter(({ state }) => state !== 'carried');
      expect(standing.reduce((sum, { quantity }) => sum + quantity, 0)).toBe(recorded);
      for (const [hour, quantity] of aws.bill) {
        const known = hours.get(nameOf({ hour: hour as never, dimension: 'requests' }));
        expect(known).toMatchObject({ quantity });
        // Whatever AWS holds never goes on into another hour.
        expect(['honoured', 'uncertain', 'sealed']).toContain(known?.state);
        expect(known?.state === 'sealed' ? known.mayBeBilled : true).toBe(true);
      }
      for (const each of all.filter(({ state }) => state === 'honoured'))
        expect(aws.bill.get(each.hour)).toBe(each.quantity);
      // What AWS last refused for want of a subscription stays where it was used.
      expect(all.filter(({ state, code }) => state === 'carried' && code === 'CustomerNotEntitledException')).toEqual(
        [],
      );
      // A calm life has nothing that a person must see.
      const isCalm = !life.some(
        (step) =>
          step.kind === 'dieCalling' || (step.kind === 'report' && step.fate !== 'taken' && step.fate !== 'throttled'),
      );
      if (isCalm) expect(all.filter(({ state }) => ['disputed', 'refused', 'uncertain'].includes(state))).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

test('a record that AWS refuses as it is, though it once refused the buyer, is refused at once under its own cause', () => {
  const unsent = sealed(counted(new Map(), 'requests', 5, START_MS), START_MS + HOUR_MS, () => 'token', false);
  const told = (hours: Hours, code: string) => {
    const [due] = dueHours(hours, START_MS + HOUR_MS, true);
    return due ? answered(intended(hours, due), due, { kind: 'fault', code }, START_MS + HOUR_MS) : hours;
  };

  const after = told(told(unsent, 'CustomerNotEntitledException'), 'InvalidUsageDimensionException');

  expect([...after.values()]).toMatchObject([{ state: 'refused', code: 'InvalidUsageDimensionException' }]);
});

function answerOf(fate: string, aws: Aws, hour: string, quantity: number, nowMs: number): MeterAnswer {
  switch (fate) {
    case 'taken':
      return aws.take(hour, quantity, nowMs);
    case 'lost':
      aws.take(hour, quantity, nowMs);
      return { kind: 'fault', code: 'TimeoutError' };
    case 'dead':
      return { kind: 'fault', code: 'ECONNRESET' };
    case 'outOfBounds':
      return { kind: 'fault', code: 'TimestampOutOfBoundsException' };
    case 'unentitled':
      return { kind: 'fault', code: 'CustomerNotEntitledException' };
    default:
      return { kind: 'fault', code: 'ThrottlingException' };
  }
}
