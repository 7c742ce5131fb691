// A person moves the clock by months, and nearly all of the hours in between are empty: not each is worth 64 looks.
import { type DynamoDBClient, ScanCommand, type ScanCommandInput } from '@aws-sdk/client-dynamodb';
import pLimit from 'p-limit';
import { hourOf, hoursBetween } from '../lambdas/domain/hour.ts';
import { KEY_SEPARATOR } from '../lambdas/domain/keys.ts';
import { firstUnclosedHour, lastLookMs, type MeteringPolicy } from '../lambdas/domain/metering-policy.ts';
import { DynamoWorkStore } from '../lambdas/stores/work-store.ts';
import type { TableNames } from './tables.ts';

interface World {
  readonly client: DynamoDBClient;
  readonly tables: TableNames;
  readonly clock: { now(): number };
}

/** Fewer hours are looked at about as fast as the tables are read for what stands in them. */
const WORTH_IT_HOURS = 48;
const NOTES_AT_ONCE = 16;

/**
 * Notes the hours that are past their last look as looked at where neither usage nor ledger holds anything of them: a
 * look would find as little. Only for a laptop, since it reads the keys of both tables. Gives back how many it noted.
 */
export async function passEmptyHours({ client, tables, clock }: World, policy: MeteringPolicy): Promise<number> {
  const work = new DynamoWorkStore(client, tables.work);
  const from = (await work.watermark()) ?? firstUnclosedHour(clock.now());
  const hours = hoursBetween(from, hourOf(clock.now() - lastLookMs(policy)));
  if (hours.length < WORTH_IT_HOURS) return 0;
  const inUse = new Set<string>();
  for (const table of [tables.ledger, tables.usage]) await addHoursOf(client, table, inUse);
  const empty = hours.filter((hour) => !inUse.has(hour));
  const looksDone = 1 + policy.laterLooksMs.length;
  const limit = pLimit(NOTES_AT_ONCE);
  await Promise.all(empty.map((hour) => limit(() => work.noteLooks({ hour, looksDone }))));
  return empty.length;
}

/** The hours of a table whose partitions are `<hour>#<shard>`. */
async function addHoursOf(client: DynamoDBClient, table: string, hours: Set<string>): Promise<void> {
  let start: ScanCommandInput['ExclusiveStartKey'];
  do {
    const page = await client.send(
      new ScanCommand({ TableName: table, ConsistentRead: true, ProjectionExpression: 'pk', ExclusiveStartKey: start }),
    );
    for (const { pk } of page.Items ?? []) hours.add(pk?.S?.split(KEY_SEPARATOR)[0] ?? '');
    start = page.LastEvaluatedKey;
  } while (start);
}
