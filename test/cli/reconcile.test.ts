// fulfillment reconcile: a real ledger beside what the simulated AWS billed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { anEvent, type BackendWorld, startBackendWorld, useServices } from '../backend-world.ts';
import { cloudTrailOf, meterElsewhere } from '../operations/operator.ts';
import { commandsOn } from './deployment.ts';
import { aFile, aFolder } from './fulfillment.ts';

const services = useServices();

const HOURS = ['10', '11', '12'];

/** Three buyers who use two dimensions in three hours, all of which AWS has. */
async function aBilledWorld() {
  const world = await startBackendWorld(services());
  const buyers = [await world.subscribe(), await world.subscribe(), await world.subscribe()];
  for (const hour of HOURS) {
    await world.clock.set(Date.parse(`2026-09-21T${hour}:30:00Z`));
    await world.report(
      buyers.flatMap((buyer, index) => [
        anEvent(buyer, `2026-09-21T${hour}:10:00Z`, { quantity: 100 + index }),
        anEvent(buyer, `2026-09-21T${hour}:10:00Z`, { quantity: 7, dimension: 'gb_stored' }),
      ]),
    );
    await world.tick(`2026-09-21T${Number(hour) + 1}:11:00Z`);
  }
  const [first, second, third] = buyers;
  if (!first || !second || !third) throw new Error('Nobody subscribed.');
  return { world, first, second, third };
}

function reconcile(world: BackendWorld, ...args: readonly string[]) {
  return commandsOn(world)(['reconcile', ...args].join(' '));
}

