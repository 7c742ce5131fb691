// A seller's tables after some weeks: customers who registered and were billed each hour, and a few records in trouble.
import { addHours, type HourStart, hourStartMs, hoursBetween } from '../lambdas/domain/hour.ts';
import type { SealedHour } from '../lambdas/domain/ledger.ts';
import { licenceKeyOf } from '../lambdas/domain/licence.ts';
import { agreementThread } from '../lambdas/domain/notice.ts';
import type { Standing } from '../lambdas/domain/standing.ts';
import { dayOf, type HourSummary, monthOf, sumOf, type Units } from '../lambdas/domain/summary.ts';
import { accountPartition, licenceItemKey, toCustomerItem } from '../lambdas/stores/customer-items.ts';
import { LAYOUT } from '../lambdas/stores/layout.ts';
import { toSealedItem } from '../lambdas/stores/ledger-items.ts';
import { customerThreadKey, ownerItemKey, toNoticeItems } from '../lambdas/stores/notice-items.ts';
import { dayKey, hourSlot, monthKey, monthSlot, toHourItem } from '../lambdas/stores/summary-items.ts';
import type { TableKind } from '../lambdas/stores/tables.ts';
import { openRecord } from './records.ts';
import { licenceArn, PRODUCT } from './world.ts';

export interface OperatedSize {
  readonly customers: number;
  /** Hours that were billed, up to `end`. */
  readonly hours: number;
  readonly end: HourStart;
  /** Of the last hour's records, so many are held; as many of the hour before expired. */
  readonly inTrouble: number;
}

/** The units that each licence uses of each dimension each hour: as many as `openRecord` says. */
const HOURLY: Units = { recorded: 7, honoured: 7 };

/** Every item of the tables, each table by itself. */
export function operatedItems(size: OperatedSize): Partial<Record<TableKind, () => Iterable<object>>> {
  return {
    customers: () => customerItems(size),
    buyers: () => buyerItems(size),
    notices: () => noticeItems(size),
    ledger: () => ledgerItems(size),
    summaries: () => summaryItems(size),
    // Every hour has had all of its looks.
    work: () => [{ pk: 'watermark', sk: 'looks', hour: size.end }],
  };
}

export function customerIdOf(number: number): string {
  return `cus_${licenceKeyNumbered(number).slice(2)}`;
}

export function agreementIdOf(number: number): string {
  return `agmt-${String(number).padStart(8, '0')}`;
}

export function accountOf(number: number): string {
  return String(100_000_000_000 + number);
}

export function companyOf(number: number): string {
  return `Company ${String(number).padStart(6, '0')} Ltd`;
}

function licenceKeyNumbered(number: number): string {
  return licenceKeyOf({ style: 'licence', licenceArn: licenceArn(number) });
}

function* numbers(count: number): Generator<number> {
  for (let number = 0; number < count; number++) yield number;
}

function firstMs({ end, hours }: OperatedSize): number {
  return hourStartMs(addHours(end, -hours));
}

function* customerItems(size: OperatedSize): Generator<object> {
  const { productCode, identityStyle, pricingModel, meteringRegion } = PRODUCT;
  for (const number of numbers(size.customers)) {
    const createdAt = firstMs(size) + number;
    const [customerId, licenceKey] = [customerIdOf(number), licenceKeyNumbered(number)];
    const customerAwsAccountId = accountOf(number);
    const customer = {
      customerId,
      productCode,
      licenceKeys: [licenceKey],
      createdAt,
      sequence: 2,
      customerAwsAccountId,
    };
    const agreement = { agreementId: agreementIdOf(number), state: 'active', licenceKeys: [licenceKey] } as const;
    const standing: Standing = { state: 'active', marks: [], agreements: [agreement], registeredAt: createdAt };
    const registered = toCustomerItem({ ...customer, registeredAt: createdAt });
    yield { ...registered, standing, folds: 2, listingKey: 'active' };
    yield {
      ...licenceItemKey(licenceKey),
      v: LAYOUT,
      ...{ licenceKey, identityStyle, productCode, pricingModel, meteringRegion, customerId, customerAwsAccountId },
      licenceArn: licenceArn(number),
      firstSeenAt: createdAt,
      periods: [{ agreementId: agreementIdOf(number), from: createdAt }],
    };
    yield { pk: accountPartition(customerAwsAccountId, productCode), sk: customerId, v: LAYOUT, customerId };
  }
}

