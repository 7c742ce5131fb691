import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { COMMAND_GROUPS } from '../../cli/commands.ts';
import { runFulfillment } from '../../cli/fulfillment.ts';
import { type BackendWorld, startBackendWorld, useServices } from '../backend-world.ts';
import { passOn, startFaultyProxy } from '../client/faulty-proxy.ts';
import { LICENCE, rowsOf } from '../client/recorder-world.ts';
import { aFile, aFolder, fulfillment, startFulfillment } from './fulfillment.ts';

const services = useServices();

const HEADER = 'id,licenseArn,dimension,quantity,time';
const ROWS = 3_000;
const NOW = '2026-09-21T12:05:00.000Z';
/** The hour of all rows. */
const AT = '2026-09-21T11:00:00Z';

/** Row `n` of a file; its quantity differs from its neighbours', so that a sum tells them apart. */
function anEvent(n: number, licenseArn: string) {
  const minute = String(n % 60).padStart(2, '0');
  return {
    id: `row-${n}`,
    licenseArn,
    dimension: 'requests',
    quantity: 1 + (n % 7),
    time: `2026-09-21T11:${minute}:00Z`,
  };
}

function manyEvents(licenseArn: string) {
  return Array.from({ length: ROWS }, (_, n) => anEvent(n, licenseArn));
}

function asCsv(events: readonly object[]): string {
  return [HEADER, ...events.map((event) => Object.values(event).join(','))].join('\r\n');
}

