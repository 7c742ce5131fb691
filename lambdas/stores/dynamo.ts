// The few ways in which we speak to DynamoDB. Every store goes through here.
import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DeleteItemCommandInput,
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
  type GetItemCommandInput,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  type QueryCommandInput,
  TransactionCanceledException,
  TransactionConflictException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { convertToNative, marshall } from '@aws-sdk/util-dynamodb';
import { Unavailable } from '../domain/failure.ts';
import { LAYOUT_STEPS, type LayoutStep, upgraded } from './layout.ts';

/** An item as plain values. */
export type Item = Record<string, unknown>;

interface DatabaseClientSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials?: NonNullable<DynamoDBClientConfig['credentials']>;
  /** How items of older layouts are read; today's steps where absent. */
  readonly steps?: readonly LayoutStep[];
}

/** A client whose own retries cover throttling and short faults; conditions make each write safe to repeat. */
export function dynamoClient({ steps = LAYOUT_STEPS, ...settings }: DatabaseClientSettings): DynamoDBClient {
  const client = new DynamoDBClient({ ...settings, maxAttempts: 5 });
  // It copies every item of every answer for a log that nobody keeps: a tenth of the processor's time of a close.
  client.middlewareStack.remove('loggerMiddleware');
  if (steps.length > 0) upgradeOnRead(client, steps);
  return client;
}

/** What a read of this client may answer with. */
interface ReadAnswer {
  Item?: StoredItem | undefined;
  Attributes?: StoredItem | undefined;
  Items?: StoredItem[] | undefined;
  Responses?: Record<string, StoredItem[]> | undefined;
}

type StoredItem = Record<string, AttributeValue>;

/** Every read of every store gives items as today's layout has them, and none of them knows. */
function upgradeOnRead(client: DynamoDBClient, steps: readonly LayoutStep[]): void {
  const upgrade = (item: StoredItem) =>
    Number(item['v']?.N ?? 1) > steps.length ? item : toItem(upgraded(fromItem(item), steps));
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args).catch((error: unknown) => {
        const stands = error instanceof ConditionalCheckFailedException ? error : undefined;
        if (stands?.Item) stands.Item = upgrade(stands.Item);
        throw error;
      });
      // An index holds a few members of its items, and transactions are not read by.
      const isWhole = !('IndexName' in args.input) && !context.commandName?.startsWith('Transact');
      const answer: ReadAnswer = isWhole ? { ...(result.output as ReadAnswer) } : {};
      if (answer.Item) answer.Item = upgrade(answer.Item);
      if (answer.Attributes) answer.Attributes = upgrade(answer.Attributes);
      if (answer.Items) answer.Items = answer.Items.map(upgrade);
      if (answer.Responses) {
        const tables = Object.entries(answer.Responses);
        answer.Responses = Object.fromEntries(tables.map(([table, items]) => [table, items.map(upgrade)]));
      }
      Object.assign(result.output, answer);
      return result;
    },
    { step: 'initialize', name: 'upgradeOnRead' },
  );
}

export function toItem(value: object): Record<string, AttributeValue> {
  return marshall(value, { removeUndefinedValues: true });
}

/** Does what `unmarshall` does, at a third of its time for the few types that rows by the million are made of. */
export function fromItem(item: Record<string, AttributeValue>): Item {
  const plain: Item = {};
  for (const [name, value] of Object.entries(item)) plain[name] = fromValue(value);
  return plain;
}

function fromValue(value: AttributeValue): unknown {
  if (value.S !== undefined) return value.S;
  // Sellers write rows themselves: a number that no double holds exactly must come back as one, not throw.
  if (value.N !== undefined) return Number(value.N);
  if (value.M !== undefined) return fromItem(value.M);
  if (value.L !== undefined) return value.L.map(fromValue);
  return convertToNative(value, { wrapNumbers: Number });
}

/** Reads one item, consistently unless told otherwise. */
export async function getItem(client: DynamoDBClient, input: GetItemCommandInput): Promise<Item | undefined> {
  const { Item: item } = await client.send(new GetItemCommand({ ConsistentRead: true, ...input }));
  return item && fromItem(item);
}

/** Puts an item; `'refused'` and the item that stood in the way where the condition fails. */
export async function putItem(
  client: DynamoDBClient,
  input: PutItemCommandInput,
): Promise<{ kind: 'written' } | { kind: 'refused'; existing: Item | undefined }> {
  try {
    await unlessConflicting(() =>
      client.send(new PutItemCommand({ ReturnValuesOnConditionCheckFailure: 'ALL_OLD', ...input })),
    );
    return { kind: 'written' };
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) {
      return { kind: 'refused', existing: error.Item && fromItem(error.Item) };
    }
    throw error;
  }
}

