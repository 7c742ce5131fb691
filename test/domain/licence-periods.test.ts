import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hourOf } from '../../lambdas/domain/hour.ts';
import {
  type EndNotice,
  type Licence,
  type LicenceStart,
  licenceStartMsIn,
  withEnding,
  withStart,
} from '../../lambdas/domain/licence.ts';
import { aLicence, anHour, at } from '../builders.ts';

type Notice = { readonly start: LicenceStart } | { readonly end: EndNotice };

const FIRST_SEEN = 10;
const instant = fc.nat(40);
const agreement = fc.option(fc.constantFrom('agmt-a', 'agmt-b', 'agmt-c'), { nil: undefined });
const notice: fc.Arbitrary<Notice> = fc.oneof(
  fc.record({ agreementId: agreement, from: instant }).map((start) => ({ start: defined(start) as LicenceStart })),
  fc
    .record({
      agreementId: agreement,
      noticeAt: instant,
      revokedAt: fc.option(instant, { nil: undefined }),
      deprovisionedAt: fc.option(instant, { nil: undefined }),
    })
    .map((end) => ({ end: defined(end) as EndNotice })),
);

function defined(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function note(licence: Licence, heard: Notice): Licence {
  return 'start' in heard ? withStart(licence, heard.start) : withEnding(licence, heard.end);
}

function told(notices: readonly Notice[]): Licence {
  return notices.reduce(note, aLicence({ firstSeenAt: FIRST_SEEN }));
}

describe('the standing of a licence after notices of starts and ends', () => {
  it('is the same in any order of arrival and after any repeats', () => {
    const story = fc
      .array(notice, { minLength: 1, maxLength: 7 })
      .chain((heard) =>
        fc.tuple(
          fc.constant(heard),
          fc.shuffledSubarray([...heard, ...heard], { minLength: heard.length * 2, maxLength: heard.length * 2 }),
        ),
      );
    fc.assert(
      fc.property(story, ([heard, shuffled]) => {
        expect(told(shuffled)).toEqual(told(heard));
      }),
      { numRuns: 1_000 },
    );
  });

  it('has periods that never overlap, and an end only for the last of them', () => {
    fc.assert(
      fc.property(fc.array(notice, { maxLength: 7 }), (heard) => {
        const { periods } = told(heard);
        for (const [index, { from, to }] of periods.entries()) {
          const next = periods[index + 1];
          expect(to === undefined).toBe(next === undefined);
          if (to !== undefined && next?.from !== undefined) expect(to).toBeLessThanOrEqual(next.from);
          if (to !== undefined && from !== undefined) expect(to).toBeGreaterThanOrEqual(from);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('keeps the unknown period of before where the first start that is told is later than our first sight', () => {
    const { periods } = told([{ start: { agreementId: 'agmt-b', from: 20 } }]);

    expect(periods).toEqual([{ to: 20 }, { agreementId: 'agmt-b', from: 20 }]);
  });

  it('gives the end of an agreement to its own period, though it is told after the next has begun', () => {
    const { periods, ending } = told([
      { start: { agreementId: 'agmt-a', from: 5 } },
      { end: { agreementId: 'agmt-a', noticeAt: 20 } },
      { start: { agreementId: 'agmt-b', from: 25 } },
      { end: { agreementId: 'agmt-a', noticeAt: 31, revokedAt: 31, deprovisionedAt: 31 } },
    ]);

    expect(periods[0]).toEqual({ agreementId: 'agmt-a', from: 5, to: 25 });
    expect(ending).toBeUndefined();
  });

  it('runs where it was bought again in the very instant of its end', () => {
    const cancelled = { end: { agreementId: 'agmt-a', noticeAt: 20 } };
    const again = { start: { agreementId: 'agmt-b', from: 20 } };

    expect(told([{ start: { agreementId: 'agmt-a', from: 20 } }, cancelled, again]).ending).toBeUndefined();
    expect(told([{ start: { agreementId: 'agmt-a', from: 5 } }, cancelled, again]).periods.at(-1)).toEqual(again.start);
  });
});

describe('the start of a licence for an hour', () => {
  const licence = aLicence({
    firstSeenAt: at('2026-09-21T10:40:00Z'),
    periods: [
      { from: at('2026-09-21T10:30:00Z'), to: at('2026-09-21T12:10:00Z') },
      { from: at('2026-09-21T14:20:00Z') },
    ],
  });

  it.each([
    ['of the period that begins in it', '2026-09-21T10', '2026-09-21T10:30:00Z'],
    ['of the period that runs through it', '2026-09-21T12', '2026-09-21T10:30:00Z'],
    ['of the next period where that begins in it', '2026-09-21T14', '2026-09-21T14:20:00Z'],
    ['of the next period ever after', '2026-09-21T18', '2026-09-21T14:20:00Z'],
    ['its own where it lies in the gap', '2026-09-21T13', '2026-09-21T13:00:00Z'],
    ['its own where it lies before the licence', '2026-09-21T09', '2026-09-21T09:00:00Z'],
  ])('is that %s', (_claim, hour, start) => {
    expect(licenceStartMsIn(licence, anHour(hour))).toBe(at(start));
  });

  it('is our first sight of it while no start is known', () => {
    expect(licenceStartMsIn(aLicence({ firstSeenAt: 77 }), hourOf(50))).toBe(77);
  });
});
