// The queue of AWS's notices: keeps each, brings its customer's standing up to date, and has the product told.
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { toBusEntry } from './contracts/access-event.ts';
import { parseMarketplaceAccess } from './contracts/marketplace-access.ts';
import { parseNotice } from './contracts/marketplace-notice.ts';
import { parseProducts } from './contracts/product-settings.ts';
import { parseLegacyTopics, readConfirmation } from './contracts/topic-confirmation.ts';
import type { AccessEvent } from './domain/access-event.ts';
import type { SafeFacts } from './domain/failure.ts';
import { mayChangeEntitlements } from './domain/standing.ts';
import { type Applied, applyNotice } from './flow/apply-notice.ts';
import { confirmTopic, type TopicConfirmed } from './flow/confirm-topic.ts';
import { refreshCustomer } from './flow/refresh-entitlements.ts';
import { tellCustomers } from './flow/tell-product.ts';
import { ENTITLEMENT_CALLS_PER_SECOND, MarketplaceEntitlements } from './marketplace/entitlements.ts';
import { marketplaceSettings } from './marketplace/publishing-account.ts';
import { SnsTopicSubscriptions } from './marketplace/topic-subscriptions.ts';
import { clientSettings } from './runtime/aws-client.ts';
import { built, type LambdaContext, type Surroundings } from './runtime/handler.ts';
import { safeFactsOf } from './runtime/log.ts';
import { TokenBucket } from './runtime/pace.ts';
import { type Handled, queueHandler } from './runtime/queue.ts';
import { readSettings } from './runtime/settings.ts';
import { DynamoCustomerStore } from './stores/customer-store.ts';
import { dynamoClient } from './stores/dynamo.ts';
import { entitlementNews } from './stores/entitlement-news.ts';
import { DynamoEntitlementStore } from './stores/entitlement-store.ts';
import { EventBridgeBus, eventBridgeClient } from './stores/event-bus.ts';
import { DynamoNoticeStore } from './stores/notice-store.ts';
import { DynamoOutboxStore } from './stores/outbox-store.ts';
import { DynamoWorkStore } from './stores/work-store.ts';

/** What is left of Lambda's time when nothing more is told: a call of the bus takes up to ten seconds. */
const TIME_TO_TELL_MS = 15_000;

/** And when AWS is asked nothing more: five seconds for an answer, and telling comes after it. */
const TIME_TO_ASK_MS = TIME_TO_TELL_MS + 10_000;

/** Events by which a product reads the entitlements. */
const HAVE_READ: ReadonlySet<AccessEvent['type']> = new Set(['accessGranted', 'entitlementsChanged']);

export function createApplyNoticeHandler({ environment, clock, log }: Surroundings) {
  const settings = readSettings('apply-notice', environment);
  const client = dynamoClient(clientSettings(environment, 'DYNAMODB'));
  const { NOTICES_TABLE: notices, CUSTOMERS_TABLE: customers, WORK_TABLE: work } = settings;
  const ports = {
    notices: new DynamoNoticeStore(client, { notices, customers }),
    customers: new DynamoCustomerStore(client, customers),
    work: new DynamoWorkStore(client, work),
    marketplace: new MarketplaceEntitlements(
      marketplaceSettings(
        environment,
        'MARKETPLACE_ENTITLEMENT_SERVICE',
        parseMarketplaceAccess(settings.MARKETPLACE_ACCESS),
      ),
      new TokenBucket({ callsPerSecond: ENTITLEMENT_CALLS_PER_SECOND }),
    ),
    outbox: new DynamoOutboxStore(client, { notices, customers, work }),
    bus: new EventBridgeBus({
      client: eventBridgeClient(clientSettings(environment, 'EVENTBRIDGE')),
      bus: settings.EVENT_BUS,
      toEntry: toBusEntry,
    }),
    products: parseProducts(settings.PRODUCTS),
    subscriptions: new SnsTopicSubscriptions(clientSettings(environment, 'SNS').endpoint),
    legacyTopics: parseLegacyTopics(settings.LEGACY_TOPICS),
    clock,
    log,
  };
  const untold = new DynamoEntitlementStore(client, customers, entitlementNews(client, { customers, notices }));
  const told = new DynamoEntitlementStore(client, customers);
  /** What follows on a batch, by customer. Lost with the function, it is done by the schedules. */
  const [changed, toRefresh, toldToRead] = [new Set<string>(), new Set<string>(), new Set<string>()];

  const apply = queueHandler(log, 'NoticeApplied', async ({ body, sentAtMs }) => {
    const request = readConfirmation(body);
    if (request) return confirmationHandled(await confirmTopic(ports, request), request.topicArn);
    const reading = parseNotice(body, { sentAtMs });
    if (reading.kind === 'refused')
      return { kind: 'refused', facts: { refused: reading.code, reason: reading.reason } };
    const { notice, received } = reading;
    const applied = await applyNotice(ports, notice, received, clock());
    if (applied.kind === 'applied') {
      changed.add(applied.customerId);
      if (mayChangeEntitlements(notice)) toRefresh.add(applied.customerId);
      if (applied.events.some((type) => HAVE_READ.has(type))) toldToRead.add(applied.customerId);
    }
    return { kind: 'done', facts: { noticeId: notice.noticeId, kind: notice.kind, ...factsOf(applied) } };
  });

  const follow = async (context: LambdaContext): Promise<void> => {
    const hasMore = (leftMs: number) => context.getRemainingTimeInMillis() > leftMs;
    // Before the product is told that its customer's entitlements may have changed, and comes to read them.
    const reading = new Set(taken(toldToRead));
    for (const customerId of taken(toRefresh)) {
      // A notice that comes late tells nothing new of entitlements: what is found changed all the same has to be told.
      const entitlements = reading.has(customerId) ? told : untold;
      await refreshCustomer({ ...ports, entitlements }, customerId, () => hasMore(TIME_TO_ASK_MS));
    }
    await tellCustomers(ports, taken(changed), () => hasMore(TIME_TO_TELL_MS));
  };

  return async (event: SQSEvent, context: LambdaContext): Promise<SQSBatchResponse> => {
    const response = await apply(event, context);
    try {
      await follow(context);
    } catch (error) {
      // The notices are applied: bringing them again would do no more.
      log.warn('FollowUpLeft', safeFactsOf(error));
    }
    return response;
  };
}

function confirmationHandled(confirmed: TopicConfirmed, topicArn: string): Handled {
  switch (confirmed.kind) {
    case 'confirmed':
      return { kind: 'done', facts: { outcome: 'subscriptionConfirmed', topicArn } };
    case 'foreignTopic':
      return { kind: 'refused', facts: { refused: 'foreignTopic', reason: 'No topic of the settings asks for this.' } };
    case 'refused':
      return { kind: 'refused', facts: { refused: 'confirmationRefused', reason: confirmed.code, topicArn } };
  }
}

function factsOf(applied: Applied): SafeFacts {
  const { kind: outcome, ...facts } = applied;
  return 'events' in facts ? { outcome, ...facts, events: facts.events.join(',') } : { outcome, ...facts };
}

/** Takes everything out of a set: a batch beside this one does not do it again. */
function taken(customerIds: Set<string>): readonly string[] {
  const all = [...customerIds];
  customerIds.clear();
  return all;
}

export const handler = built(createApplyNoticeHandler);
