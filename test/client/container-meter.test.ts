import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { type MeteredHour, startContainerMeter } from '../../client/container-meter.ts';
import { HOUR_MS, MINUTE_MS } from '../../lambdas/domain/hour.ts';
import { runIn } from './container-world.ts';

describe('software that meters itself in the buyer’s account', () => {
  test.each(['ec2', 'ecs', 'eks', 'fargate', 'agentcore'])('bills each hour once under %s', async (platform) => {
    const place = await runIn({ platform });
    const meter = await place.start();

    await meter.record('requests', 3);
    await meter.record('requests', 4);
    await meter.record('gb_stored', 1);
    await meter.report();
    expect(await place.bill()).toEqual([]);
    await place.pass(30 * MINUTE_MS);
    await meter.record('requests', 5);
    await meter.report();
    await meter.report();
    await place.pass(HOUR_MS);
    await meter.report();

    expect(await place.bill()).toEqual([
      'gb_stored 2026-09-21T14 1',
      'requests 2026-09-21T14 7',
      'requests 2026-09-21T15 5',
    ]);
    expect(meter.standing).toEqual({ kind: 'ok' });
  });

  test('two instances of one buyer are billed for what each of them counted', async () => {
    const place = await runIn({ platform: 'ec2' });
    await place.run('i-2');
    const first = await place.start();
    const second = await place.start({ journal: `${place.folder}/second.json`, client: place.client('i-2') });

    await first.record('requests', 3);
    await second.record('requests', 8);
    await place.pass(HOUR_MS);
    await Promise.all([first.report(), second.report()]);

    expect(await place.bill()).toEqual(['requests 2026-09-21T14 3', 'requests 2026-09-21T14 8']);
  });

  test('bills what stood in the journal when the process was killed, and nothing twice', async () => {
    const place = await runIn({ platform: 'ecs' });
    const killed = await place.start();
    await killed.record('requests', 3);
    await place.pass(HOUR_MS);
    await place.fault({ kind: 'acceptThenTimeout', delayMs: 1 });
    await killed.report();
    expect(await place.bill()).toEqual(['requests 2026-09-21T14 3']);

    const again = await place.start();
    await again.record('requests', 2);
    await place.pass(HOUR_MS);
    await again.report();

    expect(await place.bill()).toEqual(['requests 2026-09-21T14 3', 'requests 2026-09-21T15 2']);
    expect(again.hours().map(({ state }) => state)).toEqual(['honoured', 'honoured']);
  });

  test('bills the running hour when it is closed, and what is counted after a restart in the next', async () => {
    const place = await runIn({ platform: 'ec2' });
    const meter = await place.start();
    await meter.record('requests', 3);

    expect(await meter.close()).toEqual([]);
    await expect(meter.record('requests', 1)).rejects.toMatchObject({ code: 'MeterClosed' });
    const again = await place.start();
    await again.record('requests', 4);
    expect(await again.close()).toMatchObject([{ hour: '2026-09-21T15', quantity: 4, state: 'open' }]);
    await place.pass(2 * HOUR_MS);
    await (await place.start()).report();

    expect(await place.bill()).toEqual(['requests 2026-09-21T14 3', 'requests 2026-09-21T15 4']);
  });

  test('tries what waits once more when it is closed, however long it was to wait', async () => {
    const place = await runIn({ platform: 'fargate' });
    const meter = await place.start();
    await meter.record('requests', 3);
    await place.pass(HOUR_MS);
    await place.fault({ kind: 'throttle' });
    await meter.report();

    expect(await meter.close()).toEqual([]);
    expect(await place.bill()).toEqual(['requests 2026-09-21T14 3']);
  });

  test.each([
    ['ahead', 90 * MINUTE_MS, ['requests 2026-09-21T16 3']],
    ['behind', -10 * HOUR_MS, ['requests 2026-09-21T19 3']],
  ])(
    'loses no unit to a clock that is %s of AWS’s: its hour waits, and goes on into a later one where it has to',
    async (_, ms, bill) => {
      const place = await runIn({ platform: 'ec2' });
      const skewed = { clock: () => place.now() + ms };
      const meter = await place.start(skewed);
      await meter.record('requests', 3);
      await meter.close();
      expect(await place.bill()).toEqual([]);

      for (let hour = 0; hour < 8; hour++) {
        await place.pass(HOUR_MS);
        await (await place.start(hour < 4 ? skewed : {})).report();
      }

      expect(await place.bill()).toEqual(bill);
    },
  );

  test('goes on through an outage and bills what it counted meanwhile', async () => {
    const place = await runIn({ platform: 'ec2' });
    const meter = await place.start();
    await meter.record('requests', 3);
    await place.pass(HOUR_MS);
    await place.fault({ kind: 'throttle', count: 3 });
    const since = place.now();

    for (let round = 0; round < 3; round++) {
      expect(await meter.report()).toEqual({
        kind: 'failing',
        sinceMs: since,
        mayStopAtMs: since + 2 * HOUR_MS,
        code: 'ThrottlingException',
      });
      await place.pass(10 * MINUTE_MS);
    }
    await meter.report();

    expect(meter.standing).toEqual({ kind: 'ok' });
    expect(await place.bill()).toEqual(['requests 2026-09-21T14 3']);
  });

  test('carries units that AWS cannot have into a later hour, once its window of six hours has passed', async () => {
    const place = await runIn({ platform: 'ec2' });
    const meter = await place.start();
    await meter.record('requests', 3);
    await place.pass(HOUR_MS);
    await place.fault({ kind: 'throttle' });
    await meter.report();
    await place.pass(6 * HOUR_MS);
    await meter.report();
    await place.pass(HOUR_MS);
    await meter.report();

    expect(await place.bill()).toEqual(['requests 2026-09-21T21 3']);
    expect(meter.hours().map(({ hour, state }) => `${hour} ${state}`)).toEqual([
      '2026-09-21T14 carried',
      '2026-09-21T21 honoured',
    ]);
  });

  test('does not carry units of which a call was never answered: AWS may have billed them', async () => {
    const place = await runIn({ platform: 'ec2' });
    const troubles: MeteredHour[] = [];
    const meter = await place.start({ onTrouble: (hour) => troubles.push(hour) });
    await meter.record('requests', 3);
    await place.pass(HOUR_MS);
    await place.fault({ kind: 'acceptThenTimeout', delayMs: 1 });
    await meter.report();
    await place.pass(6 * HOUR_MS);
    await meter.report();
    await place.pass(HOUR_MS);
    await meter.report();

    expect(await place.bill()).toEqual(['requests 2026-09-21T14 3']);
    expect(meter.hours()).toMatchObject([{ state: 'uncertain', quantity: 3 }]);
    expect(troubles).toMatchObject([{ state: 'uncertain', quantity: 3 }]);
  });

  test('keeps an hour of which AWS holds another amount, and tells of it', async () => {
    const place = await runIn({ platform: 'ec2' });
    const lost = await place.start({ journal: `${place.folder}/lost.json` });
    await lost.record('requests', 9);
    await lost.close();
    const troubles: string[] = [];
    const meter = await place.start({ onTrouble: ({ state, code }) => troubles.push(`${state} ${code}`) });
    await meter.record('requests', 3);
    await place.pass(HOUR_MS);
    await meter.report();

    expect(await place.bill()).toEqual(['requests 2026-09-21T14 9']);
    expect(troubles).toEqual(['disputed DuplicateRequestException']);
    expect(meter.standing).toEqual({ kind: 'ok' });
  });

  test('says stop when the buyer has unsubscribed, and bills nothing of it to a later subscription', async () => {
    const place = await runIn({ platform: 'ec2' });
    const said: string[] = [];
    const troubles: string[] = [];
    const meter = await place.start({
      onStanding: ({ kind }) => said.push(kind),
      onTrouble: ({ state }) => troubles.push(state),
    });
    await place.world.control('POST', `/control/agreements/${place.agreementId}/cancel`, { revokeAfterMs: 0 });
    await place.pass(3 * HOUR_MS);
    await meter.record('requests', 3);
    await place.pass(HOUR_MS);

    expect(await meter.report()).toMatchObject({ kind: 'stop', tellBuyer: expect.stringContaining('Subscribe') });
    await place.pass(6 * HOUR_MS);
    await meter.report();
    await place.world.subscribe({ awsAccountId: '111122223333' });
    await place.pass(HOUR_MS);
    await meter.report();

    expect(await place.bill()).toEqual([]);
    expect(meter.hours()).toMatchObject([{ state: 'refused', quantity: 3, code: 'CustomerNotEntitledException' }]);
    expect(said).toEqual(['stop']);
    expect(troubles).toEqual(['refused']);
  });

  test('bills nothing of an hour without a subscription to a later one, though AWS was silent at its last try', async () => {
    const place = await runIn({ platform: 'ec2' });
    const meter = await place.start();
    await place.world.control('POST', `/control/agreements/${place.agreementId}/cancel`, { revokeAfterMs: 0 });
    await meter.record('requests', 3);
    await place.pass(3 * HOUR_MS);
    await meter.report();
    await place.fault({ kind: 'throttle' });
    await place.pass(HOUR_MS);
    await meter.report();
    await place.pass(6 * HOUR_MS);
    await meter.report();
    await place.world.subscribe({ awsAccountId: '111122223333' });
    await place.pass(HOUR_MS);
    await meter.report();

    expect(await place.bill()).toEqual([]);
    expect(meter.hours()).toMatchObject([{ state: 'refused', quantity: 3 }]);
  });

  test.each([
    [1.5, 'QuantityInvalid'],
    [-1, 'QuantityInvalid'],
    [Number.NaN, 'QuantityInvalid'],
  ])('refuses %s units', async (quantity, code) => {
    const meter = await (await runIn({ platform: 'ec2' })).start();

    await expect(meter.record('requests', quantity)).rejects.toMatchObject({ code });
    await expect(meter.record('reqests', 1)).rejects.toMatchObject({ code: 'DimensionUnknown' });
    expect(meter.hours()).toEqual([]);
  });

  test('counts what is recorded at the same time, all of it, before any of it is said to stand', async () => {
    const place = await runIn({ platform: 'ec2' });
    const meter = await place.start();

    await Promise.all(Array.from({ length: 200 }, () => meter.record('requests', 1)));

    const { hours } = JSON.parse(await readFile(`${place.folder}/metering.json`, 'utf8'));
    expect(hours).toMatchObject([{ dimension: 'requests', quantity: 200 }]);
  });
});

