// The summaries table: what hours, days and months came to, made from the other tables and never billed from.
import { type DynamoDBClient, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { type HourStart, hourStartMs } from '../domain/hour.ts';
import {
  type Day,
  type DaySummary,
  dayOf,
  type HourSummary,
  type Month,
  type MonthSummary,
  monthOf,
  sumOf,
} from '../domain/summary.ts';
import type { ListCursor, MeterOfHour, Page, Pulse, PulseCounts, SummaryStore } from '../flow/read-ports.ts';
import { fromItem, getItem, getItems, type Item, putItem, queryAll, toItem, transact } from './dynamo.ts';
import { whole } from './item-reader.ts';
import { LAYOUT } from './layout.ts';
import {
  amountsAt,
  DAY_KEPT_SECONDS,
  dayKey,
  fromDayItem,
  fromHourItem,
  fromMonthItem,
  fromPulseItem,
  hourSlot,
  isSameUnits,
  licencePartition,
  MONTH_SHARDS,
  monthKey,
  monthPartition,
  monthSlot,
  PULSE_KEY,
  toHourItem,
  UNBALANCED_PREFIX,
  unbalancedKey,
  unitsByHour,
} from './summary-items.ts';

/** A page of a month is what one query gives of each of its partitions. */
const MONTH_PAGE = 1_000;

export class DynamoSummaryStore implements SummaryStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async writeMeters(
    hour: HourStart,
    asOf: number,
    meters: readonly MeterOfHour[],
  ): Promise<{ written: number; refused: number }> {
    const keys = meters.flatMap(({ licenceKey, dimension }) => [
      dayKey(licenceKey, dimension, dayOf(hour)),
      monthKey(licenceKey, dimension, monthOf(hour)),
    ]);
    const standing = new Map((await getItems(this.#client, this.#table, keys)).map((item) => [placeOf(item), item]));
    const outcomes = await Promise.all(
      meters.map((meter) => {
        const day = standing.get(placeOf(dayKey(meter.licenceKey, meter.dimension, dayOf(hour))));
        const month = standing.get(placeOf(monthKey(meter.licenceKey, meter.dimension, monthOf(hour))));
        return this.#writeMeter(hour, asOf, meter, day, month);
      }),
    );
    return {
      written: outcomes.filter((outcome) => outcome === 'written').length,
      refused: outcomes.filter((outcome) => outcome === 'refused').length,
    };
  }

  /** The day first; then the month, by what the day then comes to, also where a run that died left it behind. */
  async #writeMeter(
    hour: HourStart,
    asOf: number,
    meter: MeterOfHour,
    day: Item | undefined,
    month: Item | undefined,
  ): Promise<'written' | 'same' | 'refused'> {
    const isSame = isSameUnits(amountsAt(day, hourSlot(hour)), meter.units);
    const after = isSame ? day : await this.#writeDay(hour, asOf, meter);
    if (after === 'refused') return 'refused';
    // Never any units, and nothing kept of it.
    if (!after) return 'same';
    const version = whole(after, 'version');
    const behind = amountsAt(month, monthSlot(hour))?.at !== version;
    if (behind) await this.#writeMonth(hour, meter, version, after);
    return isSame && !behind ? 'same' : 'written';
  }

  /** The day as it then stands; refused where a later reading of the hour stands. */
  async #writeDay(
    hour: HourStart,
    asOf: number,
    { licenceKey, dimension, units }: MeterOfHour,
  ): Promise<Item | 'refused'> {
    try {
      const { Attributes: after = {} } = await this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: toItem(dayKey(licenceKey, dimension, dayOf(hour))),
          UpdateExpression:
            'SET #slot = :amounts, v = :layout, licenceKey = :licence, #dimension = :dimension, #day = :day, expiresAt = :expires ADD #version :one',
          ConditionExpression: 'attribute_not_exists(#slot) OR #slot.#at <= :asOf',
          ExpressionAttributeNames: {
            '#slot': hourSlot(hour),
            '#at': 'at',
            '#day': 'day',
            '#dimension': 'dimension',
            '#version': 'version',
          },
          ExpressionAttributeValues: toItem({
            ':amounts': { at: asOf, units },
            ':layout': LAYOUT,
            ':licence': licenceKey,
            ':dimension': dimension,
            ':day': dayOf(hour),
            ':expires': hourStartMs(hour) / 1_000 + DAY_KEPT_SECONDS,
            ':asOf': asOf,
            ':one': 1,
          }),
          ReturnValues: 'ALL_NEW',
        }),
      );
      return fromItem(after);
    } catch (error) {
      if (isConditionFailed(error)) return 'refused';
      throw error;
    }
  }

  /** A day's later version holds all that an earlier one held: where one stands, nothing is to be done. */
  async #writeMonth(
    hour: HourStart,
    { licenceKey, dimension, customerId, productCode }: MeterOfHour,
    version: number,
    day: Item,
  ) {
    try {
      await this.#client.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: toItem(monthKey(licenceKey, dimension, monthOf(hour))),
          UpdateExpression:
            'SET #slot = :amounts, v = :layout, licenceKey = :licence, #dimension = :dimension, #month = :month, customerId = :customer, productCode = :product',
          ConditionExpression: 'attribute_not_exists(#slot) OR #slot.#at < :version',
          ExpressionAttributeNames: {
            '#slot': monthSlot(hour),
            '#at': 'at',
            '#month': 'month',
            '#dimension': 'dimension',
          },
          ExpressionAttributeValues: toItem({
            ':amounts': { at: version, units: sumOf(unitsByHour(day).map(([, units]) => units)) },
            ':layout': LAYOUT,
            ':licence': licenceKey,
            ':dimension': dimension,
            ':month': monthOf(hour),
            ':customer': customerId,
            ':product': productCode,
            ':version': version,
          }),
        }),
      );
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
    }
  }

  async writeHour(summary: HourSummary): Promise<boolean> {
    const { hour, unbalanced } = summary;
    const key = unbalancedKey(hour);
    const written = await transact(this.#client, [
      {
        Put: {
          TableName: this.#table,
          Item: toItem(toHourItem(summary)),
          ConditionExpression: 'attribute_not_exists(pk) OR asOf <= :asOf',
          ExpressionAttributeValues: toItem({ ':asOf': summary.asOf }),
        },
      },
      unbalanced > 0
        ? { Put: { TableName: this.#table, Item: toItem({ ...key, v: LAYOUT, unbalanced }) } }
        : { Delete: { TableName: this.#table, Key: toItem(key) } },
    ]);
    return written.kind === 'written';
  }

  async writePulse(counts: PulseCounts): Promise<boolean> {
    const put = await putItem(this.#client, {
      TableName: this.#table,
      Item: toItem({ ...PULSE_KEY, v: LAYOUT, ...counts }),
      ConditionExpression: 'attribute_not_exists(pk) OR asOf <= :asOf',
      ExpressionAttributeValues: toItem({ ':asOf': counts.asOf }),
    });
    return put.kind === 'written';
  }

  async pulse(): Promise<Pulse | undefined> {
    const items = await queryAll(this.#client, {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: toItem({ ':pk': PULSE_KEY.pk }),
    });
    const counts = items.find((item) => item['sk'] === PULSE_KEY.sk);
    const unbalanced = items.filter((item) => String(item['sk']).startsWith(UNBALANCED_PREFIX));
    return counts && fromPulseItem(counts, unbalanced);
  }

  async hour(hour: HourStart): Promise<HourSummary | undefined> {
    const key = { pk: `hours#${monthOf(hour)}`, sk: hour };
    const item = await getItem(this.#client, { TableName: this.#table, Key: toItem(key) });
    return item && fromHourItem(item);
  }

  async hours(month: Month): Promise<readonly HourSummary[]> {
    const items = await queryAll(this.#client, {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :month',
      ExpressionAttributeValues: toItem({ ':month': `hours#${month}` }),
    });
    return items.map(fromHourItem);
  }

  async days(licenceKey: string, first: Day, last: Day): Promise<readonly DaySummary[]> {
    const items = await queryAll(this.#client, {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :licence AND sk BETWEEN :first AND :last',
      // `$` sorts right behind the separator: every dimension of the last day, too.
      ExpressionAttributeValues: toItem({
        ':licence': licencePartition(licenceKey),
        ':first': first,
        ':last': `${last}$`,
      }),
    });
    return items.map(fromDayItem);
  }

  async months(month: Month, cursor?: ListCursor): Promise<Page<MonthSummary>> {
    // By partition, the key behind which its list goes on; a partition that is through is not named.
    const from = cursor === undefined ? everyShard() : parseCursor(cursor);
    const pages = await Promise.all([...from].map(([shard, after]) => this.#monthPage(month, shard, after)));
    const rest = pages.flatMap(({ shard, last }) => (last === undefined ? [] : [[shard, last] as const]));
    return {
      items: pages.flatMap(({ items }) => items),
      ...(rest.length === 0 ? {} : { cursor: JSON.stringify(Object.fromEntries(rest)) }),
    };
  }

  async #monthPage(month: Month, shard: number, after: string) {
    const { Items: listed = [], LastEvaluatedKey: last } = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: 'pk = :month AND sk > :after',
        ExpressionAttributeValues: toItem({ ':month': monthPartition(month, shard), ':after': after }),
        Limit: MONTH_PAGE,
      }),
    );
    const items = listed.map(fromItem).map(fromMonthItem);
    return { shard, items, last: last && String(fromItem(last)['sk']) };
  }

  async monthsOf(month: Month, meters: readonly Pick<MeterOfHour, 'licenceKey' | 'dimension'>[]) {
    const keys = meters.map(({ licenceKey, dimension }) => monthKey(licenceKey, dimension, month));
    return (await getItems(this.#client, this.#table, keys)).map(fromMonthItem);
  }
}

/** Sorts before every key. */
const FIRST_KEY = ' ';

function everyShard(): ReadonlyMap<number, string> {
  return new Map(Array.from({ length: MONTH_SHARDS }, (_, shard) => [shard, FIRST_KEY]));
}

/** A list that nobody of ours gave out goes on nowhere. */
function parseCursor(cursor: ListCursor): ReadonlyMap<number, string> {
  const given: unknown = JSON.parse(cursor);
  const entries = typeof given === 'object' && given !== null ? Object.entries(given) : [];
  return new Map(entries.map(([shard, after]) => [Number(shard) % MONTH_SHARDS, String(after)]));
}

function placeOf(item: Item): string {
  return `${item['pk']} ${item['sk']}`;
}

function isConditionFailed(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}
