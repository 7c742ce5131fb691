// Sealed hours that wait to be sent, made by hand: for the benches that begin where a close ends.
import { BatchWriteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import pLimit from 'p-limit';
import { type HourStart, hourStartMs } from '../lambdas/domain/hour.ts';
import { shardOf } from '../lambdas/domain/keys.ts';
import type { SealedHour } from '../lambdas/domain/ledger.ts';
import { licenceKeyOf } from '../lambdas/domain/licence.ts';
import type { Product } from '../lambdas/domain/product.ts';
import { toItem } from '../lambdas/stores/dynamo.ts';
import { toSealedItem } from '../lambdas/stores/ledger-items.ts';

export interface Buyer {
  readonly licenceArn: string;
  readonly awsAccountId: string;
  /** Legacy products only. */
  readonly customerIdentifier?: string;
}

/** A record of one buyer's dimension in one hour that is to be sent. */
export function openRecord(product: Product, buyer: Buyer, dimension: string, hour: HourStart): SealedHour {
  const { productCode, identityStyle, meteringRegion } = product;
  const { licenceArn, awsAccountId: customerAwsAccountId, customerIdentifier = '' } = buyer;
  const licenceKey = licenceKeyOf(
    identityStyle === 'licence'
      ? { style: 'licence', licenceArn }
      : { style: 'legacy', productCode, customerIdentifier },
  );
  const named = identityStyle === 'licence' ? { licenceArn, customerAwsAccountId } : { customerIdentifier };
  return {
    kind: 'sealed',
    hour,
    shard: shardOf(licenceKey),
    licenceKey,
    dimension,
    customerId: `cus_${licenceKey.slice(2)}`,
    productCode,
    identityStyle,
    meteringRegion,
    record: { timestampSeconds: hourStartMs(hour) / 1_000, dimension, quantity: 7, ...named },
    accounted: 7,
    accountedByTagSet: { untagged: 7 },
    carriedOut: 0,
    heldLate: 0,
    heldReasons: [],
    seen: { recorded: 7, carriedIn: 0, count: 7, rowsHash: '0011223344556677' },
    status: 'open',
    deadlineAt: hourStartMs(hour) + 24 * 3_600_000,
    attempts: {},
    refusals: [],
    sealedAt: hourStartMs(hour) + 70 * 60_000,
  };
}

/** Puts sealed hours into the ledger as quickly as the database takes them. */
export async function putRecords(client: DynamoDBClient, table: string, records: readonly SealedHour[]): Promise<void> {
  await putItems(client, table, records.map(toSealedItem));
}

const ITEMS_PER_BATCH = 25;

/** Fills a table in batches: the quickest way of the API; nothing that is deployed writes so. */
export async function putItems(client: DynamoDBClient, table: string, items: readonly object[]): Promise<void> {
  const limit = pLimit(8);
  const batches = Array.from({ length: Math.ceil(items.length / ITEMS_PER_BATCH) }, (_, batch) =>
    items.slice(batch * ITEMS_PER_BATCH, (batch + 1) * ITEMS_PER_BATCH),
  );
  await Promise.all(
    batches.map((batch) =>
      limit(async () => {
        const puts = batch.map((item) => ({ PutRequest: { Item: toItem(item) } }));
        const { UnprocessedItems } = await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: puts } }));
        if (Object.keys(UnprocessedItems ?? {}).length > 0) throw new Error('The database left items of a batch out.');
      }),
    ),
  );
}
