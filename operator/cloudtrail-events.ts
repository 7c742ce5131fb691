// AWS's log of BatchMeterUsage calls, looked up in CloudTrail's event history: 90 days, about a quarter of an hour late.
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { parseCloudTrail } from '../lambdas/contracts/cloudtrail.ts';
import { SECOND_MS } from '../lambdas/domain/hour.ts';
import type { CallTrail } from '../lambdas/domain/operations/submitted-usage.ts';
import { type Aws, configOf } from './aws.ts';

/** AWS: two look-ups a second for an account and region. */
const BETWEEN_LOOK_UPS_MS = SECOND_MS / 2;

/** AWS gives no more at a time. */
const EVENTS_A_PAGE = 50;

interface LookUp {
  readonly fromMs: number;
  readonly toMs: number;
  /** The product of calls whose product code the log leaves out. */
  readonly productCode?: string;
  readonly pause: (ms: number) => Promise<unknown>;
}

/** The calls of one region in a span of time, a page at a time, no faster than AWS lets. Throws what AWS refuses with. */
export async function* lookUpCalls(aws: Aws, { fromMs, toMs, productCode, pause }: LookUp): AsyncGenerator<CallTrail> {
  const client = new CloudTrailClient({ ...configOf(aws), maxAttempts: 5 });
  try {
    let next: string | undefined;
    do {
      const { Events = [], NextToken } = await client.send(
        new LookupEventsCommand({
          LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'BatchMeterUsage' }],
          StartTime: new Date(fromMs),
          EndTime: new Date(toMs),
          MaxResults: EVENTS_A_PAGE,
          ...(next === undefined ? {} : { NextToken: next }),
        }),
      );
      yield parseCloudTrail(JSON.stringify({ Events }), productCode === undefined ? {} : { productCode });
      next = NextToken;
      if (next !== undefined) await pause(BETWEEN_LOOK_UPS_MS);
    } while (next !== undefined);
  } finally {
    client.destroy();
  }
}