test('units that could not be written are refused and not counted, so that recording them again counts them once', async () => {
  const place = await runIn({ platform: 'ec2' });
  const meter = await place.start({ journal: `${place.folder}/disk/metering.json` }).catch(() => undefined);
  expect(meter).toBeUndefined();
  await mkdir(`${place.folder}/disk`);
  const recording = await place.start({ journal: `${place.folder}/disk/metering.json` });
  await recording.record('requests', 1);
  await rename(`${place.folder}/disk`, `${place.folder}/unplugged`);

  await expect(recording.record('requests', 2)).rejects.toMatchObject({ code: 'ENOENT' });
  await rename(`${place.folder}/unplugged`, `${place.folder}/disk`);
  await recording.record('requests', 2);

  expect(recording.hours()).toMatchObject([{ quantity: 3 }]);
});

describe('the start of a meter', () => {
  test.each([
    ['accessDenied', 'UnauthorizedException', /role/],
    ['disabledApi', 'InvalidEndpointRegionException', /Region/],
  ])('stops where the dry run meets %s', async (kind, code, words) => {
    const place = await runIn({ platform: 'ecs' });
    await place.fault({ kind });

    const started = await startContainerMeter(place.options());

    expect(started).toMatchObject({ kind: 'stop', code, tellBuyer: expect.stringMatching(words) });
  });

  test('goes on, failing, where AWS does not answer, and is ok with the first record that it takes', async () => {
    const place = await runIn({ platform: 'ecs' });
    await place.fault({ kind: 'throttle' });
    const meter = await place.start();
    await meter.record('requests', 1);

    expect(meter.standing.kind).toBe('failing');
    await place.pass(HOUR_MS);
    expect(await meter.report()).toEqual({ kind: 'ok' });
  });

  test('refuses a damaged journal instead of beginning anew', async () => {
    const place = await runIn({ platform: 'ecs' });
    await writeFile(`${place.folder}/metering.json`, '{"v":1,"owner":"x","hours":[{"hour":"2026-09-21T14"}]}');

    await expect(place.start()).rejects.toMatchObject({ code: 'JournalDamaged' });
  });

  test('takes a journal from a process that still runs, which then counts no more', async () => {
    const place = await runIn({ platform: 'ecs' });
    const first = await place.start();
    await first.record('requests', 3);
    const second = await place.start();

    await expect(first.record('requests', 1)).rejects.toMatchObject({ code: 'JournalShared' });
    await second.record('requests', 2);
    await place.pass(HOUR_MS);
    await second.report();

    expect(await place.bill()).toEqual(['requests 2026-09-21T14 5']);
  });

  test('finds every unit of a process that went on counting until its journal was taken, and nothing of its drafts', async () => {
    const place = await runIn({ platform: 'ecs' });
    let standing = 0;
    for (let round = 0; round < 10; round++) {
      const counting = await place.start();
      await counting.record('requests', 1);
      standing += 1;
      const untilTaken = (async () => {
        for (;;) {
          await counting.record('requests', 1);
          standing += 1;
        }
      })();
      await Promise.all([expect(untilTaken).rejects.toMatchObject({ code: 'JournalShared' }), place.start()]);
    }

    expect((await place.start()).hours()).toMatchObject([{ quantity: standing }]);
    expect((await readdir(place.folder)).sort()).toEqual(['metering.json', 'metering.json.owner']);
  });

  test('a wrong Region shows with the first record, and the units wait', async () => {
    const place = await runIn({ platform: 'eks' });
    const meter = await place.start({ client: place.client('i-1', 'eu-west-1') });
    await meter.record('requests', 3);
    await place.pass(HOUR_MS);

    expect(await meter.report()).toMatchObject({ kind: 'failing', code: 'InvalidEndpointRegionException' });
    await place.pass(HOUR_MS);
    await (await place.start()).report();
    expect(await place.bill()).toEqual(['requests 2026-09-21T14 3']);
  });
});
