import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  countingVersionAt,
  type Entitlement,
  type EntitlementVersion,
  entitledQuantity,
  hasContract,
  isStale,
  type LicenceEntitlements,
  overageOf,
  refreshDueAt,
  versionAt,
  withAnswer,
} from '../../lambdas/domain/entitlement.ts';
import { HOUR_MS, type HourStart, hourOf, hoursBetween, MINUTE_MS } from '../../lambdas/domain/hour.ts';

const KEY = 'l-0123456789abcdef0123456789abcdef';
const START = Date.UTC(2026, 8, 21, 10);
const DAY_MS = 24 * HOUR_MS;

function seats(value: number, expiresAt?: number): Entitlement {
  return { dimension: 'seats', value: { kind: 'integer', value }, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

function at(hours: number, minutes = 0): number {
  return START + hours * HOUR_MS + minutes * MINUTE_MS;
}

function hourAt(hours: number): HourStart {
  return hourOf(at(hours));
}

type Told = readonly [askedAt: number, entitlements: readonly Entitlement[]];

/** What is known after answers in this order. */
function told(...answers: readonly Told[]): LicenceEntitlements {
  const known = answers.reduce<LicenceEntitlements | undefined>(
    (before, [askedAt, entitlements]) => withAnswer(before, KEY, entitlements, askedAt),
    undefined,
  );
  if (!known) throw new Error('Something has to be told.');
  return known;
}

/** What an hour's usage is counted by. */
function countedBy(known: LicenceEntitlements, hour: HourStart): unknown {
  const version = countingVersionAt(known, hour);
  return version && { quantity: entitledQuantity(version, 'seats'), termStart: version.termStart };
}

describe('an answer', () => {
  test('that is the first begins a term, and counts for the hours before it, too', () => {
    const known = told([at(0, 20), [seats(50)]]);

    expect(known).toEqual({
      licenceKey: KEY,
      versions: [{ from: hourAt(0), termStart: hourAt(0), entitlements: [seats(50)] }],
      checkedAt: at(0, 20),
    });
    expect(versionAt(known, hourAt(-30))).toEqual(known.versions[0]);
  });

  test('that says the same, in whatever order, changes only when it was checked', () => {
    const first = told([at(0), [seats(50, at(999)), { ...seats(1), dimension: 'admins' }]]);
    const reordered: Entitlement = { expiresAt: at(999), value: { value: 50, kind: 'integer' }, dimension: 'seats' };

    const again = withAnswer(first, KEY, [{ ...seats(1), dimension: 'admins' }, reordered], at(5));

    expect(again.versions).toBe(first.versions);
    expect(again.checkedAt).toBe(at(5));
  });

  test('that says something else holds from the running hour on, and the hours before keep theirs', () => {
    const known = told([at(0), [seats(50)]], [at(7, 59), [seats(80)]]);

    expect(countedBy(known, hourAt(6))).toMatchObject({ quantity: 50 });
    expect(countedBy(known, hourAt(7))).toMatchObject({ quantity: 80, termStart: hourAt(0) });
  });

  test('in the hour of the first does not change the hours before, which the first counts for', () => {
    const known = told([at(0, 5), [seats(100)]], [at(0, 40), [seats(200)]], [at(0, 50), [seats(300)]]);

    expect([-9, -1, 0, 1].map((hour) => countedBy(known, hourAt(hour)))).toMatchObject([
      { quantity: 100 },
      { quantity: 100 },
      { quantity: 300 },
      { quantity: 300 },
    ]);
  });

  test('that was asked for before the last one is dropped, whatever it says', () => {
    const known = told([at(0), [seats(50)]], [at(3), [seats(80)]]);

    expect(withAnswer(known, KEY, [], at(2))).toBe(known);
  });
});

describe('a term', () => {
  const END = at(100, 30);

  test('begins anew with the hour after the old expiry when that moves on', () => {
    const renewed = told([at(0), [seats(50, END)]], [at(100, 45), [seats(60, END + 365 * DAY_MS)]]);

    expect(renewed.versions.at(-1)).toMatchObject({ from: hourAt(101), termStart: hourAt(101) });
    expect(countedBy(renewed, hourAt(100))).toEqual({ quantity: 50, termStart: hourAt(0) });
  });

  test('begins at the old expiry itself where that is an hour, and not before, however early AWS tells of it', () => {
    const renewed = told([at(0), [seats(50, at(100))]], [at(80), [seats(60, at(999))]]);

    expect(countedBy(renewed, hourAt(99))).toEqual({ quantity: 50, termStart: hourAt(0) });
    expect(countedBy(renewed, hourAt(100))).toEqual({ quantity: 60, termStart: hourAt(100) });
  });

  test('that AWS told early and takes back never begins', () => {
    const known = told(
      [at(0), [seats(50, at(100))]],
      [at(80), [seats(60, at(999))]],
      [at(81), [seats(50, at(100))]],
      [at(82), [seats(50, at(100))]],
    );

    expect(known.versions).toEqual([{ from: hourAt(0), termStart: hourAt(0), entitlements: [seats(50, at(100))] }]);
    expect(known.checkedAt).toBe(at(82));
  });

  test('goes on where the quantity or the expiry changes in the midst of it', () => {
    const known = told([at(0), [seats(50, at(100))]], [at(10), [seats(70, at(999))]]);

    expect(countedBy(known, hourAt(10))).toEqual({ quantity: 70, termStart: hourAt(0) });
  });

  test('begins in the running hour where AWS tells late, so that no hour that is over moves into it', () => {
    const known = told([at(0), [seats(50, at(100))]], [at(130), [seats(60, at(999))]]);

    expect(countedBy(known, hourAt(129))).toEqual({ quantity: 50, termStart: hourAt(0) });
    expect(countedBy(known, hourAt(130))).toEqual({ quantity: 60, termStart: hourAt(100) });
  });

  test('ends with its contract: one that comes after an empty answer has all that it includes', () => {
    const known = told([at(0), [seats(50, at(100))]], [at(20), []], [at(30), [seats(50, at(500))]]);

    expect(countedBy(known, hourAt(29))).toEqual({ quantity: 50, termStart: hourAt(0) });
    expect(countedBy(known, hourAt(30))).toEqual({ quantity: 50, termStart: hourAt(30) });
  });

  test.each([100, undefined])(
    'goes on where an empty answer was a mistake: the same contract is back, end %s',
    (end) => {
      const expiry = end === undefined ? undefined : at(end);
      const known = told([at(0), [seats(50, expiry)]], [at(20), []], [at(21), [seats(50, expiry)]]);

      expect(countedBy(known, hourAt(21))).toEqual({ quantity: 50, termStart: hourAt(0) });
    },
  );

  test('counts its last hours by what it included, also where it began in the hour of its end', () => {
    const known = told([at(0), [seats(50)]], [at(20, 5), [seats(80)]], [at(20, 40), []]);

    expect(countedBy(known, hourAt(20))).toMatchObject({ quantity: 80 });
    expect(versionAt(known, hourAt(20))?.entitlements).toEqual([]);
  });
});

describe('what is kept', () => {
  test('covers every hour that can still be closed, and fits into an item of the database', () => {
    const many = (quantity: number) =>
      Array.from({ length: 200 }, (_, index) => ({ ...seats(quantity), dimension: `dimension-${index}` }));
    const few = told(...hoursAsked(500).map((hour): Told => [at(hour), [seats(hour)]]));
    const wide = told(...hoursAsked(100).map((hour): Told => [at(hour), many(hour)]));

    expect(countedBy(few, hourAt(500 - 49))).toMatchObject({ quantity: 500 - 49 });
    expect(Buffer.byteLength(JSON.stringify(few))).toBeLessThan(350_000);
    expect(Buffer.byteLength(JSON.stringify(wide))).toBeLessThan(350_000);
    expect(wide.versions.length).toBeGreaterThan(5);
  });

  function hoursAsked(count: number): number[] {
    return Array.from({ length: count + 1 }, (_, hour) => hour);
  }
});

describe('any order of answers', () => {
  const EXPIRIES = [undefined, at(12), at(12, 30), at(40), at(90), at(4_000)];
  const anAnswer = fc.record({
    askedAt: fc.integer({ min: 0, max: 70 * 6 }).map((tens) => START + tens * 10 * MINUTE_MS),
    entitlements: fc.oneof(
      { weight: 1, arbitrary: fc.constant<readonly Entitlement[]>([]) },
      {
        weight: 4,
        arbitrary: fc.array(
          fc
            .record({ quantity: fc.integer({ min: 0, max: 3 }), expiresAt: fc.constantFrom(...EXPIRIES) })
            .map(({ quantity, expiresAt }) => seats(quantity, expiresAt)),
          { minLength: 1, maxLength: 2 },
        ),
      },
    ),
  });
  /** As they come: late ones among them, and repeats at the same instants. */
  const answers = fc
    .array(anAnswer, { minLength: 1, maxLength: 30 })
    .chain((all) =>
      fc.oneof(
        fc.constant(all),
        fc.constant([...all].sort((a, b) => a.askedAt - b.askedAt)),
        fc.constant([...all].sort((a, b) => a.askedAt - b.askedAt).flatMap((each) => [each, each])),
      ),
    );

  test('keeps versions in order and terms going on, and never changes what an hour that is over is counted by', () => {
    fc.assert(
      fc.property(answers, (all) => {
        let known: LicenceEntitlements | undefined;
        let nowMs = 0;
        const counted = new Map<HourStart, string>();
        for (const { askedAt, entitlements } of all) {
          nowMs = Math.max(nowMs, askedAt);
          const next = withAnswer(known, KEY, entitlements, askedAt);
          expect(next.checkedAt).toBe(nowMs);
          expect(isInOrder(next.versions)).toBe(true);
          known = next;
          for (const hour of hoursBetween(hourAt(-3), hourOf(nowMs))) {
            const by = JSON.stringify(countedBy(known, hour));
            if (by !== (counted.get(hour) ?? by)) expect(by).toEqual(counted.get(hour));
            if (by !== undefined) counted.set(hour, by);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('ends with the newest answer, which a repeat does not change', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anAnswer, { minLength: 1, maxLength: 12, selector: ({ askedAt }) => askedAt }),
        (all) => {
          const known = told(...all.map(({ askedAt, entitlements }): Told => [askedAt, entitlements]));
          const newest = all.reduce((one, other) => (other.askedAt > one.askedAt ? other : one));

          expect([...(known.versions.at(-1)?.entitlements ?? [])].sort(byText)).toEqual(
            [...newest.entitlements].sort(byText),
          );
          expect(withAnswer(known, KEY, newest.entitlements, newest.askedAt)).toEqual(known);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  function byText(one: Entitlement, other: Entitlement): number {
    return JSON.stringify(one) < JSON.stringify(other) ? -1 : 1;
  }

  function isInOrder(versions: readonly EntitlementVersion[]): boolean {
    return versions.every((version, index) => {
      const previous = versions[index - 1];
      return !previous || (previous.from <= version.from && previous.termStart <= version.termStart);
    });
  }
});

describe('the entitled quantity', () => {
  const version = (...entitlements: Entitlement[]): EntitlementVersion => ({
    from: hourAt(0),
    termStart: hourAt(0),
    entitlements,
  });

  test('is the whole units of all entitlements to a dimension, and none for what is no number', () => {
    const half: Entitlement = { dimension: 'seats', value: { kind: 'double', value: 2.9 } };
    const tier: Entitlement = { dimension: 'tier', value: { kind: 'string', value: 'gold' } };

    expect(entitledQuantity(version(seats(50), half, tier), 'seats')).toBe(52);
    expect(entitledQuantity(version(tier), 'tier')).toBe(0);
    expect(entitledQuantity(version(tier), 'seats')).toBeUndefined();
  });

  test('stays a number that counts exactly', () => {
    const huge: Entitlement = { dimension: 'seats', value: { kind: 'double', value: 9e300 } };
    const debt: Entitlement = { dimension: 'seats', value: { kind: 'integer', value: -5 } };

    expect(entitledQuantity(version(huge, huge), 'seats')).toBe(Number.MAX_SAFE_INTEGER);
    expect(entitledQuantity(version(debt, seats(3)), 'seats')).toBe(3);
  });
});

describe('overage', () => {
  test('of steps adds up to what lies beyond the entitlement at the end, in whatever steps it was used', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), fc.array(fc.integer({ min: 0, max: 20 })), (entitled, steps) => {
        let used = 0;
        let overage = 0;
        for (const quantity of steps) {
          const termStart = hourAt(0);
          overage += overageOf({ basis: 'perTerm', entitledQuantity: entitled, used, overage, termStart }, quantity);
          used += quantity;
        }
        expect(overage).toBe(Math.max(0, used - entitled));
      }),
    );
  });

  test('is never more than the step, and never less than nothing, also where the entitlement has moved', () => {
    const amount = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(amount, amount, amount, amount, (entitled, used, overage, quantity) => {
        const allowance = {
          basis: 'perHour',
          entitledQuantity: entitled,
          used,
          overage,
          termStart: hourAt(0),
        } as const;
        const beyond = overageOf(allowance, quantity);
        expect(beyond).toBeGreaterThanOrEqual(0);
        expect(beyond).toBeLessThanOrEqual(quantity);
      }),
    );
  });

  test('is everything where nothing is included', () => {
    const allowance = { basis: 'none', entitledQuantity: 50, used: 0, overage: 0, termStart: hourAt(0) } as const;

    expect(overageOf(allowance, 7)).toBe(7);
  });
});

describe('asking again', () => {
  test('is due an hour after the last time, and as soon as an expiry has come', () => {
    expect(refreshDueAt(told([at(0), [seats(50, at(500))]]))).toBe(at(1));
    expect(refreshDueAt(told([at(0), [seats(50, at(0, 20)), seats(1, at(0, 40))]]))).toBe(at(0, 20));
    expect(refreshDueAt(told([at(0), [seats(50, at(0, 20))]], [at(0, 21), [seats(50, at(0, 20))]]))).toBe(at(1, 21));
  });

  test('has failed for too long after two days', () => {
    const known = told([at(0), []]);

    expect([undefined, known].map((each) => isStale(each, at(48)))).toEqual([true, false]);
    expect(isStale(known, at(48) + 1)).toBe(true);
  });

  test('is for contracts alone, by the settings while they name the product', () => {
    const licence = { productCode: 'p', pricingModel: 'contract' } as const;
    const product = { productCode: 'p', title: 'P', identityStyle: 'licence', meteringRegion: 'us-east-1' } as const;
    const more = { dimensions: [], zeroRecords: 'off', lateUsage: 'carry' } as const;
    const named = new Map([['p', { ...product, ...more, pricingModel: 'subscription' } as const]]);

    expect(hasContract(licence, new Map())).toBe(true);
    expect(hasContract(licence, named)).toBe(false);
  });
});
