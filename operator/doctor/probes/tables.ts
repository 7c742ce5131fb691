// The tables as DynamoDB describes them.
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  type KeySchemaElement,
} from '@aws-sdk/client-dynamodb';
import { TABLES, type TableKind } from '../../../lambdas/stores/tables.ts';
import { type Aws, configOf } from '../../aws.ts';
import type { Facts, TableFacts } from '../facts.ts';
import { ABSENT, type Probed, probe, type Unseen } from '../probed.ts';

type Seen = Pick<Facts, 'tables' | 'recovery' | 'expiry'>;
type Named = readonly (readonly [TableKind, string])[];

/** Describes tables by name; `missing` is said of those that have none. A laptop's engine has no backups and drops nothing: there only the shape is looked at. */
export async function probeTables(
  aws: Aws,
  names: Partial<Record<TableKind, string>>,
  { isLaptop, missing = ABSENT }: { readonly isLaptop: boolean; readonly missing?: Unseen },
): Promise<Seen> {
  const client = new DynamoDBClient(configOf(aws));
  const all = Object.keys(TABLES) as TableKind[];
  const named: Named = all.flatMap((kind) => {
    const name = names[kind];
    return name === undefined ? [] : [[kind, name] as const];
  });
  const nameless = all.filter((kind) => names[kind] === undefined);
  try {
    const tables = await Promise.all(
      named.map(async ([kind, name]) => ({ kind, name, probed: await describe(client, name, isLaptop) })),
    );
    const unseen = nameless.map((kind) => ({ kind, name: kind, probed: missing }));
    const kept = isLaptop ? { recovery: [], expiry: [] } : await keeping(client, named);
    return { tables: [...tables, ...unseen], ...kept };
  } finally {
    client.destroy();
  }
}

function describe(client: DynamoDBClient, name: string, isLaptop: boolean): Promise<Probed<TableFacts>> {
  return probe('dynamodb:DescribeTable', async () => {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
    return {
      status: Table?.TableStatus ?? 'unknown',
      key: keysOf(Table?.KeySchema),
      indexes: (Table?.GlobalSecondaryIndexes ?? []).map(({ IndexName = '', IndexStatus = '', KeySchema }) => ({
        name: IndexName,
        status: IndexStatus,
        ...keysOf(KeySchema),
      })),
      isProtected: isLaptop || Table?.DeletionProtectionEnabled === true,
    };
  });
}

async function keeping(client: DynamoDBClient, named: Named): Promise<Pick<Seen, 'recovery' | 'expiry'>> {
  const recovery = Promise.all(
    named.map(async ([, name]) => ({
      name,
      probed: await probe('dynamodb:DescribeContinuousBackups', async () => {
        const answer = await client.send(new DescribeContinuousBackupsCommand({ TableName: name }));
        const { PointInTimeRecoveryDescription } = answer.ContinuousBackupsDescription ?? {};
        return PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === 'ENABLED';
      }),
    })),
  );
  const expiry = Promise.all(
    named.map(async ([kind, name]) => ({
      kind,
      name,
      probed: await probe('dynamodb:DescribeTimeToLive', async () => {
        const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName: name }));
        const { TimeToLiveStatus, AttributeName } = TimeToLiveDescription ?? {};
        return TimeToLiveStatus === 'ENABLED' || TimeToLiveStatus === 'ENABLING' ? AttributeName : undefined;
      }),
    })),
  );
  return { recovery: await recovery, expiry: await expiry };
}

function keysOf(schema: readonly KeySchemaElement[] = []) {
  const nameOf = (type: string) => schema.find(({ KeyType }) => KeyType === type)?.AttributeName;
  const sort = nameOf('RANGE');
  return { partition: nameOf('HASH') ?? '', ...(sort === undefined ? {} : { sort }) };
}
