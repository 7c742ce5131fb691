// What every store of summaries promises, tried against the real engine and against the memory ports alike.
import { expect, test } from 'vitest';
import type { HourSummary, Units } from '../../lambdas/domain/summary.ts';
import type { MeterOfHour, SummaryStore } from '../../lambdas/flow/read-ports.ts';
import { anHour, at, LICENCE_KEY } from '../builders.ts';

const NOW = at('2026-09-21T11:20:00Z');
const TEN = anHour('2026-09-21T10');
const ELEVEN = anHour('2026-09-21T11');

function aMeterOfHour(units: Units, overrides: Partial<MeterOfHour> = {}): MeterOfHour {
  return {
    licenceKey: LICENCE_KEY,
    dimension: 'requests',
    customerId: 'cus_1',
    productCode: 'metrics-cloud',
    units,
    ...overrides,
  };
}

function anHourSummary(overrides: Partial<HourSummary> = {}): HourSummary {
  const units = { recorded: 5, honoured: 5 };
  return {
    hour: TEN,
    asOf: NOW,
    meters: [{ productCode: 'metrics-cloud', dimension: 'requests', units, records: { honoured: 1 }, events: 3 }],
    unbalanced: 0,
    differences: [],
    ...overrides,
  };
}

const NOTHING_BEHIND = {
  missed: [],
  shortOfTime: { references: [], count: 0, isPartial: false },
  unregistered: { customerIds: [], isPartial: false },
};