function asJsonLines(events: readonly object[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join('');
}

async function quantitiesOf(world: BackendWorld, at: string, licenceKey?: string): Promise<number[]> {
  return (await rowsOf(world, at, licenceKey)).map(({ quantity }) => quantity);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

describe('an import of 3,000 rows', () => {
  test.each([
    ['csv', asCsv],
    ['jsonl', asJsonLines],
  ])('as %s that was killed half-way and run again records and bills each row once', async (format, written) => {
    const world = await startBackendWorld(services(), { at: '2026-09-21T10:05:00.000Z' });
    const acme = await world.subscribe();
    await world.clock.set(Date.parse(NOW));
    const events = manyEvents(acme.licenceArn);
    const file = aFile(`usage.${format}`, written(events));
    const { promise: halfWay, resolve: isHalfWay } = Promise.withResolvers<void>();
    let done = 0;
    const { url } = await startFaultyProxy(world.gateway.url, async ({ request, forward, answer }) => {
      // Three batches do their work, the third is never answered; those behind them don't get there.
      if (request.number > 3) return;
      const { status, body } = await forward();
      if (request.number < 3) answer(status, body);
      done += 1;
      if (done === 3) isHalfWay();
    });

    const { child, ended } = startFulfillment(['usage', 'import', file, '--url', url]);
    await halfWay;
    child.kill('SIGKILL');
    await ended;
    const before = (await rowsOf(world, AT, acme.licenceKey)).length;
    const again = await fulfillment(['usage', 'import', file, '--url', world.gateway.url, '--json']);

    expect(before).toBe(ROWS / 2);
    expect(JSON.parse(again.stdout)).toMatchObject({
      ended: 'finished',
      rows: ROWS,
      recorded: ROWS / 2,
      already: ROWS / 2,
      refused: 0,
      conflict: 0,
    });
    expect(again.exitCode).toBe(0);
    const expected = sum(events.map(({ quantity }) => quantity));
    const found = await quantitiesOf(world, AT, acme.licenceKey);
    expect([found.length, sum(found)]).toEqual([ROWS, expected]);
    await world.tick('2026-09-21T12:11:00Z');
    expect((await world.bill()).map(({ quantity }) => quantity)).toEqual([expected]);
  });

  test('straight into the tables adds nothing when it is run again', async () => {
    const world = await startBackendWorld(services(), { at: NOW });
    const time = new Date(Date.now() - 60_000).toISOString();
    const events = Array.from({ length: 1_000 }, (_, n) => ({ ...anEvent(n, LICENCE), time }));
    const file = aFile('usage.jsonl', asJsonLines(events));
    const environment = {
      AWS_ENDPOINT_URL_DYNAMODB: services().database.endpoint,
      AWS_ACCESS_KEY_ID: 'AKIALOCAL',
      AWS_SECRET_ACCESS_KEY: 'local',
    };
    const { usage, work } = world.tables;
    const args = ['usage', 'import', file, '--usage-table', usage, '--work-table', work, '--region', 'us-east-1'];

    const first = await fulfillment([...args, '--json'], { environment });
    const second = await fulfillment([...args, '--json'], { environment });

    expect(JSON.parse(first.stdout)).toMatchObject({ recorded: 1_000, already: 0 });
    expect(JSON.parse(second.stdout)).toMatchObject({ recorded: 0, already: 1_000 });
    expect([first.exitCode, second.exitCode]).toEqual([0, 0]);
    expect(sum(await quantitiesOf(world, time))).toBe(sum(events.map(({ quantity }) => quantity)));
  });
});

describe('rows that are not taken', () => {
  test('are told with their line, kept with the reason, and don’t hold up the others', async () => {
    const world = await startBackendWorld(services(), { at: NOW });
    const good = Object.values(anEvent(1, LICENCE)).join(',');
    await world.report([{ ...anEvent(1, LICENCE), id: 'row-9', quantity: 100 }]);
    const file = aFile(
      'usage.csv',
      [
        `\uFEFF${HEADER},tag:Team`,
        `${good},"Red, ""A"""`,
        `${good.replace('row-1', 'row-2')},Red`,
        `row-3,${LICENCE},"requ`,
        `ests",1,2026-09-21T11:00:00Z,`,
        `row-4,${LICENCE},requests,1.5,2026-09-21T11:00:00Z,`,
        `row-5,${LICENCE},requests,1`,
        `row-6,${LICENCE},requests,many,2026-09-21T11:00:00Z,`,
        '',
        `row-7,${LICENCE},requests,1,2026-09-21 11:00,`,
        `row-8,${LICENCE},re"quests,1,2026-09-21T11:00:00Z,`,
        `${good.replace('row-1', 'row-9')},`,
      ].join('\r\n'),
    );
    const rejects = join(aFolder(), 'rejects.jsonl');

    const { exitCode, stdout, stderr } = await fulfillment([
      ...['usage', 'import', file, '--url', world.gateway.url, '--rejects', rejects],
    ]);

    const kept = readFileSync(rejects, 'utf8').trim().split('\n');
    const rows = kept.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows.map(({ line, code }) => [line, code]).sort()).toEqual([
      [10, 'malformed'],
      [11, 'malformed'],
      [12, 'conflict'],
      [2, 'tagsInvalid'],
      [4, 'dimensionUnknown'],
      [6, 'quantityNotWhole'],
      [7, 'malformed'],
      [8, 'malformed'],
    ]);
    expect(rows.find(({ line }) => line === 7)).toMatchObject({
      message: 'The row has 4 fields where the header has 6.',
    });
    expect(stderr).toContain('line 6: refused, quantityNotWhole: quantity was 1.5');
    expect(stdout).toMatch(/recorded +1\n/);
    expect(exitCode).toBe(1);
  });

  test('of JSON lines are told with their line', async () => {
    const good = JSON.stringify(anEvent(1, LICENCE));
    const file = aFile('usage.jsonl', `${good}\n\n{"id":\n[]\n${good.replace('"requests"', '["secret"]')}\n`);

    const { stderr, stdout } = await fulfillment(['usage', 'import', file, '--dry-run', '--json']);

    expect(stderr).toMatch(/line 3: refused, malformed: The line is not JSON/);
    expect(stderr).toMatch(/line 4: refused, malformed/);
    expect(stderr).toMatch(/line 5: refused, malformed/);
    expect(stderr).not.toContain('secret');
    expect(JSON.parse(stdout)).toMatchObject({ dryRun: true, rows: 4 });
  });
});

describe('a dry run', () => {
  test('says what is wrong and sends nothing', async () => {
    const time = new Date().toISOString();
    const events = [0, 1, 2].map((n) => ({ ...anEvent(n, LICENCE), time, quantity: n / 2 }));

    const { exitCode, stdout } = await fulfillment(['usage', 'import', '-', '--format', 'csv', '--dry-run', '--json'], {
      input: asCsv(events),
    });

    expect(JSON.parse(stdout)).toMatchObject({ wellFormed: 2, refused: 1, reasons: { quantityNotWhole: 1 } });
    expect(exitCode).toBe(1);
  });
});

describe('the clock of a dry run', () => {
  const row = { ...anEvent(1, LICENCE), time: AT };

  test.each([
    [NOW, { wellFormed: 1, refused: 0 }, 0],
    ['2026-09-22T14:05:00+02:00', { wellFormed: 0, refused: 1, reasons: { timeTooOld: 1 } }, 1],
  ])('is %s where --now says so, whatever this machine says', async (now, result, code) => {
    const args = ['usage', 'import', '-', '--format', 'csv', '--dry-run', '--now', now, '--json'];

    const { exitCode, stdout } = await fulfillment(args, { input: asCsv([row]) });

    expect(JSON.parse(stdout)).toMatchObject(result);
    expect(exitCode).toBe(code);
  });
});

describe('a file without rows', () => {
  test.each([
    ['nothing at all', 'empty.csv', ''],
    ['a header alone', 'header.csv', `${HEADER}\n`],
    ['blank lines alone', 'blank.jsonl', '\n\n'],
  ])('of %s is said to hold none, and is no mistake', async (_, name, text) => {
    const { exitCode, stderr, stdout } = await fulfillment([
      'usage',
      'import',
      aFile(name, text),
      '--dry-run',
      '--json',
    ]);

    expect(exitCode).toBe(0);
    expect(stderr).toContain(`${name} holds no rows.`);
    expect(JSON.parse(stdout)).toMatchObject({ ended: 'finished', rows: 0 });
  });
});

describe('an address that takes no usage', () => {
  const importTo = async (url: string) => {
    const file = aFile('usage.csv', asCsv([anEvent(1, LICENCE)]));
    return fulfillment(['usage', 'import', file, '--url', url, '--json']);
  };

  test.each([
    [404, 'No such route.'],
    [403, '{"message":"Missing Authentication Token"}'],
    [405, ''],
    [200, '<html></html>'],
  ])('and answers %i ends in code 2, and nobody is asked to run the same again', async (status, body) => {
    const { url } = await startFaultyProxy('http://127.0.0.1', async ({ answer }) => answer(status, body));

    const { exitCode, stderr, stdout } = await importTo(`${url}/nonsense`);

    expect(exitCode).toBe(2);
    expect(stderr).toContain(`There is no POST /usage at ${url}/nonsense/usage`);
    expect(stderr).not.toContain('Run the same command again');
    expect(JSON.parse(stdout)).toMatchObject({ ended: 'fault', recorded: 0, unconfirmed: 1 });
  });

  test('because its port is one that nobody may speak HTTP on ends in code 2', async () => {
    const { exitCode, stderr } = await importTo('http://127.0.0.1:1');

    expect(exitCode).toBe(2);
    expect(stderr).toContain('There is no POST /usage at http://127.0.0.1:1/usage: nothing is served on port 1.');
  });

  test('because it is no URL ends in code 2', async () => {
    const { exitCode, stderr } = await importTo('127.0.0.1:7300');

    expect(exitCode).toBe(2);
    expect(stderr).toContain('like https://host/prod or http://127.0.0.1:7300');
  });
});

describe('what ends an import early', () => {
  test('a backend that stays away ends in code 3 and words on how to go on', async () => {
    const world = await startBackendWorld(services(), { at: NOW });
    const { url } = await startFaultyProxy(world.gateway.url, async ({ answer }) => answer(503, '{}'));
    const file = aFile('usage.csv', asCsv(manyEvents(LICENCE)));

    const { exitCode, stderr, stdout } = await fulfillment([
      'usage',
      'import',
      file,
      '--url',
      url,
      '--retry-for',
      '0.2',
      '--json',
    ]);

    expect(exitCode).toBe(3);
    expect(stderr).toContain('Run the same command again');
    expect(JSON.parse(stdout)).toMatchObject({ ended: 'fault', recorded: 0, refused: 0 });
  });

  test('Ctrl-C waits for what is under way and says what stands', async () => {
    const world = await startBackendWorld(services(), { at: NOW });
    const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
    const { promise: mayAnswer, resolve: allow } = Promise.withResolvers<void>();
    const { url } = await startFaultyProxy(world.gateway.url, async (call) => {
      asked();
      await mayAnswer;
      await passOn(call);
    });
    const file = aFile('usage.csv', asCsv(manyEvents(LICENCE)));

    const { child, ended } = startFulfillment(['usage', 'import', file, '--url', url, '--json']);
    await isAsked;
    child.kill('SIGINT');
    allow();
    const { exitCode, stdout, stderr } = await ended;

    const result = JSON.parse(stdout) as { recorded: number };
    expect(exitCode).toBe(130);
    expect(stderr).toContain('Interrupted');
    expect(result).toMatchObject({ ended: 'interrupted', unconfirmed: 0 });
    expect(result.recorded).toBeGreaterThanOrEqual(500);
    expect(await quantitiesOf(world, AT)).toHaveLength(result.recorded);
  });
});

describe('Ctrl-C while more input could come', () => {
  test('ends the import in good order, too', async () => {
    const world = await startBackendWorld(services(), { at: NOW });
    const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
    const { url } = await startFaultyProxy(world.gateway.url, async (call) => {
      asked();
      await passOn(call);
    });
    const input = `${asCsv(manyEvents(LICENCE).slice(0, 600))}\r\n`;

    const { child, ended } = startFulfillment(['usage', 'import', '-', '--format', 'csv', '--url', url, '--json'], {
      input,
      isInputOpen: true,
    });
    await isAsked;
    child.kill('SIGINT');
    const { exitCode, stdout } = await ended;

    expect(exitCode).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ ended: 'interrupted', recorded: 500, unconfirmed: 0 });
  });
});

