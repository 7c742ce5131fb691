// What every store of licences promises about their starts and ends, tried against the real engine and in memory alike.
import { expect, test } from 'vitest';
import type { LicenceEnding } from '../../lambdas/domain/licence.ts';
import type { CustomerStore } from '../../lambdas/flow/ports.ts';
import { aLicence, anHour, at } from '../builders.ts';

const NOTICE = at('2026-09-21T11:05:00Z');
const GONE = at('2026-09-21T11:30:00Z');
const AGAIN = at('2026-09-21T12:10:00Z');

type Licences = Pick<
  CustomerStore,
  'licence' | 'noteStart' | 'noteEnding' | 'endingLicences' | 'finishEnding' | 'noteCutOver'
>;

const OTHER_KEY = 'l-11111111111111111111111111111111';

/** `make` gives a store that knows one licence of a customer, and its key. */
export function describeLicences(make: () => Promise<{ licences: Licences; licenceKey: string }>): void {
  const endings = async (licences: Licences) => (await licences.endingLicences()).map(({ ending }) => ending);

  test('knows nothing of a licence that nobody registered', async () => {
    const { licences } = await make();

    expect(await licences.noteEnding('l-unknown', { noticeAt: NOTICE })).toBeUndefined();
    expect(await licences.noteStart('l-unknown', { from: NOTICE })).toBeUndefined();
    expect(await licences.endingLicences()).toEqual([]);
  });

  test('lists a licence from the first notice of its end, with every step that has been told', async () => {
    const { licences, licenceKey } = await make();
    await licences.noteEnding(licenceKey, { noticeAt: NOTICE });
    expect(await endings(licences)).toEqual([{ noticeAt: NOTICE }]);

    await licences.noteEnding(licenceKey, { noticeAt: GONE, revokedAt: GONE, deprovisionedAt: GONE });

    expect(await endings(licences)).toEqual([{ noticeAt: NOTICE, revokedAt: GONE, deprovisionedAt: GONE }]);
  });

  test('takes a licence off the list for the end that was read, and not for one that moved meanwhile', async () => {
    const { licences, licenceKey } = await make();
    const read: LicenceEnding = { noticeAt: NOTICE };
    await licences.noteEnding(licenceKey, read);
    await licences.noteEnding(licenceKey, { noticeAt: GONE, deprovisionedAt: GONE });

    expect(await licences.finishEnding(licenceKey, read)).toBe(false);
    expect(await licences.endingLicences()).toHaveLength(1);
    expect(await licences.finishEnding(licenceKey, { noticeAt: NOTICE, deprovisionedAt: GONE })).toBe(true);
    expect(await licences.endingLicences()).toEqual([]);
  });

  test('puts no licence back on the list for a notice that is told again', async () => {
    const { licences, licenceKey } = await make();
    const notice = { noticeAt: NOTICE, deprovisionedAt: GONE };
    await licences.noteEnding(licenceKey, notice);
    await licences.finishEnding(licenceKey, notice);

    await licences.noteEnding(licenceKey, notice);

    expect(await licences.endingLicences()).toEqual([]);
  });

  test('takes a licence off the list that is bought again, and keeps the end as that of the period before', async () => {
    const { licences, licenceKey } = await make();
    await licences.noteStart(licenceKey, { agreementId: 'agmt-1', from: at('2026-08-31T00:00:00Z') });
    await licences.noteEnding(licenceKey, { agreementId: 'agmt-1', noticeAt: NOTICE, deprovisionedAt: GONE });

    await licences.noteStart(licenceKey, { agreementId: 'agmt-2', from: AGAIN });

    const licence = await licences.licence(licenceKey);
    expect(licence?.ending).toBeUndefined();
    expect(licence?.periods.map(({ agreementId, to }) => [agreementId, to])).toEqual([
      ['agmt-1', GONE],
      ['agmt-2', undefined],
    ]);
    expect(await licences.endingLicences()).toEqual([]);
  });

  test('writes a cut-over only while no end of either licence has been noted since it was decided', async () => {
    const { licences, licenceKey } = await make();
    const cutOver = { cutOverHour: anHour('2026-09-21T15'), counterpartKey: OTHER_KEY };
    const read = { ...aLicence(), ...(await licences.licence(licenceKey)), ...cutOver };
    const made = { ...read, licenceKey: OTHER_KEY, counterpartKey: licenceKey };
    await licences.noteEnding(licenceKey, { noticeAt: NOTICE });
    const whileEnding = await licences.noteCutOver(read, made);
    await licences.noteStart(licenceKey, { from: AGAIN });

    expect(whileEnding).toBe('moved');
    expect(await licences.licence(OTHER_KEY)).toBeUndefined();
    expect(await licences.noteCutOver(read, made)).toBe('noted');
    expect(await licences.licence(OTHER_KEY)).toMatchObject({ counterpartKey: licenceKey });
  });

  test('loses no step of an end to another that is told at once', async () => {
    const { licences, licenceKey } = await make();

    await Promise.all([
      licences.noteEnding(licenceKey, { noticeAt: NOTICE }),
      licences.noteEnding(licenceKey, { noticeAt: GONE, deprovisionedAt: GONE }),
    ]);

    expect((await licences.licence(licenceKey))?.ending).toEqual({ noticeAt: NOTICE, deprovisionedAt: GONE });
    expect(await endings(licences)).toEqual([{ noticeAt: NOTICE, deprovisionedAt: GONE }]);
  });
}
