// What the commands tell, for people and for programs, on the real engine against the simulated AWS.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMAND_GROUPS } from '../../cli/commands.ts';
import { useServices } from '../backend-world.ts';
import { schemaProblems } from '../json-schema.ts';
import { quarantinedWorld } from '../operator/troubles.ts';
import { commandsOn, environmentOf } from './deployment.ts';
import { aFile, fulfillment, startFulfillment } from './fulfillment.ts';

const services = useServices();

const SCHEMA = JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/cli/output.schema.json'), 'utf8'));

function problemsOf(name: string, text: string): string[] {
  return schemaProblems(SCHEMA, JSON.parse(text), { $ref: `#/$defs/${name}` });
}

/** A buyer who registered as Ada Ltd and used 300 units that AWS refused. */
async function worldOfAda() {
  const { world, raw } = await quarantinedWorld(services());
  const run = commandsOn(world);
  const { agreements } = JSON.parse((await run('buyer ls --json')).stdout) as {
    agreements: { agreementId: string; customerId: string }[];
  };
  const [agreement] = agreements;
  if (!agreement) throw new Error('Nobody has subscribed.');
  await run(`buyer register ${agreement.agreementId} --company "Ada Ltd" --email ada@example.com`);
  await world.deliverNotices();
  await world.backend.summarizeHours();
  return { world, raw, run, ...agreement };
}

describe('what --json prints', () => {
  test('is as docs/cli/output.schema.json says, and one line, for every command that reads', async () => {
    const { raw, run, customerId, agreementId } = await worldOfAda();
    const record = `--hour ${raw.hour} --licence ${raw.licenceKey} --dimension ${raw.dimension}`;
    const row = (id: string, dimension: string) =>
      JSON.stringify({ id, customerId, dimension, quantity: 1, time: '2026-09-21T11:00:00Z' });
    const rows = aFile('usage.jsonl', `${row('row-1', 'requests')}\n${row('row-2', 'unheard')}\n`);
    const submitted = {
      customerIdentifier: raw.licenceKey,
      create_timestamp: Date.parse('2026-09-21T10:30:00Z') / 1_000,
    };
    const table = aFile(
      'rows.json',
      JSON.stringify({ Items: [{ ...submitted, dimension_usage: [{ dimension: 'novel', value: 299 }] }, {}] }),
    );
    const lines: [string, string][] = [
      ['customers', 'customers ls'],
      ['customers', 'customers ls --personal'],
      ['customers', `customers ls ${customerId}`],
      ['customer', `customers show ${customerId} --personal`],
      ['usage', `usage ls ${customerId} --month 2026-09`],
      ['usage', `usage ls ${raw.licenceKey} --day 2026-09-21`],
      ['status', 'ledger status'],
      ['verify', 'ledger verify --from 2026-09-21T10 --to 2026-09-21T11'],
      ['explain', `ledger explain ${record}`],
      ['groups', 'groups ls'],
      ['notices', 'notices ls'],
      ['webhooks', 'webhooks ls'],
      ['agreements', 'buyer ls'],
      ['clock', 'clock'],
      ['act', `records release ${record} --dry-run`],
      ['act', `records withhold ${record} --units 400 --why x --yes`],
      ['act', `records release ${record} --why x --yes`],
      ['usagePut', `usage put --customer ${customerId} --dimension requests --quantity 1 --time 2026-09-21T11:00:00Z`],
      ['usagePut', `usage put --customer ${customerId} --dimension unheard --quantity 1 --time 2026-09-21T11:00:00Z`],
      ['usageImport', `usage import ${rows} --dry-run`],
      ['usageImport', `usage import ${rows} --local`],
      ['compare', `ledger compare ${table} --product metrics-cloud --from 2026-09-21T10 --to 2026-09-21T11`],
      ['doctor', 'doctor --local'],
      ['agreement', `buyer cancel ${agreementId}`],
    ];

    const problems: Record<string, string[]> = {};
    for (const [name, line] of lines) {
      const { stdout, exitCode, stderr } = await run(`${line} --json`);
      expect([0, 1], `${line}: ${stderr}`).toContain(exitCode);
      expect(stdout).toMatch(/^\{.*\}\n$/);
      problems[line] = problemsOf(name, stdout);
    }

    expect(Object.entries(problems).filter(([, wrong]) => wrong.length > 0)).toEqual([]);
  });
});