describe('a wrong call', () => {
  const csv = () => aFile('usage.csv', asCsv([anEvent(1, LICENCE)]));
  const dryRun = (name: string, text: string) => [aFile(name, text), '--dry-run'];

  test.each([
    ['no file', () => ['--dry-run'], 'Name one file'],
    ['no destination', () => [csv()], 'exactly one way'],
    ['two destinations', () => [csv(), '--dry-run', '--url', 'http://x'], 'exactly one way'],
    ['an unknown option', () => [csv(), '--fast'], '--fast'],
    ['a file that is not there', () => ['/nowhere.csv', '--dry-run'], 'ENOENT'],
    ['a rejects file that can’t be', () => [csv(), '--dry-run', '--rejects', '/nowhere/rejects'], 'ENOENT'],
    ['a format that is not told', () => dryRun('usage.txt', ''), '--format'],
    ['a password in the URL', () => [csv(), '--url', 'https://me:hush@host'], 'without a name and password'],
    ['a clock for rows that are sent', () => [csv(), '--url', 'http://x', '--now', NOW], '--dry-run'],
    ['a clock without a zone', () => [csv(), '--dry-run', '--now', '2026-09-21T12:05'], 'with its zone'],
    ['a usage table alone', () => [csv(), '--usage-table', 'u'], 'go together'],
    ['semicolons', () => dryRun('a.csv', 'id;time\n'), 'use commas'],
    ['JSON lines named CSV', () => dryRun('a.csv', '{"id":1,"time":2}\n'), '--format jsonl'],
    ['a misspelt column', () => dryRun('a.csv', 'id,licenceArn\n'), 'did you mean licenseArn?'],
    ['a column twice', () => dryRun('a.csv', 'id,time,id\n'), "names 'id' twice"],
    ['a missing column', () => dryRun('a.csv', 'id,customerId,time\n'), 'lacks dimension, quantity'],
    ['half a legacy buyer', () => dryRun('a.csv', 'id,dimension,quantity,time,productCode\n'), 'go together'],
    ['no buyer', () => dryRun('a.csv', 'id,dimension,quantity,time\n'), 'names the buyer'],
    ['a quote that never closes', () => dryRun('a.csv', `${HEADER}\n"${'x'.repeat(300_000)}`), 'begins on line 2'],
    ['customer ids but no table of them', () => tablesOnly('id,customerId,dimension,quantity,time'), 'customersTable'],
  ])('with %s is told what to give, and nothing of what it held', async (_, args, said) => {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const terminal = { stdin, stdout, stderr, signal: new AbortController().signal, environment: {} };

    const exitCode = await runFulfillment(COMMAND_GROUPS, ['usage', 'import', ...args()], terminal);

    const told = String(stderr.read());
    expect([exitCode, stdout.read()]).toEqual([2, null]);
    expect(told).toContain(said);
    expect(told).not.toContain('hush');
  });

  function tablesOnly(header: string): string[] {
    const file = aFile('usage.csv', `${header}\nrow-1,cus_1,requests,1,${NOW}\n`);
    return [file, '--usage-table', 'u', '--work-table', 'w', '--region', 'us-east-1'];
  }

  test('ends in code 2, with the way to help', async () => {
    const { exitCode, stderr, stdout } = await fulfillment(['usage', 'import']);

    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain('fulfillment usage import --help');
  });

  test('of a file that is not UTF-8 is refused before an id could change', async () => {
    const file = join(aFolder(), 'latin.csv');
    writeFileSync(file, Buffer.from(`${HEADER}\nrow-\xe9,${LICENCE},requests,1,${NOW}\n`, 'latin1'));

    const { exitCode, stderr } = await fulfillment(['usage', 'import', file, '--dry-run']);

    expect(exitCode).toBe(2);
    expect(stderr).toContain('not UTF-8');
  });

  test('with the input as file of rejects leaves the input whole', async () => {
    const file = csv();
    const text = readFileSync(file, 'utf8');

    const { exitCode } = await fulfillment(['usage', 'import', file, '--dry-run', '--rejects', file]);

    expect(exitCode).toBe(2);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('for help gets it, with examples, on standard output', async () => {
    const { exitCode, stdout } = await fulfillment(['usage', 'import', '--help']);

    expect(exitCode).toBe(0);
    expect(stdout).toContain('Examples:');
  });
});