/** Updates an item; false where the condition fails. */
export async function updateItem(client: DynamoDBClient, input: UpdateItemCommandInput): Promise<boolean> {
  try {
    await unlessConflicting(() => client.send(new UpdateItemCommand(input)));
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

/** Deletes an item; false where the condition fails. */
export async function deleteItem(client: DynamoDBClient, input: DeleteItemCommandInput): Promise<boolean> {
  try {
    await unlessConflicting(() => client.send(new DeleteItemCommand(input)));
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

/**
 * How many items a page of a query holds at most. DynamoDB's own bound, 1 MB, is some 4,000 usage rows: 16 partitions
 * side by side would fill a small function's memory with them, and each would keep every other task waiting while it
 * is read.
 */
const ITEMS_PER_PAGE = 1_000;

/** Every item of a query, page by page, so that memory holds one page however many there are. */
export async function* queryPages(client: DynamoDBClient, input: QueryCommandInput): AsyncGenerator<Item[]> {
  let start: QueryCommandInput['ExclusiveStartKey'];
  do {
    const page = await client.send(new QueryCommand({ Limit: ITEMS_PER_PAGE, ...input, ExclusiveStartKey: start }));
    if (page.Items?.length) yield page.Items.map(fromItem);
    start = page.LastEvaluatedKey;
  } while (start);
}

/** Every item of a query that is known to be short. */
export async function queryAll(client: DynamoDBClient, input: QueryCommandInput): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of queryPages(client, input)) items.push(...page);
  return items;
}

/** DynamoDB takes 100 keys a BatchGetItem. */
const KEYS_PER_BATCH = 100;
const BATCH_ROUNDS = 8;

/** Reads many items consistently, in no order; absent ones are left out, unprocessed ones are asked for again. */
export async function getItems(client: DynamoDBClient, table: string, keys: readonly Item[]): Promise<Item[]> {
  const items: Item[] = [];
  for (let from = 0; from < keys.length; from += KEYS_PER_BATCH) {
    let wanted = keys.slice(from, from + KEYS_PER_BATCH).map(toItem);
    for (let round = 0; wanted.length > 0; round++) {
      if (round === BATCH_ROUNDS) throw new Unavailable('DatabaseBusy', 'DynamoDB kept leaving keys unread.');
      if (round > 0) await pause(2 ** round * 10);
      const answer = await client.send(
        new BatchGetItemCommand({ RequestItems: { [table]: { Keys: wanted, ConsistentRead: true } } }),
      );
      items.push(...(answer.Responses?.[table] ?? []).map(fromItem));
      wanted = answer.UnprocessedKeys?.[table]?.Keys ?? [];
    }
  }
  return items;
}

const CONFLICT_ROUNDS = 6;

/** A write that met a transaction on its item says nothing about its condition; the SDK does not try it again. */
async function unlessConflicting(write: () => Promise<unknown>): Promise<void> {
  for (let round = 1; ; round++) {
    try {
      await write();
      return;
    } catch (error) {
      if (!(error instanceof TransactionConflictException) || round === CONFLICT_ROUNDS) throw error;
      await pause(2 ** round * 10);
    }
  }
}

/**
 * Writes all or nothing. `'refused'` names the conditions that failed, by position. Conflicts with another
 * transaction on the same items say nothing about the conditions, so they are tried again.
 */
export async function transact(
  client: DynamoDBClient,
  items: readonly TransactWriteItem[],
): Promise<{ kind: 'written' } | { kind: 'refused'; failed: number[] }> {
  for (let round = 1; ; round++) {
    try {
      await client.send(new TransactWriteItemsCommand({ TransactItems: [...items] }));
      return { kind: 'written' };
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const codes = (error.CancellationReasons ?? []).map((reason) => reason.Code ?? 'None');
      const failed = codes.flatMap((code, index) => (code === 'ConditionalCheckFailed' ? [index] : []));
      if (failed.length > 0) return { kind: 'refused', failed };
      const mayPass = codes.every((code) => TRANSIENT_REASONS.has(code));
      if (!mayPass || round === CONFLICT_ROUNDS) throw error;
      await pause(2 ** round * 10);
    }
  }
}

const TRANSIENT_REASONS = new Set(['None', 'TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);

function pause(ms: number): Promise<void> {
  // Jitter keeps two workers that met once from meeting again.
  return new Promise((resolve) => setTimeout(resolve, ms * (0.5 + Math.random() / 2)));
}
