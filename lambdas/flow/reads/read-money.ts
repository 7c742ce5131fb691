// Reads:       the summaries of a month's hours, and of its licences, a page at a time
// Writes:      nothing
// Once per:    question; one query, and eight for a page of customers
// If it stops: ask again
import { type Money, moneyText, NO_MONEY, priceOf, sumOfMoney } from '../../domain/money.ts';
import { amountsOf, type Month, sumOf, type Units, type UsageAmounts } from '../../domain/summary.ts';
import type { ListCursor, SummaryReader } from '../read-ports.ts';

export interface ReadMoneyPorts {
  readonly summaries: Pick<SummaryReader, 'hours' | 'months'>;
}

/** The price of a unit, by `priceKey`. What has no price counts in units alone. */
export type Prices = ReadonlyMap<string, Money>;

export function priceKey(productCode: string, dimension: string): string {
  return JSON.stringify([productCode, dimension]);
}

/** Decimal text, exact: `12.30`. */
type Amount = string;

export interface Values {
  readonly billed: Amount;
  readonly pending: Amount;
  readonly atStake: Amount;
  readonly lost: Amount;
}

export interface MoneyView {
  readonly month: Month;
  readonly total: Values;
  readonly lines: readonly MoneyLine[];
  /** Whether there are units that have no price. */
  readonly isPriceMissing: boolean;
}

export interface MoneyLine {
  readonly productCode: string;
  readonly dimension: string;
  /** Absent where the dimension has no price. */
  readonly price?: Amount;
  readonly units: UsageAmounts;
  readonly values: Values;
}

export interface CustomerMoneyPage {
  /** Those with the most value first. A customer of several licences may come again on a further page. */
  readonly customers: readonly CustomerMoney[];
  readonly cursor?: ListCursor;
}

export interface CustomerMoney {
  readonly customerId: string;
  readonly productCode: string;
  readonly licenceKeys: readonly string[];
  readonly values: Values;
  readonly dimensions: readonly Pick<MoneyLine, 'dimension' | 'units' | 'values'>[];
}

/** What a month's usage is worth, by product and dimension. One query. */
export async function readMoney({ summaries }: ReadMoneyPorts, month: Month, prices: Prices): Promise<MoneyView> {
  const meters = (await summaries.hours(month)).flatMap((hour) => hour.meters);
  const lines = [...Map.groupBy(meters, ({ productCode, dimension }) => priceKey(productCode, dimension)).values()]
    .flatMap((parts) => (parts[0] ? [{ ...parts[0], units: sumOf(parts.map(({ units }) => units)) }] : []))
    .map(({ productCode, dimension, units }) => {
      const price = prices.get(priceKey(productCode, dimension));
      return { productCode, dimension, price, units: amountsOf(units), worth: worthOf(units, price) };
    });
  return {
    month,
    total: textOf(sumOfWorth(lines.map(({ worth }) => worth))),
    lines: lines.map(({ price, worth, ...line }) => ({
      ...line,
      ...(price === undefined ? {} : { price: moneyText(price) }),
      values: textOf(worth),
    })),
    isPriceMissing: lines.some(({ price, units }) => price === undefined && units.recorded + units.carriedIn > 0),
  };
}

/** What a month's usage is worth, customer by customer. At most eight queries a page. */
export async function readCustomerMoney(
  { summaries }: ReadMoneyPorts,
  month: Month,
  prices: Prices,
  cursor?: ListCursor,
): Promise<CustomerMoneyPage> {
  const page = await summaries.months(month, cursor);
  const byCustomer = Map.groupBy(page.items, ({ customerId }) => customerId);
  const customers = [...byCustomer].map(([customerId, meters]) => {
    const lines = [...Map.groupBy(meters, ({ dimension }) => dimension)].map(([dimension, parts]) => {
      const units = sumOf(parts.flatMap(({ days }) => [...days.values()]));
      const productCode = parts[0]?.productCode ?? '';
      return {
        productCode,
        dimension,
        units: amountsOf(units),
        worth: worthOf(units, prices.get(priceKey(productCode, dimension))),
      };
    });
    return { customerId, licenceKeys: [...new Set(meters.map(({ licenceKey }) => licenceKey))], lines };
  });
  const ranked = customers
    .map((customer) => ({ ...customer, worth: sumOfWorth(customer.lines.map(({ worth }) => worth)) }))
    .sort((one, other) => Number(allOf(other.worth) - allOf(one.worth)));
  return {
    customers: ranked.map(({ customerId, licenceKeys, lines, worth }) => ({
      customerId,
      productCode: lines[0]?.productCode ?? '',
      licenceKeys,
      values: textOf(worth),
      dimensions: lines.map(({ dimension, units, worth: own }) => ({ dimension, units, values: textOf(own) })),
    })),
    ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
  };
}

type Worth = Readonly<Record<keyof Values, Money>>;

function worthOf(units: Units, price: Money | undefined): Worth {
  const { billed, pending, atStake, lost } = amountsOf(units);
  const of = (amount: number) => (price === undefined ? NO_MONEY : priceOf(amount, price));
  return { billed: of(billed), pending: of(pending), atStake: of(atStake), lost: of(lost) };
}

function sumOfWorth(parts: readonly Worth[]): Worth {
  const of = (name: keyof Worth) => sumOfMoney(parts.map((part) => part[name]));
  return { billed: of('billed'), pending: of('pending'), atStake: of('atStake'), lost: of('lost') };
}

function allOf(worth: Worth): Money {
  return sumOfMoney(Object.values(worth));
}

function textOf({ billed, pending, atStake, lost }: Worth): Values {
  return {
    billed: moneyText(billed),
    pending: moneyText(pending),
    atStake: moneyText(atStake),
    lost: moneyText(lost),
  };
}
