// The listing of the seller's products, read and changed through the AWS Marketplace Catalog API.
import {
  DescribeChangeSetCommand,
  DescribeEntityCommand,
  ListChangeSetsCommand,
  MarketplaceCatalogClient,
  paginateListEntities,
  StartChangeSetCommand,
} from '@aws-sdk/client-marketplace-catalog';
import type { PricingModel } from '../../lambdas/domain/product.ts';
import { type Aws, configOf, inRegion } from '../aws.ts';
import { type Listing, listingOf, pricingModelOf } from './listing.ts';

/** Catalog and Agreement APIs stand in one region. */
const CATALOG_REGION = 'us-east-1';

const Catalog = 'AWSMarketplace';

export interface ChangeSet {
  readonly changeSetId: string;
  /** `PREPARING`, `APPLYING`, `SUCCEEDED`, `FAILED`, `CANCELLED`. */
  readonly status: string;
  readonly errors: readonly { readonly code: string; readonly message: string }[];
}

/** As the doctor and the commands ask for it. Throws what AWS refuses with. */
export class ListingCatalog {
  readonly #client: MarketplaceCatalogClient;

  constructor(aws: Aws) {
    this.#client = new MarketplaceCatalogClient(configOf(inRegion(aws, CATALOG_REGION)));
  }

  /** Every SaaS product of the account. */
  async listings(): Promise<readonly Listing[]> {
    const listings: Listing[] = [];
    const pages = paginateListEntities({ client: this.#client }, { Catalog, EntityType: 'SaaSProduct' });
    for await (const { EntitySummaryList = [] } of pages) {
      for (const { EntityId } of EntitySummaryList) {
        const entity = await this.#client.send(new DescribeEntityCommand({ Catalog, EntityId }));
        const named = { entityId: EntityId ?? '', entityType: entity.EntityType ?? '' };
        listings.push(listingOf(named, entity.DetailsDocument ?? parsed(entity.Details)));
      }
    }
    return listings;
  }

  /** By the terms of the product's public offer; undefined while it has none. */
  async pricingModel(productId: string): Promise<PricingModel | undefined> {
    const filter = { ProductId: { ValueList: [productId] }, Targeting: { ValueList: ['None' as const] } };
    const EntityTypeFilters = { OfferFilters: { ...filter, State: { ValueList: ['Released' as const] } } };
    const pages = paginateListEntities({ client: this.#client }, { Catalog, EntityType: 'Offer', EntityTypeFilters });
    for await (const { EntitySummaryList = [] } of pages) {
      for (const { EntityId } of EntitySummaryList) {
        const offer = await this.#client.send(new DescribeEntityCommand({ Catalog, EntityId }));
        const model = pricingModelOf(offer.DetailsDocument ?? parsed(offer.Details));
        if (model) return model;
      }
    }
    return undefined;
  }

  /** The change to the product that AWS has not ended yet: it takes no other meanwhile. */
  async changeInFlight(productId: string): Promise<string | undefined> {
    const { ChangeSetSummaryList = [] } = await this.#client.send(
      new ListChangeSetsCommand({
        Catalog,
        FilterList: [
          { Name: 'EntityId', ValueList: [productId] },
          { Name: 'Status', ValueList: ['PREPARING', 'APPLYING'] },
        ],
      }),
    );
    return ChangeSetSummaryList[0]?.ChangeSetId;
  }

  /** Once per token: AWS answers the same change set to the same token. */
  async setUrl({ entityId, entityType, urlOptions }: Listing, url: string, token: string): Promise<string> {
    const [option] = urlOptions;
    const details = { Details: { SaaSUrlDeliveryOptionDetails: { FulfillmentUrl: url } } };
    const { ChangeSetId } = await this.#client.send(
      new StartChangeSetCommand({
        Catalog,
        ClientRequestToken: token,
        ChangeSet: [
          {
            ChangeType: option ? 'UpdateDeliveryOptions' : 'AddDeliveryOptions',
            Entity: { Type: entityType, Identifier: entityId },
            DetailsDocument: { DeliveryOptions: [option ? { Id: option.id, ...details } : details] },
          },
        ],
      }),
    );
    return ChangeSetId ?? '';
  }

  async changeSet(changeSetId: string): Promise<ChangeSet> {
    const read = await this.#client.send(new DescribeChangeSetCommand({ Catalog, ChangeSetId: changeSetId }));
    const details = (read.ChangeSet ?? []).flatMap(({ ErrorDetailList = [] }) => ErrorDetailList);
    const errors = details.map(({ ErrorCode = '', ErrorMessage = '' }) => ({ code: ErrorCode, message: ErrorMessage }));
    const whole =
      read.FailureDescription === undefined ? [] : [{ code: read.FailureCode ?? '', message: read.FailureDescription }];
    return { changeSetId, status: read.Status ?? '', errors: errors.length > 0 ? errors : whole };
  }

  close(): void {
    this.#client.destroy();
  }
}

function parsed(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text);
}
