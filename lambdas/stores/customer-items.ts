// How customers and licences lie in the customers table: keys, and conversions both ways.
import type { Customer } from '../domain/customer.ts';
import { listingOf } from '../domain/customer-listing.ts';
import { parseHour } from '../domain/hour.ts';
import { shardOf } from '../domain/keys.ts';
import type { EndNotice, Licence, LicenceEnding, LicencePeriod } from '../domain/licence.ts';
import type { IdentityStyle, PricingModel } from '../domain/product.ts';
import { type Standing, UNKNOWN_STANDING } from '../domain/standing.ts';
import type { Item } from './dynamo.ts';
import {
  mapList,
  oneOf,
  optionalFlag,
  optionalMap,
  optionalText,
  optionalWhole,
  present,
  text,
  textList,
  whole,
} from './item-reader.ts';
import { LAYOUT } from './layout.ts';

export const ENDING_PARTITION = 'ending';

/** The sort key of the one customer of an account and product whose licence AWS has not named yet. */
export const AWAITING_LICENCE = 'awaiting-licence';

interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

export function licencePartition(shard: number): string {
  return `licences#${String(shard).padStart(2, '0')}`;
}

export function licenceItemKey(licenceKey: string): ItemKey {
  return { pk: licencePartition(shardOf(licenceKey)), sk: licenceKey };
}

export function customerItemKey(customerId: string): ItemKey {
  return { pk: `customer#${customerId}`, sk: 'customer' };
}

export function accountPartition(customerAwsAccountId: string, productCode: string): string {
  return `account#${customerAwsAccountId}#${productCode}`;
}

export function endingItemKey(licenceKey: string): ItemKey {
  return { pk: ENDING_PARTITION, sk: licenceKey };
}

export function toCustomerItem(customer: Customer): Item {
  return { ...customerItemKey(customer.customerId), v: LAYOUT, ...customer, ...listedAs(customer, UNKNOWN_STANDING) };
}

/** Customers come one by one: all of them stand in one partition, in order of their age. */
export const AGE_PARTITION = 'customers';

/** Where people find a customer in lists. Written with what decides it, and with nothing else. */
function listedAs({ customerId, createdAt }: Customer, standing: Standing) {
  return {
    ageKey: AGE_PARTITION,
    ageSort: `${new Date(createdAt).toISOString()}#${customerId}`,
    listingKey: listingOf(standing),
  };
}

export function fromCustomerItem(item: Item): Customer {
  return {
    customerId: text(item, 'customerId'),
    productCode: text(item, 'productCode'),
    licenceKeys: textList(item, 'licenceKeys'),
    createdAt: whole(item, 'createdAt'),
    sequence: whole(item, 'sequence'),
    ...present({
      customerAwsAccountId: optionalText(item, 'customerAwsAccountId'),
      registeredAt: optionalWhole(item, 'registeredAt'),
      isFreeTrial: optionalFlag(item, 'isFreeTrial'),
      freeTrialHint: optionalFlag(item, 'freeTrialHint'),
    }),
  };
}

const IDENTITY_STYLES: readonly IdentityStyle[] = ['licence', 'legacy'];
const PRICING_MODELS: readonly PricingModel[] = ['subscription', 'contract', 'contractWithConsumption'];

export function fromLicenceItem(item: Item): Licence {
  const ending = optionalMap(item, 'ending');
  const endNotices = item['endNotices'] === undefined ? undefined : mapList(item, 'endNotices').map(fromEndNotice);
  return {
    licenceKey: text(item, 'licenceKey'),
    identityStyle: oneOf(item, 'identityStyle', IDENTITY_STYLES),
    productCode: text(item, 'productCode'),
    pricingModel: oneOf(item, 'pricingModel', PRICING_MODELS),
    meteringRegion: text(item, 'meteringRegion'),
    customerId: text(item, 'customerId'),
    firstSeenAt: whole(item, 'firstSeenAt'),
    periods: mapList(item, 'periods').map(fromPeriod),
    ...present({
      licenceArn: optionalText(item, 'licenceArn'),
      customerIdentifier: optionalText(item, 'customerIdentifier'),
      cutOverHour: parseHour(optionalText(item, 'cutOverHour') ?? ''),
      counterpartKey: optionalText(item, 'counterpartKey'),
      customerAwsAccountId: optionalText(item, 'customerAwsAccountId'),
      ending: ending && fromEnding(ending),
      endNotices,
    }),
  };
}

function fromPeriod(period: Item): LicencePeriod {
  return present({
    agreementId: optionalText(period, 'agreementId'),
    from: optionalWhole(period, 'from'),
    to: optionalWhole(period, 'to'),
  });
}

function fromEnding(ending: Item): LicenceEnding {
  return {
    noticeAt: whole(ending, 'noticeAt'),
    ...present({
      revokedAt: optionalWhole(ending, 'revokedAt'),
      deprovisionedAt: optionalWhole(ending, 'deprovisionedAt'),
    }),
  };
}

function fromEndNotice(notice: Item): EndNotice {
  return { ...fromEnding(notice), ...present({ agreementId: optionalText(notice, 'agreementId') }) };
}
