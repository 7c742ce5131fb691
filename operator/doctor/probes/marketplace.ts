// AWS Marketplace, asked in ways that change nothing: a call with no records, and the catalog.
import {
  DescribeEntityCommand,
  MarketplaceCatalogClient,
  paginateListEntities,
} from '@aws-sdk/client-marketplace-catalog';
import { BatchMeterUsageCommand, MarketplaceMeteringClient } from '@aws-sdk/client-marketplace-metering';
import type { Deployment } from '../../../lib/deployment.ts';
import { type Aws, configOf, inRegion } from '../../aws.ts';
import type { CatalogProduct, DryCall, Facts } from '../facts.ts';
import { type Probed, probe } from '../probed.ts';

type Products = Deployment['products'];

/** One call with no records for each region, and for each legacy product, whose code AWS then checks. */
export function probeMetering(aws: Aws, products: Products): Promise<Facts['metering']> {
  const asked = new Map<string, { readonly region: string; readonly productCode?: string }>();
  for (const { meteringRegion: region, identityStyle, productCode } of products) {
    if (identityStyle === 'legacy') asked.set(`${region} for ${productCode}`, { region, productCode });
    else asked.set(region, { region });
  }
  return Promise.all(
    [...asked].map(async ([name, { region, productCode }]) => ({
      name,
      probed: await dryCall(inRegion(aws, region), productCode),
    })),
  );
}

/** Errors of AWS that say: the call arrived and was let in, and holds no record to meter. */
const ARRIVED = /^Validation(Exception|Error)$|^SerializationException$/;

async function dryCall(aws: Aws, productCode: string | undefined): Promise<Probed<DryCall>> {
  const client = new MarketplaceMeteringClient({ ...configOf(aws), maxAttempts: 1 });
  const probed = await probe('aws-marketplace:BatchMeterUsage', async (): Promise<DryCall> => {
    try {
      await client.send(
        new BatchMeterUsageCommand({
          UsageRecords: [],
          ...(productCode === undefined ? {} : { ProductCode: productCode }),
        }),
      );
      return {};
    } catch (error) {
      if (!isAnswer(error) || error.name.startsWith('AccessDenied')) throw error;
      return ARRIVED.test(error.name) ? {} : { error: error.name, message: error.message };
    }
  });
  client.destroy();
  return probed;
}

/** AWS answered, and refused; anything else is no answer. */
function isAnswer(error: unknown): error is Error {
  return error instanceof Error && '$metadata' in error && '$fault' in error;
}

/** Catalog and Agreement APIs stand in one region. */
const CATALOG_REGION = 'us-east-1';

export async function probeCatalog(aws: Aws): Promise<Probed<readonly CatalogProduct[]>> {
  const client = new MarketplaceCatalogClient(configOf(inRegion(aws, CATALOG_REGION)));
  const probed = await probe('aws-marketplace:ListEntities', async () => {
    const products: CatalogProduct[] = [];
    const listed = paginateListEntities({ client }, { Catalog: 'AWSMarketplace', EntityType: 'SaaSProduct' });
    for await (const { EntitySummaryList = [] } of listed) {
      for (const { EntityId } of EntitySummaryList) {
        const entity = await client.send(new DescribeEntityCommand({ Catalog: 'AWSMarketplace', EntityId }));
        products.push(productOf(entity.DetailsDocument ?? parsed(entity.Details)));
      }
    }
    return products;
  });
  client.destroy();
  return probed;
}

/** What the details of a product hold, wherever it stands in them: AWS adds members and moves them. */
function productOf(details: unknown): CatalogProduct {
  const texts = (name: string) => valuesOf(details, name).filter((value) => typeof value === 'string');
  const dimensions = valuesOf(details, 'Dimensions').flatMap((list) => (Array.isArray(list) ? list : []));
  return {
    productCode: texts('ProductCode')[0] ?? '',
    dimensions: [...new Set(dimensions.flatMap((each) => keyOf(each)))],
    fulfillmentUrls: [...new Set([...texts('FulfillmentUrl'), ...texts('SaaSUrl')])],
    visibility: texts('Visibility')[0],
  };
}

function keyOf(dimension: unknown): string[] {
  const key = isMembers(dimension) ? dimension['Key'] : undefined;
  return typeof key === 'string' ? [key] : [];
}

/** Every value that stands under a name, at any depth. */
function valuesOf(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value.flatMap((each) => valuesOf(each, name));
  if (!isMembers(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => [
    ...(key === name ? [member] : []),
    ...valuesOf(member, name),
  ]);
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text);
}
