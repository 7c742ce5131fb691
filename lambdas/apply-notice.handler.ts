// The queue of AWS's notices: keeps each and brings its customer's standing up to date.
import { parseNotice } from './contracts/marketplace-notice.ts';
import { parseProducts } from './contracts/product-settings.ts';
import { applyNotice } from './flow/apply-notice.ts';
import { clientSettings } from './runtime/aws-client.ts';
import { built, type Surroundings } from './runtime/handler.ts';
import { queueHandler } from './runtime/queue.ts';
import { readSettings } from './runtime/settings.ts';
import { DynamoCustomerStore } from './stores/customer-store.ts';
import { dynamoClient } from './stores/dynamo.ts';
import { DynamoNoticeStore } from './stores/notice-store.ts';
import { DynamoWorkStore } from './stores/work-store.ts';

export function createApplyNoticeHandler({ environment, clock, log }: Surroundings) {
  const settings = readSettings('apply-notice', environment);
  const client = dynamoClient(clientSettings(environment, 'DYNAMODB'));
  const { NOTICES_TABLE: notices, CUSTOMERS_TABLE: customers } = settings;
  const ports = {
    notices: new DynamoNoticeStore(client, { notices, customers }),
    customers: new DynamoCustomerStore(client, customers),
    work: new DynamoWorkStore(client, settings.WORK_TABLE),
    products: parseProducts(settings.PRODUCTS),
  };

  return queueHandler(log, 'NoticeApplied', async ({ body, sentAtMs }) => {
    const reading = parseNotice(body, { sentAtMs });
    if (reading.kind === 'refused')
      return { kind: 'refused', facts: { refused: reading.code, reason: reading.reason } };
    const { notice, received } = reading;
    const { kind: outcome, ...facts } = await applyNotice(ports, notice, received, clock());
    return { kind: 'done', facts: { noticeId: notice.noticeId, kind: notice.kind, outcome, ...facts } };
  });
}

export const handler = built(createApplyNoticeHandler);