function* buyerItems(size: OperatedSize): Generator<object> {
  for (const number of numbers(size.customers)) {
    const [email, company] = [`buyer-${number}@example.com`, companyOf(number)];
    yield {
      customerId: customerIdOf(number),
      email,
      fields: { company },
      submittedAt: firstMs(size),
      v: LAYOUT,
      emailKey: email,
      companyKey: 'company',
      companySort: company.toLowerCase(),
    };
  }
}

function* noticeItems(size: OperatedSize): Generator<object> {
  for (const number of numbers(size.customers)) {
    const agreementId = agreementIdOf(number);
    const thread = agreementThread(agreementId);
    const notice = {
      noticeId: `notice-${number}`,
      channel: 'eventBridge',
      kind: 'licenceUpdated',
      type: 'License Updated - Manufacturer',
      atMs: firstMs(size),
      agreementId,
    } as const;
    yield* toNoticeItems(notice, '{}');
    yield { ...ownerItemKey(thread), v: LAYOUT, customerId: customerIdOf(number) };
    yield { ...customerThreadKey(customerIdOf(number), thread), v: LAYOUT };
  }
}

function* ledgerItems(size: OperatedSize): Generator<object> {
  for (const hour of hoursOf(size)) {
    for (const number of numbers(size.customers)) {
      const buyer = { licenceArn: licenceArn(number), awsAccountId: accountOf(number) };
      for (const dimension of PRODUCT.dimensions) {
        const record = openRecord(PRODUCT, buyer, dimension, hour);
        yield toSealedItem({ ...record, ...fateOf(size, hour, number) });
      }
    }
  }
}

function fateOf({ end, inTrouble }: OperatedSize, hour: HourStart, number: number): Partial<SealedHour> {
  if (number < inTrouble && hour === addHours(end, -1)) return { status: 'held', reason: 'CustomerNotSubscribed' };
  if (number < inTrouble && hour === addHours(end, -2)) return { status: 'expired', deadlineAt: hourStartMs(end) - 1 };
  return { status: 'honoured', settledAt: hourStartMs(hour) + 72 * 60_000, meteringRecordId: `m-${hour}-${number}` };
}

/** As the summaries would be if all had been honoured: what the views read is as much. */
function* summaryItems(size: OperatedSize): Generator<object> {
  const { customers, end } = size;
  const hours = hoursOf(size);
  for (const hour of hours) yield toHourItem(hourSummary(hour, customers));
  const byDay = Map.groupBy(hours, dayOf);
  const byMonth = Map.groupBy(byDay.keys(), monthOf);
  for (const number of numbers(customers)) {
    const licenceKey = licenceKeyNumbered(number);
    for (const dimension of PRODUCT.dimensions) {
      for (const [day, own] of byDay) {
        const slots = own.map((hour) => [hourSlot(hour), { at: hourStartMs(hour), units: HOURLY }]);
        const version = own.length;
        yield { ...dayKey(licenceKey, dimension, day), v: 1, licenceKey, dimension, day, version, ...named(slots) };
      }
      for (const [month, days] of byMonth) {
        const slots = days.map((day) => {
          const own = byDay.get(day) ?? [];
          return [monthSlot(own[0] ?? end), { at: own.length, units: sumOf(own.map(() => HOURLY)) }];
        });
        const of = { customerId: customerIdOf(number), productCode: PRODUCT.productCode };
        yield { ...monthKey(licenceKey, dimension, month), v: 1, licenceKey, dimension, month, ...of, ...named(slots) };
      }
    }
  }
  const background = {
    missed: [],
    shortOfTime: { references: [], count: 0, isPartial: false },
    unregistered: { customerIds: [], isPartial: false },
  };
  const counts = { asOf: hourStartMs(end), refused: [], untold: { count: 0 }, background };
  yield { pk: 'pulse', sk: 'counts', v: 1, ...counts };
}

function named(slots: readonly unknown[][]): object {
  return Object.fromEntries(slots) as object;
}

function hourSummary(hour: HourStart, customers: number): HourSummary {
  const units = { recorded: 7 * customers, honoured: 7 * customers };
  return {
    hour,
    asOf: hourStartMs(hour),
    meters: PRODUCT.dimensions.map((dimension) => ({
      productCode: PRODUCT.productCode,
      dimension,
      units,
      records: { honoured: customers },
      events: customers,
    })),
    unbalanced: 0,
    differences: [],
  };
}

function hoursOf({ end, hours }: OperatedSize): HourStart[] {
  return hoursBetween(addHours(end, -hours), end);
}
