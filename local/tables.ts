// Makes the tables of the stacks in the embedded database, from the one description of their shape.
import { CreateTableCommand, type DynamoDBClient, ResourceInUseException } from '@aws-sdk/client-dynamodb';
import { TABLES, type TableKind, type TableShape } from '../lambdas/stores/tables.ts';

export type TableNames = Readonly<Record<TableKind, string>>;

/** The names of all tables under one prefix. */
function tableNames(prefix = ''): TableNames {
  const kinds = Object.keys(TABLES) as TableKind[];
  return Object.fromEntries(kinds.map((kind) => [kind, `${prefix}${kind}`])) as Record<TableKind, string>;
}

/** Creates every table that is not there yet. */
export async function createTables(client: DynamoDBClient, prefix = ''): Promise<TableNames> {
  const names = tableNames(prefix);
  for (const [kind, shape] of Object.entries(TABLES) as [TableKind, TableShape][]) {
    try {
      await client.send(new CreateTableCommand(tableInput(names[kind], shape)));
    } catch (error) {
      if (!(error instanceof ResourceInUseException)) throw error;
    }
  }
  return names;
}

function tableInput(name: string, shape: TableShape): CreateTableCommand['input'] {
  const keys = [shape.key, ...shape.indexes].flatMap(({ partition, sort }) => (sort ? [partition, sort] : [partition]));
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [...new Set(keys)].map((key) => ({ AttributeName: key, AttributeType: 'S' })),
    KeySchema: keySchema(shape.key),
    ...(shape.indexes.length === 0
      ? {}
      : {
          GlobalSecondaryIndexes: shape.indexes.map((index) => ({
            IndexName: index.name,
            KeySchema: keySchema(index),
            Projection:
              index.carries.length === 0
                ? { ProjectionType: 'KEYS_ONLY' as const }
                : { ProjectionType: 'INCLUDE' as const, NonKeyAttributes: [...index.carries] },
          })),
        }),
  };
}

function keySchema({ partition, sort }: { partition: string; sort?: string }) {
  return [
    { AttributeName: partition, KeyType: 'HASH' as const },
    ...(sort ? [{ AttributeName: sort, KeyType: 'RANGE' as const }] : []),
  ];
}