describe('customers', () => {
  test('are listed without personal data, and with it where that is asked for', async () => {
    const { run, customerId } = await worldOfAda();

    const plain = await run('customers ls');
    const personal = await run('customers ls --personal');
    const shown = await run(`customers show ${customerId}`);

    expect(plain.stdout).toContain(customerId);
    expect(`${plain.stdout}${shown.stdout}`).not.toMatch(/Ada|ada@/);
    expect(personal.stdout).toMatch(/Ada Ltd\s+ada@example\.com/);
  });

  test('are found by company, account and agreement; who is not found ends in code 1', async () => {
    const { run, customerId, agreementId } = await worldOfAda();

    const found = await Promise.all(['ada', agreementId].map((text) => run(`customers ls ${text} --json`)));
    const nobody = await run('customers ls 999999999999');

    expect(found.map(({ stdout }) => JSON.parse(stdout).customers[0].customerId as string)).toEqual([
      customerId,
      customerId,
    ]);
    expect(nobody).toMatchObject({ exitCode: 1, stdout: 'Nobody is found.\n' });
  });

  test('are told which products there are, by the buyer who names another', async () => {
    const { run } = await worldOfAda();

    expect(await run('buyer subscribe demo-produkt')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("There is no product 'demo-produkt' here. There are: metrics-cloud."),
    });
  });

  test('show no control characters that a buyer typed', async () => {
    const { run, world } = await worldOfAda();
    const { stdout } = await run('buyer subscribe metrics-cloud --json');
    const { agreementId } = JSON.parse(stdout) as { agreementId: string };
    await run(`buyer register ${agreementId} --company "Ev\u009bil" --email eve@example.com`);
    await world.deliverNotices();

    const listed = await run('customers ls --personal');

    expect(listed.stdout).toContain('eve@example.com');
    expect(listed.stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  test('are erased by their command, after words, and nothing personal is told any more', async () => {
    const { run, customerId } = await worldOfAda();
    const line = `customers erase --customer ${customerId} --why "ticket 4711"`;

    const unconfirmed = await run(line, { typed: 'erase' });
    const erased = await run(line, { typed: `erase ${customerId}` });
    const listed = await run('customers ls --personal');

    expect([unconfirmed.exitCode, erased.exitCode]).toEqual([1, 0]);
    expect(listed.stdout).toContain(customerId);
    expect(listed.stdout).not.toMatch(/Ada|ada@/);
  });

  test('fit a narrow terminal, line by line', async () => {
    const { run } = await worldOfAda();

    const { stdout } = await run('customers ls --personal', { columns: 80 });

    expect(Math.max(...stdout.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80);
    expect(stdout).toContain('…');
  });
});

describe('ledger status', () => {
  test('names what needs a person, what to do and how long there is, in code 1', async () => {
    const { run, raw } = await worldOfAda();

    const { exitCode, stdout } = await run('ledger status');

    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^quarantined\s+1\s+300$/m);
    expect(stdout).toMatch(
      new RegExp(
        `^quarantined\\s+22 h 49 min\\s+300\\s+${raw.hour}\\s+${raw.licenceKey} novel .*release, withhold$`,
        'm',
      ),
    );
  });
});

describe('ledger export', () => {
  test('writes what stands as CSV with a header, and acts as JSON lines', async () => {
    const { run, raw } = await worldOfAda();
    const record = `--hour ${raw.hour} --licence ${raw.licenceKey} --dimension ${raw.dimension}`;
    await run(`records release ${record} --why "=1+1" --yes`);

    const csv = await run('ledger export --from 2026-09-21T10 --to 2026-09-21T11');
    const audit = await run('ledger export --audit --format jsonl --from 2026-09 --to 2026-09');

    const [header, row, end] = csv.stdout.split('\n');
    expect(header).toMatch(/^kind,hour,licenceKey,/);
    expect(row).toContain(`sealed,2026-09-21T10,${raw.licenceKey},`);
    expect(end).toBe('');
    expect(JSON.parse(audit.stdout)).toMatchObject({ action: 'release', why: '=1+1' });
  });

  test('ends quietly in code 0 where its reader has seen enough', async () => {
    const { world } = await worldOfAda();
    const args = ['ledger', 'export', '--from', '2026-09-20', '--to', '2026-09-21'];
    const { child, ended } = startFulfillment(args, { environment: environmentOf(world) });

    child.stdout?.once('data', () => child.stdout?.destroy());
    const { exitCode, stderr } = await ended;

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });
});

test('Ctrl-C ends a long check in code 130', async () => {
  const { world } = await worldOfAda();
  const args = ['ledger', 'verify', '--from', '2026-01', '--to', '2026-09', '--json'];
  const { child, ended } = startFulfillment(args, { environment: environmentOf(world) });

  const interrupting = setInterval(() => child.kill('SIGINT'), 3_000);
  const { exitCode, stdout } = await ended;
  clearInterval(interrupting);

  expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: '' });
});

