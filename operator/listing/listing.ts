// A product's listing as AWS's catalog tells it, wherever its members stand: AWS adds some and moves them.
import type { PricingModel } from '../../lambdas/domain/product.ts';

interface UrlOption {
  /** As `UpdateDeliveryOptions` names it. */
  readonly id: string;
  readonly url: string;
}

export interface Listing {
  readonly entityId: string;
  /** With its version: `SaaSProduct@1.0`. */
  readonly entityType: string;
  readonly productCode: string;
  readonly title: string | undefined;
  readonly visibility: string | undefined;
  readonly dimensions: readonly string[];
  /** Every address that the listing sends buyers to. */
  readonly fulfillmentUrls: readonly string[];
  /** Those of them that can be changed by name. */
  readonly urlOptions: readonly UrlOption[];
  /** Whether more than the address stands in its delivery option, which a change of the address has to repeat. */
  readonly hasQuickLaunch: boolean;
  /** Only where it was asked for. */
  readonly pricingModel?: PricingModel | undefined;
}

export function listingOf(named: Pick<Listing, 'entityId' | 'entityType'>, details: unknown): Listing {
  const dimensions = valuesOf(details, 'Dimensions').flatMap((list) => (Array.isArray(list) ? list : []));
  const options = valuesOf(details, 'DeliveryOptions').flatMap((list) => (Array.isArray(list) ? list : []));
  return {
    ...named,
    productCode: textOf(details, 'ProductCode') ?? '',
    title: textOf(details, 'ProductTitle'),
    visibility: textOf(details, 'Visibility'),
    dimensions: [...new Set(dimensions.flatMap((each) => textAt(each, 'Key') ?? []))],
    fulfillmentUrls: [...new Set(urlsOf(details))],
    urlOptions: options.flatMap((option) => {
      const [id, [url]] = [textAt(option, 'Id'), urlsOf(option)];
      return id === undefined || url === undefined ? [] : [{ id, url }];
    }),
    hasQuickLaunch:
      valuesOf(details, 'QuickLaunchEnabled').includes(true) ||
      valuesOf(details, 'DeploymentTemplates').some((list) => Array.isArray(list) && list.length > 0),
  };
}

/** By the terms of an offer; undefined where it has neither. */
export function pricingModelOf(offer: unknown): PricingModel | undefined {
  const types = valuesOf(offer, 'Type');
  const isUsage = types.includes('UsageBasedPricingTerm');
  if (types.includes('ConfigurableUpfrontPricingTerm')) return isUsage ? 'contractWithConsumption' : 'contract';
  return isUsage ? 'subscription' : undefined;
}

function urlsOf(details: unknown): string[] {
  return [...valuesOf(details, 'FulfillmentUrl'), ...valuesOf(details, 'SaaSUrl')].filter((value) => isText(value));
}

function textOf(details: unknown, name: string): string | undefined {
  return valuesOf(details, name).find((value) => isText(value));
}

function textAt(value: unknown, name: string): string | undefined {
  const member = isMembers(value) ? value[name] : undefined;
  return isText(member) ? member : undefined;
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

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
