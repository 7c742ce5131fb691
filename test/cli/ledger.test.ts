// What the commands tell of the ledger, on the real engine against the simulated AWS.
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from 'vitest';
import { shardOf } from '../../lambdas/domain/keys.ts';
import { toItem } from '../../lambdas/stores/dynamo.ts';
import { sealedKey } from '../../lambdas/stores/ledger-items.ts';
import { useServices } from '../backend-world.ts';
import { anHour } from '../builders.ts';
import { quarantinedWorld } from '../operator/troubles.ts';
import { commandsOn } from './deployment.ts';
import { aFile } from './fulfillment.ts';

const services = useServices();

async function quarantined() {
  const { world, raw } = await quarantinedWorld(services());
  const record = `--hour ${raw.hour} --licence ${raw.licenceKey} --dimension ${raw.dimension}`;
  return { world, raw, record, run: commandsOn(world) };
}

describe('ledger explain', () => {
  test('tells a person the record, why it waits and how long AWS takes it, its event and its books', async () => {
    const { record, run } = await quarantined();

    const { exitCode, stdout } = await run(`ledger explain ${record}`);

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^status\s+quarantined \(InvalidUsageDimensionException\)$/m);
    expect(stdout).toMatch(/^AWS takes it until\s+2026-09-22 10:00:00Z \(22 h 49 min left\)$/m);
    expect(stdout).toMatch(/^Events \(1 in all\)\nevent\s+units\s+time\nevent-\d+\s+300\s+2026-09-21 10:05:00Z$/m);
    expect(stdout).toMatch(/^Books\nrecorded\s+300\nquarantined\s+300\nbalance\s+yes$/m);
  });

  test('tells of an act, by whom and why', async () => {
    const { record, run } = await quarantined();
    await run(`records release ${record} --why "it is listed now" --yes`);

    const { stdout } = await run(`ledger explain ${record}`);

    expect(stdout).toMatch(/^Audit\n.*\n2026-09-21 11:11:00Z\s+release\s+\S+ on a laptop\s+it is listed now$/m);
  });
});

describe('ledger verify', () => {
  test('says in code 0 that every hour balances, and where the units stand', async () => {
    const { run, raw } = await quarantined();

    const told = await run('ledger verify --from 2026-09-21T10 --to 2026-09-21T12');
    const { stdout } = await run(`ledger verify --json --from 2026-09-21 --to 2026-09-21 --licence ${raw.licenceKey}`);

    expect(told.exitCode).toBe(0);
    expect(told.stdout).toMatch(/^balanced\s+yes\nhours\s+2\n.*\n\nrecorded\s+300\nquarantined\s+300$/m);
    expect(JSON.parse(stdout)).toMatchObject({ balanced: true, hoursChecked: 24, metersChecked: 1, unbalanced: 0 });
  });

  test('says in code 1 which hour does not balance, and by how much', async () => {
    const { world, run, raw } = await quarantined();
    await world.client.send(
      new UpdateItemCommand({
        TableName: world.tables.ledger,
        Key: toItem(sealedKey({ ...raw, hour: anHour(raw.hour), shard: shardOf(raw.licenceKey) })),
        UpdateExpression: 'SET heldLate = :seven',
        ExpressionAttributeValues: toItem({ ':seven': 7 }),
      }),
    );

    const { exitCode, stdout } = await run('ledger verify --from 2026-09-21T10');

    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^balanced\s+no: 1 of 1 licence-hours$/m);
    expect(stdout).toMatch(/^2026-09-21T10\s+l-\w+\s+novel\s+-7$/m);
  });

  test.each([
    ['--from 2026-09-22 --to 2026-09-21', 'No hour lies from 2026-09-22T00 up to 2026-09-22T00: --from has'],
    ['--from noon', '--from takes a UTC hour such as 2026-11-23T07.'],
  ])('refuses hours that are none: %s', async (range, said) => {
    const { run } = await quarantined();

    const { exitCode, stderr } = await run(`ledger verify ${range}`);

    expect(exitCode).toBe(2);
    expect(stderr).toContain(said);
  });
});

test('ledger compare names what only the other pipeline submitted, in code 1, and what is equal in code 0', async () => {
  const { run, raw } = await quarantined();
  const rows = (value: number) =>
    aFile(
      'rows.json',
      JSON.stringify({
        Items: [
          {
            customerIdentifier: `arn:aws:license-manager::294406891311:license:${raw.licenceKey}`,
            create_timestamp: Date.parse('2026-09-21T10:30:00Z') / 1_000,
            dimension_usage: [{ dimension: 'novel', value }],
          },
        ],
      }),
    );
  const range = '--product metrics-cloud --from 2026-09-21T10 --to 2026-09-21T11 --json';

  const equal = await run(`ledger compare ${rows(300)} ${range}`);
  const different = await run(`ledger compare ${rows(299)} ${range}`);

  expect([equal.exitCode, different.exitCode]).toEqual([0, 1]);
  expect(JSON.parse(different.stdout)).toMatchObject({ differences: [{ kind: 'different', here: 300, there: 299 }] });
});

describe('groups', () => {
  test('are listed with what AWS said and for how long, and released by their key', async () => {
    const { world, run } = await quarantined();
    await world.clock.set(Date.parse('2026-09-21T12:41:00Z'));

    const listed = await run('groups ls');
    const { groups } = JSON.parse((await run('groups ls --json')).stdout) as { groups: { key: string }[] };
    const [group] = groups;
    const released = await run(`groups release --group "${group?.key}" --why "it is listed now" --yes`);
    const after = await run('groups ls');

    expect(listed.stdout).toMatch(/InvalidUsageDimensionException\s+2026-09-21 11:11:00Z\s+1 h 30 min$/m);
    expect(groups.length).toBe(1);
    expect(released.exitCode).toBe(0);
    expect(after.stdout).toBe('No group is held.\n');
  });
});