describe('every command', () => {
  test('has help with a line of each option and an example that begins as it does', async () => {
    for (const { name, load } of COMMAND_GROUPS.flatMap(({ commands }) => commands)) {
      const { help, options } = await load();
      for (const option of Object.keys(options)) expect(help).toContain(`--${option}`);
      expect(help).toMatch(new RegExp(`^ {2}.*fulfillment ${name}`, 'm'));
    }
  });

  test.each([
    ['records', 'What of records?'],
    ['ledger verify --form 2026-09', 'Did you mean --from?'],
    ['groups ls extra', "'extra' is more than groups ls takes."],
    ['usage ls cus_1 --month 2026-13', '--month takes a month such as 2026-11.'],
    ['usage ls cus_1 --day 2026-02-31', '--day takes a day such as 2026-11-23.'],
    ['buyer cancel agmt-none', 'There is no agreement agmt-none'],
    ['clock --to 2020-01-01T00:00:00Z', 'does not go back'],
  ])('is meant by a slip of the pen: %s', async (line, said) => {
    const { world } = await quarantinedWorld(services());

    const { exitCode, stderr } = await commandsOn(world)(line);

    expect(exitCode).toBe(2);
    expect(stderr).toContain(said);
  });
});

describe('a command that there is not', () => {
  test.each([
    ['ledgr verify', 'ledger verify'],
    ['records relase', 'records release'],
  ])('is answered with the one that was meant, and nothing else: %s', async (line, meant) => {
    const { exitCode, stderr } = await fulfillment(line.split(' '));

    expect(exitCode).toBe(2);
    expect(stderr).toBe(`There is no such command. Did you mean: fulfillment ${meant}?\n`);
  });

  test('is told as the last line where it is near to none', async () => {
    const { exitCode, stderr } = await fulfillment(['sing', 'a', 'song']);

    expect(exitCode).toBe(2);
    expect(stderr).toContain('  customers ls ');
    expect(stderr).toMatch(/\nThere is no such command\.\n$/);
  });
});

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));

  expect(await fulfillment(['--version'])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
});

test('the list of commands has a title above each group, and their summaries in one column', async () => {
  const { stdout } = await fulfillment(['--help']);

  const lines = stdout.split('\n');
  expect(lines.slice(0, 4)).toEqual([
    'fulfillment <command> [options]',
    '',
    'Customers, and what they use',
    '  customers ls        list customers, newest first, or search for one',
  ]);
  const commands = lines.filter((line) => line.startsWith('  '));
  expect(commands.filter((line) => !/^ {2}.{18} {2}[a-z]/.test(line))).toEqual([]);
});

test('the list of commands has straight apostrophes', async () => {
  const { stdout } = await fulfillment(['--help']);

  expect(stdout).toContain("the operator's console");
  expect(stdout).not.toContain('’');
});

test('the console is served to whoever has its address until Ctrl-C, which ends it in code 0', async () => {
  const { world } = await quarantinedWorld(services());
  const { child, ended } = startFulfillment(['console'], { environment: environmentOf(world) });
  const [address] = (await once(child.stdout ?? child, 'data')) as [Buffer];

  const page = await fetch(String(address).trim(), { redirect: 'manual' });
  const locked = await fetch(new URL('/', String(address).trim()));
  child.kill('SIGINT');

  expect(page.status).toBe(303);
  expect(locked.status).toBe(401);
  expect((await ended).exitCode).toBe(0);
});
