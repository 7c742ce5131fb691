// Every quarter of an hour: asks AWS Marketplace what the contracts that are due include now.
import pLimit from 'p-limit';
import { parseMarketplaceAccess } from './contracts/marketplace-access.ts';
import { parseProducts } from './contracts/product-settings.ts';
import { refreshAllEntitlements } from './flow/refresh-entitlements.ts';
import { ENTITLEMENT_CALLS_PER_SECOND, MarketplaceEntitlements } from './marketplace/entitlements.ts';
import { marketplaceSettings } from './marketplace/publishing-account.ts';
import { clientSettings } from './runtime/aws-client.ts';
import { built, type Surroundings } from './runtime/handler.ts';
import { TokenBucket } from './runtime/pace.ts';
import { scheduleHandler } from './runtime/schedule.ts';
import { readSettings } from './runtime/settings.ts';
import { DynamoCustomerStore } from './stores/customer-store.ts';
import { dynamoClient } from './stores/dynamo.ts';
import { entitlementNews } from './stores/entitlement-news.ts';
import { DynamoEntitlementStore, DynamoRefreshProgress } from './stores/entitlement-store.ts';
import { DynamoWorkStore } from './stores/work-store.ts';

/** At fifteen calls a second and half a second a call, eight are under way; the rest is room for slow answers. */
const LICENCES_AT_ONCE = 16;

export function createRefreshEntitlementsHandler({ environment, clock, log }: Surroundings) {
  const settings = readSettings('refresh-entitlements', environment);
  const client = dynamoClient(clientSettings(environment, 'DYNAMODB'));
  const { CUSTOMERS_TABLE: customers, NOTICES_TABLE: notices } = settings;
  const ports = {
    customers: new DynamoCustomerStore(client, customers),
    entitlements: new DynamoEntitlementStore(client, customers, entitlementNews(client, { customers, notices })),
    work: new DynamoWorkStore(client, settings.WORK_TABLE),
    progress: new DynamoRefreshProgress(client, settings.WORK_TABLE),
    marketplace: new MarketplaceEntitlements(
      marketplaceSettings(
        environment,
        'MARKETPLACE_ENTITLEMENT_SERVICE',
        parseMarketplaceAccess(settings.MARKETPLACE_ACCESS),
      ),
      new TokenBucket({ callsPerSecond: ENTITLEMENT_CALLS_PER_SECOND }),
    ),
    clock,
    limit: pLimit(LICENCES_AT_ONCE),
    log,
    products: parseProducts(settings.PRODUCTS),
  };
  return scheduleHandler(log, 'EntitlementsRefreshed', async (hasTime) => ({
    ...(await refreshAllEntitlements(ports, hasTime)),
  }));
}

export const handler = built(createRefreshEntitlementsHandler);
