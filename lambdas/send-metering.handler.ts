// Every minute: sends sealed hours to AWS Marketplace and writes down what it said.
import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import { parseMarketplaceAccess } from './contracts/marketplace-access.ts';
import { parseMeteringPolicy } from './contracts/product-settings.ts';
import { sendMetering } from './flow/send-metering.ts';
import { MarketplaceMetering } from './marketplace/metering.ts';
import { marketplaceSettings } from './marketplace/publishing-account.ts';
import { clientSettings } from './runtime/aws-client.ts';
import { built, type Surroundings } from './runtime/handler.ts';
import { measuredRun, unmeasured } from './runtime/metric.ts';
import { TokenBucket } from './runtime/pace.ts';
import { scheduleHandler } from './runtime/schedule.ts';
import { readSettings } from './runtime/settings.ts';
import { dynamoClient } from './stores/dynamo.ts';
import { STATE_SHARDS } from './stores/ledger-items.ts';
import { DynamoLedgerStore } from './stores/ledger-store.ts';
import { DynamoSendingLog } from './stores/sending-log.ts';
import { DynamoWorkStore } from './stores/work-store.ts';

/** For each call a second: at half a second a call, half of one is under way; the rest is room for slow answers. */
const CALLS_AT_ONCE = 1.6;
const WRITES_AT_ONCE = 48;

/** Built by Lambda with the usual patience for a call, or with another one. */
export function createSendMeteringHandler(
  { environment, clock, log, measure = unmeasured }: Surroundings,
  callTimeoutMs?: number,
) {
  const settings = readSettings('send-metering', environment);
  const client = dynamoClient(clientSettings(environment, 'DYNAMODB'));
  const { lingerMs, callsPerSecond } = parseMeteringPolicy(settings.METERING_POLICY);
  const ports = {
    ledger: new DynamoLedgerStore(client, settings.LEDGER_TABLE),
    work: new DynamoWorkStore(client, settings.WORK_TABLE),
    metering: new MarketplaceMetering(
      marketplaceSettings(environment, 'MARKETPLACE_METERING', parseMarketplaceAccess(settings.MARKETPLACE_ACCESS)),
      callTimeoutMs,
    ),
    pace: new TokenBucket({ callsPerSecond }),
    clock,
    newId: randomUUID,
    limitCalls: pLimit(Math.ceil(CALLS_AT_ONCE * callsPerSecond)),
    limitWrites: pLimit(WRITES_AT_ONCE),
    log,
    lingerMs,
    stateShards: STATE_SHARDS,
    sendings: new DynamoSendingLog(client, settings.WORK_TABLE),
  };
  return scheduleHandler(log, 'MeteringSent', async (hasTime) => {
    const result = await measuredRun(
      () => sendMetering(ports, hasTime),
      (count) =>
        measure('send-metering', {
          RecordsSent: count('records'),
          RecordsHonoured: count('honoured'),
          CallsMade: count('calls'),
          CallsThrottled: count('throttled'),
        }),
    );
    return { ...result };
  });
}

export const handler = built(createSendMeteringHandler);
