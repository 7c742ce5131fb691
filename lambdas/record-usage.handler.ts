// POST /usage: the seller's product reports what was used.
import type { APIGatewayProxyEvent } from 'aws-lambda';
import pLimit from 'p-limit';
import { parseMeteringPolicy, parseProducts } from './contracts/product-settings.ts';
import { MAX_REPORT_BYTES, parseUsageReport } from './contracts/usage-report.ts';
import { recordUsage } from './flow/record-usage.ts';
import { clientSettings } from './runtime/aws-client.ts';
import { built, type Surroundings } from './runtime/handler.ts';
import { httpHandler, JSON_HEADERS, jsonFault } from './runtime/http.ts';
import { unmeasured } from './runtime/metric.ts';
import { readSettings } from './runtime/settings.ts';
import { DynamoCustomerStore } from './stores/customer-store.ts';
import { dynamoClient } from './stores/dynamo.ts';
import { DynamoRejectStore } from './stores/reject-store.ts';
import { DynamoUsageStore } from './stores/usage-store.ts';
import { DynamoWorkStore } from './stores/work-store.ts';

const WRITES_AT_ONCE = 32;

export function createRecordUsageHandler({ environment, clock, log, measure = unmeasured }: Surroundings) {
  const settings = readSettings('record-usage', environment);
  const client = dynamoClient(clientSettings(environment, 'DYNAMODB'));
  const ports = {
    customers: new DynamoCustomerStore(client, settings.CUSTOMERS_TABLE),
    usage: new DynamoUsageStore(client, settings.USAGE_TABLE),
    work: new DynamoWorkStore(client, settings.WORK_TABLE),
    rejects: new DynamoRejectStore(client, settings.REJECTS_TABLE),
    clock,
    limit: pLimit(WRITES_AT_ONCE),
    products: parseProducts(settings.PRODUCTS),
    policy: parseMeteringPolicy(settings.METERING_POLICY),
  };
  return httpHandler({ log, clock, headers: JSON_HEADERS, fault: jsonFault }, async (request) => {
    const outcomes = await recordUsage(ports, parseUsageReport(request.text(MAX_REPORT_BYTES)));
    const counts = { recorded: 0, already: 0, conflict: 0, refused: 0 };
    for (const { outcome } of outcomes) counts[outcome] += 1;
    const codes = new Set(outcomes.flatMap((each) => (each.outcome === 'refused' ? [each.code] : [])));
    measure('record-usage', { EventsRecorded: counts.recorded, EventsRefused: counts.refused + counts.conflict });
    return {
      status: 200,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ counts, outcomes }),
      outcome: 'UsageReported',
      facts: codes.size === 0 ? counts : { ...counts, refusals: [...codes].join(', ') },
    };
  });
}

export const handler = built<APIGatewayProxyEvent, unknown>(createRecordUsageHandler);
