// AWS Marketplace's side: regions, whether it answers us, and the listing beside the settings.
import type { DryCall, Facts, ListedProduct } from '../facts.ts';
import { type Finding, note, ok, problem } from '../finding.ts';
import { unseen } from '../probed.ts';
import { METERING_REGIONS } from '../regions.ts';

export function checkRegions({ settings }: Pick<Facts, 'settings'>): Finding[] {
  if (!('deployment' in settings)) return [];
  const { products, marketplaceRegion } = settings.deployment;
  const named = [
    { setting: 'marketplaceRegion', region: marketplaceRegion },
    ...products.map(({ productCode, meteringRegion }) => ({
      setting: `products[].meteringRegion of ${productCode}`,
      region: meteringRegion,
    })),
  ];
  const wrong = named.filter(({ region }) => !METERING_REGIONS.has(region));
  if (wrong.length === 0) return [ok('RegionUnknown', 'regions', 'AWS Marketplace meters in each that is named.')];
  return wrong.map(({ setting, region }) =>
    problem('RegionUnknown', setting, {
      seen: `AWS Marketplace has no Metering API in ${region}.`,
      expected: 'a region that has one, such as us-east-1',
      remedy: `Set ${setting}. Never change the region of a product that is being metered: AWS would bill an hour twice.`,
    }),
  );
}

/** What AWS says to a call with no records, by region. It meters nothing. */
export function checkMetering({ metering }: Pick<Facts, 'metering'>): Finding[] {
  return metering.flatMap(({ name, probed }): Finding[] => {
    const subject = `BatchMeterUsage in ${name}`;
    const missed = unseen('MeteringRefused', subject, probed);
    if (missed) return [missed];
    return probed.kind === 'seen' ? [meteringFinding(subject, name, probed.value)] : [];
  });
}

function meteringFinding(subject: string, region: string, { error, message }: DryCall): Finding {
  switch (error) {
    case undefined:
      return ok('MeteringRefused', subject, 'AWS takes our calls (asked with no records, so that nothing is metered).');
    case 'DisabledApiException':
      return problem('RegionDisabled', subject, {
        seen: `The Metering API is disabled in ${region} for this account.`,
        expected: 'a region that is enabled',
        remedy: `Enable ${region} for the account (Account, AWS Regions), or meter in another region before the first record.`,
      });
    case 'InvalidProductCodeException':
      return problem('ProductElsewhere', subject, {
        seen: `AWS does not know the product code as one of this account's. ${message ?? ''}`.trim(),
        expected: 'the account that published the product',
        remedy: 'Deploy into the publishing account, or correct products[].productCode.',
      });
    case 'UnrecognizedClientException':
    case 'InvalidClientTokenId':
    case 'ExpiredTokenException':
      return {
        code: 'MeteringRefused',
        level: 'unknown',
        subject,
        seen: `AWS does not take your credentials (${error}).`,
        expected: 'credentials of the publishing account',
        remedy: 'Sign in again (aws sso login), or set AWS_PROFILE.',
      };
    case 'ThrottlingException':
      return note('MeteringThrottled', subject, {
        seen: 'AWS throttles the calls of this account.',
        expected: 'room for ten calls a second',
        remedy: 'Look who else meters from this account; see meteringPolicy.callsPerSecond.',
      });
    default:
      return problem('MeteringRefused', subject, {
        seen: `AWS refused a call with no records: ${error}. ${message ?? ''}`.trim(),
        expected: 'an answer',
        remedy: 'Read the message; docs/runbook.md#callfailed says what each means.',
      });
  }
}

