// AWS Marketplace, asked in ways that change nothing: a call with no records, and the catalog.
import { BatchMeterUsageCommand, MarketplaceMeteringClient } from '@aws-sdk/client-marketplace-metering';
import type { Deployment } from '../../../lib/deployment.ts';
import { type Aws, configOf, inRegion } from '../../aws.ts';
import { ListingCatalog } from '../../listing/catalog.ts';
import type { DryCall, Facts } from '../facts.ts';
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

export async function probeCatalog(aws: Aws): Promise<Facts['catalog']> {
  const catalog = new ListingCatalog(aws);
  const probed = await probe('aws-marketplace:ListEntities', () => catalog.listings());
  catalog.close();
  return probed;
}
