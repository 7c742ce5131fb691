// An operator at a backend world: what the verbs need, and AWS's own log of what it took.
import {
  BatchMeterUsageCommand,
  MarketplaceMeteringClient,
  type UsageRecord,
} from '@aws-sdk/client-marketplace-metering';
import { newActionId } from '../../lambdas/domain/amendment.ts';
import type { Product } from '../../lambdas/domain/product.ts';
import { STATE_SHARDS } from '../../lambdas/stores/ledger-items.ts';
import type { BackendWorld } from '../backend-world.ts';
import { aPolicy, aProduct } from '../builders.ts';

let acts = 0;

export function operatorOf(world: BackendWorld, product: Partial<Product> = {}) {
  const clock = world.clock.now;
  return {
    ledger: world.ledger,
    customers: world.customers,
    work: world.work,
    usage: world.usage,
    clock,
    products: new Map([['metrics-cloud', aProduct(product)]]),
    policy: aPolicy({ lingerMs: 0 }),
    stateShards: STATE_SHARDS,
    act: (why: string) => ({ actionId: newActionId(clock(), `t${++acts}`), who: 'kim@example.com', why }),
  };
}

/** Another pipeline of the seller meters a record. */
export async function meterElsewhere(world: BackendWorld, record: UsageRecord, productCode?: string): Promise<void> {
  const client = new MarketplaceMeteringClient({
    region: 'us-east-1',
    endpoint: world.simulator.url,
    credentials: { accessKeyId: 'AKIDELSEWHERE', secretAccessKey: 'not-a-secret' },
  });
  const named = productCode === undefined ? {} : { ProductCode: productCode };
  await client.send(new BatchMeterUsageCommand({ ...named, UsageRecords: [record] }));
  client.destroy();
}

/** A CloudTrail file of what the simulated AWS billed, as CloudTrail writes times and names. */
export async function cloudTrailOf(world: BackendWorld): Promise<string> {
  const events = (await world.bill()).map((line) => {
    const usageRecord = {
      dimension: line.dimension,
      timestamp: javaTime(line.timestamp),
      licenseArn: line.licenceArn,
      customerAWSAccountID: line.awsAccountId,
      quantity: line.quantity,
    };
    return {
      eventTime: new Date(world.clock.now()).toISOString(),
      eventSource: 'metering-marketplace.amazonaws.com',
      eventName: 'BatchMeterUsage',
      awsRegion: line.region,
      requestParameters: { usageRecords: [usageRecord] },
      responseElements: {
        results: [{ usageRecord, meteringRecordId: line.meteringRecordId, status: 'Success' }],
        unprocessedRecords: [],
      },
    };
  });
  return JSON.stringify({ Records: events });
}

function javaTime(iso: string): string {
  return new Intl.DateTimeFormat('en-US', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' }).format(
    new Date(iso),
  );
}