export function checkCatalog({ catalog, settings, stacks }: Pick<Facts, 'catalog' | 'settings' | 'stacks'>): Finding[] {
  if (!('deployment' in settings)) return [];
  const missed = unseen('CatalogUnread', 'catalog of AWS Marketplace', catalog);
  if (missed) return [missed.level === 'problem' ? { ...missed, level: 'unknown' } : missed];
  if (catalog.kind !== 'seen') return [];
  const outputs = stacks.flatMap(({ probed }) => (probed.kind === 'seen' ? [probed.value.outputs] : []));
  const url = outputs.map((each) => each['FulfillmentUrl']).find((each) => each !== undefined);
  return settings.deployment.products.flatMap((product) => {
    const listed = catalog.value.find(({ productCode }) => productCode === product.productCode);
    if (listed) return listingFindings(product, listed, url);
    return [
      problem('ProductElsewhere', `product ${product.productCode}`, {
        seen: 'This account has no SaaS product with this code in AWS Marketplace.',
        expected: 'a product that this account published: AWS answers no other account',
        remedy: 'Correct products[].productCode, or deploy into the publishing account.',
      }),
    ];
  });
}

interface Product {
  readonly productCode: string;
  readonly pricingModel: string;
  readonly dimensions: readonly string[];
}

/** What differs between a product's settings and its listing; `url` is the stack's own address. */
export function listingFindings(product: Product, listed: ListedProduct, url: string | undefined): Finding[] {
  const subject = `product ${product.productCode}`;
  const known = new Set(listed.dimensions);
  const found: Finding[] = product.dimensions
    .filter((dimension) => known.size > 0 && !known.has(dimension))
    .map((dimension) =>
      problem('DimensionUnlisted', subject, {
        seen: `The dimension ${dimension} is not in the listing, which has ${listed.dimensions.join(', ')}.`,
        expected: 'API names of the listing, letter for letter',
        remedy: 'Correct products[].dimensions: AWS refuses a whole call for one unknown dimension.',
      }),
    );
  const unnamed =
    product.dimensions.length === 0 ? [] : listed.dimensions.filter((each) => !product.dimensions.includes(each));
  if (unnamed.length > 0) {
    found.push(
      note('DimensionUnnamed', subject, {
        seen: `The listing has ${unnamed.join(', ')} besides, whose usage is refused here.`,
        expected: 'every dimension that is used',
        remedy: 'Add them to products[].dimensions if the product reports them.',
      }),
    );
  }
  if (listed.pricingModel !== undefined && listed.pricingModel !== product.pricingModel) {
    found.push(
      problem('PricingModelDiffers', subject, {
        seen: `The public offer is a ${listed.pricingModel}; the settings say ${product.pricingModel}.`,
        expected: 'the same in both',
        remedy: `Set products[].pricingModel to "${listed.pricingModel}": a listing can't be changed any more once it is Limited.`,
      }),
    );
  }
  if (url !== undefined && listed.fulfillmentUrls.length > 0 && !listed.fulfillmentUrls.includes(url)) {
    found.push(
      problem('ListingPointsElsewhere', subject, {
        seen: `The listing sends its buyers to ${listed.fulfillmentUrls.join(', ')}.`,
        expected: `${url}, or a domain of yours before it`,
        remedy: `npx fulfillment listing set-url --product ${product.productCode} (docs/listing.md#2-fulfillment-url)`,
      }),
    );
  }
  return found.length > 0 ? found : [ok('DimensionUnlisted', subject, 'The listing and the settings agree.')];
}

export function checkPermissions({ decisions }: Pick<Facts, 'decisions'>): Finding[] {
  const found = decisions.flatMap(({ name, probed }): Finding[] => {
    const missed = unseen('PermissionMissing', `role of ${name}`, probed);
    if (missed) return [missed];
    if (probed.kind !== 'seen') return [];
    return probed.value
      .filter(({ isAllowed }) => !isAllowed)
      .map(({ handler, action, decision, isForbiddenByOrganization }) =>
        problem('PermissionMissing', `role of ${handler}`, {
          seen: `It may not ${action} (${decision}).`,
          expected: `${action} allowed`,
          remedy: isForbiddenByOrganization
            ? `A service control policy of your organization forbids it: have it allow ${action} in this account.`
            : 'npx cdk deploy --all restores the role; look for a permissions boundary where it stays so.',
        }),
      );
  });
  const asked = decisions.reduce((sum, { probed }) => sum + (probed.kind === 'seen' ? probed.value.length : 0), 0);
  return found.length > 0 || asked === 0
    ? found
    : [ok('PermissionMissing', 'roles', `${asked} permissions were asked for, and are given.`)];
}
