// Acts by the commands of an operator, on the real engine against the simulated AWS.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { useServices } from '../backend-world.ts';
import { quarantinedWorld } from '../operator/troubles.ts';
import { commandsOn, environmentOf } from './deployment.ts';
import { fulfillment, startFulfillment } from './fulfillment.ts';

const services = useServices();

async function quarantined() {
  const { world, raw } = await quarantinedWorld(services());
  const record = `--hour ${raw.hour} --licence ${raw.licenceKey} --dimension ${raw.dimension}`;
  return { world, record, run: commandsOn(world) };
}

describe('an act by its command', () => {
  test('shows with --dry-run what it would do, and writes nothing', async () => {
    const { world, record, run } = await quarantined();

    const { exitCode, stdout } = await run(`records release ${record} --dry-run`);
    await world.tick();

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Would do: 300 novel of 2026-09-21T10 are sent to AWS in the sender's next run\.\n/);
    expect(stdout).toMatch(/\n\s+before\s+after\nstatus\s+quarantined\s+open\n/);
    expect(await world.bill()).toEqual([]);
  });

  test('is done once the person has typed the words, and tells its id', async () => {
    const { world, record, run } = await quarantined();

    const { exitCode, stdout, stderr } = await run(`records release ${record} --with-groups --why "listed now"`, {
      typed: 'bill 300 novel',
    });
    await world.tick();

    expect(stderr).toContain('This can not be undone. To go on, type: bill 300 novel');
    expect(stdout).toMatch(/^Done: 300 novel.*\n[\s\S]*\nAct 2026-09-21T11:11:00\.000Z\.[0-9a-f]{12}\n$/);
    expect(exitCode).toBe(0);
    expect((await world.bill()).map(({ quantity }) => quantity)).toEqual([300]);
  });

  test('is not done where other words were typed', async () => {
    const { world, record, run } = await quarantined();

    const { exitCode, stderr, stdout } = await run(`records release ${record} --with-groups --why x`, { typed: 'yes' });
    await world.tick();

    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/Nothing was done\.\n$/);
    expect(await world.bill()).toEqual([]);
  });

  test('asks nobody where nobody is at the terminal, and says how to go on', async () => {
    const { record, run } = await quarantined();

    const { exitCode, stderr } = await run(`records release ${record} --why x`);

    expect(exitCode).toBe(2);
    expect(stderr).toContain('nobody is at the terminal to confirm it. Add --yes to go on.');
  });

  test('ends at Ctrl-C while it asks, in code 130, and nothing was done', async () => {
    const { world, record, run } = await quarantined();

    const { exitCode, stderr } = await run(`records release ${record} --with-groups --why x`, {
      interruptedAt: 'To go on, type:',
    });
    await world.tick();

    expect(exitCode).toBe(130);
    expect(stderr).toContain('Nothing was done.');
    expect(await world.bill()).toEqual([]);
  });

  test('is the same act under the same id: done once, and told so', async () => {
    const { world, record, run } = await quarantined();
    const line = `records release ${record} --with-groups --why x --yes --json --act-id 2026-09-21T11:11:00.000Z.mine`;

    const first = await run(line);
    const again = await run(line);
    await world.tick();

    expect([first.exitCode, again.exitCode]).toEqual([0, 0]);
    expect(JSON.parse(first.stdout)).toMatchObject({ act: 'release', kind: 'done' });
    expect(JSON.parse(again.stdout)).toMatchObject({ act: 'release', kind: 'already' });
    expect((await world.bill()).map(({ quantity }) => quantity)).toEqual([300]);
  });

  test('is done by one of two operators at once, in processes of their own; the other is refused or told', async () => {
    const { world, record } = await quarantined();
    const args = `records release ${record} --with-groups --why x --yes --json`.split(' ');
    const environment = environmentOf(world);

    const ended = await Promise.all([1, 2].map(() => fulfillment(args, { environment })));
    await world.tick();

    const answers = ended.map(({ exitCode, stdout }) => [exitCode, JSON.parse(stdout).kind as string]);
    expect(answers.sort()).toEqual([
      [0, 'done'],
      [1, 'refused'],
    ]);
    expect((await world.bill()).map(({ quantity }) => quantity)).toEqual([300]);
  });
});

describe('an act that is refused', () => {
  test('ends in code 1, with the reason', async () => {
    const { record, run } = await quarantined();

    const { exitCode, stderr } = await run(`records withhold ${record} --units 400 --why x --yes`);

    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^Refused: 400 units were to be withheld of a record of 300/);
  });

  test('of a mistyped field ends in code 2, with each option that is wrong', async () => {
    const { run } = await quarantined();

    const { exitCode, stderr } = await run('records release --hour noon --licence nobody --why x');

    expect(exitCode).toBe(2);
    expect(stderr).toContain('--hour has to be a UTC hour such as 2026-11-23T07.');
    expect(stderr).toContain('--licence has to be the key of a licence');
    expect(stderr).toContain('--dimension is missing.');
    expect(stderr).toContain('For help: fulfillment records release --help');
  });

  test('without a reason ends in code 2 before anything is looked at', async () => {
    const { run } = await quarantined();

    const { exitCode, stderr } = await run('records release --hour 2026-09-21T10');

    expect(exitCode).toBe(2);
    expect(stderr).toContain('Say why it is done: --why TEXT.');
  });
});

async function aClosedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a command that finds no deployment', () => {
  test('says that nothing runs here, in code 2', async () => {
    const environment = { FULFILLMENT_DEPLOYMENT: '/nonexistent/deployment.json' };

    const { exitCode, stderr } = await fulfillment(['groups', 'release', '--group', 'x', '--dry-run'], { environment });

    expect(exitCode).toBe(2);
    expect(stderr).toBe(
      'Nothing runs here: /nonexistent/deployment.json is not there. Run npm start in another terminal (on ports of your own, take over the export line that it prints), or name a deployment: --stage prod --region us-east-1.\n',
    );
  });

  test('says without credentials how to sign in, in code 2', { timeout: 60_000 }, async () => {
    const environment = { AWS_EC2_METADATA_DISABLED: 'true' };

    const { exitCode, stderr } = await fulfillment(
      ['groups', 'release', '--group', 'x', '--dry-run', '--stage', 'prod'],
      {
        environment,
      },
    );

    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^No AWS credentials were found\. Sign in \(aws sso login/);
  });

  test('says where the laptop’s backend has ended that nothing answers, in code 3', async () => {
    const { world, record } = await quarantined();
    const dead = { ...world.facts, simulator: { url: `http://127.0.0.1:${await aClosedPort()}`, controlSecret: 'x' } };

    const { exitCode, stderr } = await startFulfillment(`records release ${record} --dry-run`.split(' '), {
      environment: environmentOf({ facts: dead }),
    }).ended;

    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/^Nothing answers there \(ECONNREFUSED\)\. On a laptop: is npm start still running\?/);
  });
});
