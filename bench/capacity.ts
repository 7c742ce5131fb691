// Read and write units as the database counts them, by table, indexes included.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

export interface Units {
  readonly reads: number;
  /** Of the table and its indexes. */
  readonly writes: number;
  /** Those of the indexes alone. */
  readonly indexWrites: number;
}

const NONE: Units = { reads: 0, writes: 0, indexWrites: 0 };

interface Consumed {
  readonly TableName?: string;
  readonly CapacityUnits?: number;
  readonly GlobalSecondaryIndexes?: Readonly<Record<string, { readonly CapacityUnits?: number }>>;
}

/** Asks the database with every call what it cost, and adds it up. */
export class CapacityCounter {
  #byTable = new Map<string, Units>();

  constructor(client: DynamoDBClient) {
    client.middlewareStack.add(
      (next, context) => async (args) => {
        const answer = await next({ ...args, input: { ...args.input, ReturnConsumedCapacity: 'INDEXES' } });
        const isRead = /^(Query|GetItem|BatchGetItem)Command$/.test(context.commandName ?? '');
        const { ConsumedCapacity: consumed = [] } = answer.output as { ConsumedCapacity?: Consumed | Consumed[] };
        for (const each of [consumed].flat()) this.#add(each, isRead);
        return answer;
      },
      { step: 'initialize' },
    );
  }

  /** What a task consumes of each table. */
  async of(task: () => Promise<unknown>): Promise<(table: string) => Units> {
    const byTable = new Map<string, Units>();
    this.#byTable = byTable;
    await task();
    return (table) => byTable.get(table) ?? NONE;
  }

  #add({ TableName = '', CapacityUnits = 0, GlobalSecondaryIndexes: indexes = {} }: Consumed, isRead: boolean): void {
    const before = this.#byTable.get(TableName) ?? NONE;
    const ofIndexes = Object.values(indexes).reduce((sum, index) => sum + (index.CapacityUnits ?? 0), 0);
    const after = isRead
      ? { ...before, reads: before.reads + CapacityUnits }
      : { ...before, writes: before.writes + CapacityUnits, indexWrites: before.indexWrites + ofIndexes };
    this.#byTable.set(TableName, after);
  }
}