export function describeSummaryStore(make: () => Promise<SummaryStore>): void {
  test('adds up a licence’s hours to days, and its days to months', async () => {
    const summaries = await make();
    await summaries.writeMeters(TEN, NOW, [
      aMeterOfHour({ recorded: 5, open: 5 }),
      aMeterOfHour({ recorded: 1, open: 1 }, { dimension: 'gb#stored' }),
    ]);
    await summaries.writeMeters(ELEVEN, NOW, [aMeterOfHour({ recorded: 7, honoured: 7 })]);
    await summaries.writeMeters(anHour('2026-09-22T00'), NOW, [aMeterOfHour({ recorded: 2, honoured: 2 })]);
    await summaries.writeMeters(anHour('2026-10-01T00'), NOW, [aMeterOfHour({ recorded: 9, honoured: 9 })]);

    expect(await summaries.days(LICENCE_KEY, '2026-09-21', '2026-09-21')).toEqual([
      {
        licenceKey: LICENCE_KEY,
        dimension: 'gb#stored',
        day: '2026-09-21',
        hours: new Map([[TEN, { recorded: 1, open: 1 }]]),
      },
      {
        licenceKey: LICENCE_KEY,
        dimension: 'requests',
        day: '2026-09-21',
        hours: new Map<string, Units>([
          [TEN, { recorded: 5, open: 5 }],
          [ELEVEN, { recorded: 7, honoured: 7 }],
        ]),
      },
    ]);
    const month = {
      licenceKey: LICENCE_KEY,
      dimension: 'requests',
      month: '2026-09',
      customerId: 'cus_1',
      productCode: 'metrics-cloud',
      days: new Map<string, Units>([
        ['2026-09-21', { recorded: 12, open: 5, honoured: 7 }],
        ['2026-09-22', { recorded: 2, honoured: 2 }],
      ]),
    };
    expect((await summaries.months('2026-09')).items).toContainEqual(month);
    expect(await summaries.monthsOf('2026-09', [month])).toEqual([month]);
    expect(await summaries.monthsOf('2026-08', [month])).toEqual([]);
  });

  test('writes what has changed and nothing else', async () => {
    const summaries = await make();
    const [one, other] = [
      aMeterOfHour({ recorded: 5, open: 5 }),
      aMeterOfHour({ recorded: 1 }, { dimension: 'gb_stored' }),
    ];

    expect(await summaries.writeMeters(TEN, NOW, [one, other])).toEqual({ written: 2, refused: 0 });
    expect(await summaries.writeMeters(TEN, NOW + 1, [one, other])).toEqual({ written: 0, refused: 0 });
    expect(await summaries.writeMeters(TEN, NOW + 2, [{ ...one, units: { recorded: 5, honoured: 5 } }, other])).toEqual(
      {
        written: 1,
        refused: 0,
      },
    );
    expect(await summaries.writeMeters(ELEVEN, NOW, [aMeterOfHour({})])).toEqual({ written: 0, refused: 0 });
  });

  test('never puts an older reading over a newer one', async () => {
    const summaries = await make();
    await summaries.writeMeters(TEN, NOW, [aMeterOfHour({ recorded: 5, honoured: 5 })]);
    await summaries.writeHour(anHourSummary());
    const pulse = { asOf: NOW, refused: [], untold: { count: 0 }, background: NOTHING_BEHIND };
    await summaries.writePulse(pulse);

    const older = await summaries.writeMeters(TEN, NOW - 1, [aMeterOfHour({ recorded: 3, open: 3 })]);

    expect(older).toEqual({ written: 0, refused: 1 });
    expect(await summaries.writeHour(anHourSummary({ asOf: NOW - 1, meters: [] }))).toBe(false);
    expect(await summaries.writePulse({ ...pulse, asOf: NOW - 1, untold: { count: 3, oldestAt: NOW - 9 } })).toBe(
      false,
    );
    expect(await summaries.hour(TEN)).toEqual(anHourSummary());
    expect(await summaries.pulse()).toEqual({ ...pulse, unbalanced: {} });
    const [day] = await summaries.days(LICENCE_KEY, '2026-09-21', '2026-09-21');
    expect(day?.hours.get(TEN)).toEqual({ recorded: 5, honoured: 5 });
  });

  test('leaves out an hour that has come to hold nothing', async () => {
    const summaries = await make();
    await summaries.writeMeters(TEN, NOW, [aMeterOfHour({ recorded: 5, open: 5 })]);
    await summaries.writeMeters(TEN, NOW + 1, [aMeterOfHour({})]);

    expect((await summaries.days(LICENCE_KEY, '2026-09-01', '2026-09-30'))[0]?.hours.size).toBe(0);
    expect((await summaries.months('2026-09')).items[0]?.days.size).toBe(0);
  });

  test('names the hours that do not balance for as long as they do not', async () => {
    const summaries = await make();
    const refused = [
      { code: 'timeTooOld', times: 3, events: 2, lastAt: NOW, message: 'Too old.', subject: LICENCE_KEY },
    ];
    const counts = {
      asOf: NOW,
      refused,
      untold: { count: 2, oldestAt: NOW - 5 },
      background: {
        missed: [
          { name: 'send-metering', deadlineAt: NOW + 5, reason: '3 records are due and unsent' },
          { name: 'close-hours', hour: TEN, since: NOW - 5, reason: '1 hour is over and was not looked at' },
        ],
        shortOfTime: {
          references: [
            { partition: `${TEN}#07`, meter: 'l-1#requests', deadlineAt: NOW + 5, status: 'open', nextAttemptAt: NOW },
          ],
          count: 3,
          isPartial: true,
        },
        unregistered: { customerIds: ['cus_1'], isPartial: false },
      },
    } as const;
    await summaries.writePulse(counts);
    const differences = [{ licenceKey: LICENCE_KEY, dimension: 'requests', difference: -3 }];
    await summaries.writeHour(anHourSummary({ unbalanced: 1, differences }));

    const before = await summaries.pulse();
    expect(before).toEqual({ ...counts, unbalanced: { [TEN]: 1 } });
    expect(await summaries.hours('2026-09')).toMatchObject([{ unbalanced: 1, differences }]);

    await summaries.writeHour(anHourSummary({ asOf: NOW + 1 }));
    expect((await summaries.pulse())?.unbalanced).toEqual({});
  });
}