// Closing hours of all shards for several buyers takes its time on a busy machine.
describe('fulfillment reconcile', { timeout: 240_000 }, () => {
  test('finds no difference between the ledger and a CloudTrail file of what AWS billed', async () => {
    const { world } = await aBilledWorld();

    const { exitCode, stdout, stderr } = await reconcile(
      world,
      '--cloudtrail',
      aFile('trail.json', await cloudTrailOf(world)),
    );

    expect(stderr).toBe('');
    expect(stdout).toBe(
      "2026-09-21T10 up to 2026-09-21T13: 18 agree, 0 differ. The ledger has 972 units at AWS, AWS's record 972 units; 0 units are on their way.\n",
    );
    expect(exitCode).toBe(0);
  });

  test('finds what another pipeline metered, what AWS’s log lacks, and what differs, and ends with 1', async () => {
    const { world, first, second, third } = await aBilledWorld();
    await meterElsewhere(world, {
      LicenseArn: first.licenceArn,
      CustomerAWSAccountId: first.awsAccountId,
      Dimension: 'requests',
      Timestamp: new Date('2026-09-21T13:00:00Z'),
      Quantity: 45,
    });
    const trail = JSON.parse(await cloudTrailOf(world)) as { Records: TrailEvent[] };
    const at = ({ licenceArn }: { licenceArn: string }) =>
      trail.Records.find(({ requestParameters: { usageRecords } }) =>
        usageRecords.some((usage) => usage.licenseArn === licenceArn && usage.dimension === 'requests'),
      );
    const [lacking, differing] = [at(second), at(third)];
    for (const { usageRecord } of differing?.responseElements.results ?? []) usageRecord.quantity = 90;
    const seeded = JSON.stringify({ Records: trail.Records.filter((event) => event !== lacking) });

    const { exitCode, stdout } = await reconcile(world, '--cloudtrail', aFile('trail.json', seeded), '--json');

    const answer = JSON.parse(stdout) as Answer;
    expect(exitCode).toBe(1);
    const told = answer.differences.map(({ kind, start, customer, ledger, aws }) => ({
      kind,
      start,
      customer,
      ledger,
      aws,
    }));
    expect(told).toContainEqual({
      kind: 'onlyThere',
      start: '2026-09-21T13',
      customer: first.customerId,
      ledger: 0,
      aws: 45,
    });
    expect(told).toContainEqual({
      kind: 'onlyHere',
      start: '2026-09-21T10',
      customer: second.customerId,
      ledger: 101,
      aws: 0,
    });
    expect(told).toContainEqual({
      kind: 'different',
      start: '2026-09-21T10',
      customer: third.customerId,
      ledger: 102,
      aws: 90,
    });
    expect(told).toHaveLength(3);
    expect(answer).toMatchObject({
      grain: 'hour',
      totals: { same: 16, different: 1, onlyHere: 1, onlyThere: 1 },
      unread: [],
    });
  });

  test('reads a folder as CloudTrail delivers it, and lists differences as CSV', async () => {
    const { world } = await aBilledWorld();
    const { Records } = JSON.parse(await cloudTrailOf(world)) as { Records: object[] };
    const folder = join(aFolder(), 'AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/21');
    mkdirSync(folder, { recursive: true });
    for (const [index, part] of [Records.slice(1, 8), Records.slice(8)].entries()) {
      writeFileSync(join(folder, `part-${index}.json.gz`), gzipSync(JSON.stringify({ Records: part })));
    }

    const { exitCode, stdout } = await reconcile(world, '--cloudtrail', join(folder, '../../../../..'), '--csv');

    const [header, ...lines] = stdout.trimEnd().split('\n');
    expect(header).toBe('kind,start,customer,dimension,ledger,aws,statuses,remark,advice');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^onlyHere,2026-09-21T10,cus_\S+,\w+,\d+,0,honoured \d+,,/);
    expect(exitCode).toBe(1);
  });

  test('compares days with a seller report, and says which of its rows can’t be read', async () => {
    const { world, first, second, third } = await aBilledWorld();
    const row = ({ awsAccountId }: { awsAccountId: string }, dimension: string, units: number | string) =>
      `2026-09-21,${awsAccountId},${PRODUCT_COLUMN},${dimension},${units}`;
    const rows = [
      'usage_date,end_user_aws_account_id,product_code,dimension_key,usage_quantity',
      ...[first, second, third].flatMap((buyer, index) => [
        row(buyer, 'requests', 3 * (100 + index)),
        row(buyer, 'gb_stored', 21),
      ]),
    ];

    const agreeing = await reconcile(world, '--seller-report', aFile('report.csv', `\u{feff}${rows.join('\r\n')}\r\n`));
    const seeded = [...rows.slice(0, -1), row(third, 'gb_stored', 20), row(third, 'requests', '0.5')];
    const differing = await reconcile(world, '--seller-report', aFile('report.csv', seeded.join('\n')));

    expect(agreeing.stdout).toContain('6 agree, 0 differ');
    expect(agreeing.exitCode).toBe(0);
    expect(differing.stdout).toContain('5 agree, 1 differ');
    expect(differing.stdout).toMatch(/2026-09-21\s+cus_\S+\s+gb_stored\s+different\s+21\s+20\s+honoured 21/);
    expect(differing.stderr).toContain("the amount '0.5' is not a whole number of units");
    expect(differing.exitCode).toBe(1);
  });

  test.each([
    [
      ['--seller-report', aPath('revenue.csv', 'Invoice ID,Amount billed\n1,2\n')],
      /no column for: date, dimension, quantity, buyer.*end_user_aws_account_id/s,
    ],
    [['--cloudtrail', aPath('trail.json', '{"Records":[')], /trail\.json.*Line 1 is not JSON/],
    [['--cloudtrail', '/nowhere/trail.json'], /can't be opened \(ENOENT\)/],
    [['--api'], /A laptop has no CloudTrail/],
    [[], /exactly one way/],
  ])('says what is wrong with %j, and ends with 2', async (args, message) => {
    const world = await startBackendWorld(services());

    const { exitCode, stderr } = await reconcile(world, ...args.map((arg) => (typeof arg === 'string' ? arg : arg())));

    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
  });
});

const PRODUCT_COLUMN = 'metrics-cloud';

interface Usage {
  licenseArn: string;
  dimension: string;
  quantity: number;
}

interface TrailEvent {
  readonly requestParameters: { readonly usageRecords: readonly Usage[] };
  readonly responseElements: { readonly results: readonly { readonly usageRecord: Usage }[] };
}

interface Answer {
  readonly differences: readonly { kind: string; start: string; customer: string; ledger: number; aws: number }[];
}

/** Written when the test runs, since it goes with it. */
function aPath(name: string, text: string): () => string {
  return () => aFile(name, text);
}
