// Summaries as items of their table: hours by month, a licence's days, and licences by month.

import { BrokenInvariant } from '../domain/failure.ts';
import { type HourStart, parseHour } from '../domain/hour.ts';
import { encodeKeyPart, meterKey, shardOf } from '../domain/keys.ts';
import {
  type Day,
  type DaySummary,
  type HourSummary,
  type Month,
  type MonthSummary,
  monthOf,
  type Units,
} from '../domain/summary.ts';
import type { Background, Pulse } from '../flow/read-ports.ts';
import type { Item } from './dynamo.ts';
import { mapList, oneOf, optionalMap, optionalWhole, present, text, textList, whole } from './item-reader.ts';
import { LAYOUT } from './layout.ts';
import { RECORD_STATUSES } from './ledger-items.ts';

/** A month's licences are spread over this many partitions: each hour writes all of them anew. */
export const MONTH_SHARDS = 8;

/** As long as the usage that they could be made from again. */
export const DAY_KEPT_SECONDS = 400 * 86_400;

export const PULSE_KEY = { pk: 'pulse', sk: 'counts' };
export const UNBALANCED_PREFIX = 'unbalanced#';

export function unbalancedKey(hour: HourStart) {
  return { pk: PULSE_KEY.pk, sk: `${UNBALANCED_PREFIX}${hour}` };
}

export function licencePartition(licenceKey: string): string {
  return `licence#${licenceKey}`;
}

export function dayKey(licenceKey: string, dimension: string, day: Day): Item {
  return { pk: licencePartition(licenceKey), sk: `${day}#${encodeKeyPart(dimension)}` };
}

export function monthPartition(month: Month, shard: number): string {
  return `month#${month}#${shard}`;
}

export function monthKey(licenceKey: string, dimension: string, month: Month): Item {
  return { pk: monthPartition(month, shardOf(licenceKey) % MONTH_SHARDS), sk: meterKey(licenceKey, dimension) };
}

/** `h07` of a day, `d23` of a month: members of their own, so that each is written under its own condition. */
export function hourSlot(hour: HourStart): string {
  return `h${hour.slice(11, 13)}`;
}

export function monthSlot(hour: HourStart): string {
  return `d${hour.slice(8, 10)}`;
}

interface Amounts {
  /** When it was read; of a day within a month, the version of the day. */
  readonly at: number;
  readonly units: Units;
}

export function amountsAt(item: Item | undefined, slot: string): Amounts | undefined {
  const amounts = item && optionalMap(item, slot);
  return amounts && { at: whole(amounts, 'at'), units: unitsIn(optionalMap(amounts, 'units') ?? {}) };
}

/** No amounts are the same as none that were kept. */
export function isSameUnits(kept: Amounts | undefined, units: Units): boolean {
  const names = new Set([...Object.keys(kept?.units ?? {}), ...Object.keys(units)]) as Set<keyof Units>;
  return [...names].every((name) => (kept?.units[name] ?? 0) === (units[name] ?? 0));
}

/** The hours of a day that hold units. */
export function unitsByHour(day: Item): [HourStart, Units][] {
  return slotsOf(day, 'h').flatMap(([part, units]) => {
    const hour = parseHour(`${text(day, 'day')}T${part}`);
    return hour ? [[hour, units]] : [];
  });
}

function slotsOf(item: Item, kind: 'h' | 'd'): [string, Units][] {
  const names = Object.keys(item).filter((name) => name.length === 3 && name.startsWith(kind) && /\d\d$/.test(name));
  return names.sort().flatMap((name): [string, Units][] => {
    const { units = {} } = amountsAt(item, name) ?? {};
    return Object.keys(units).length === 0 ? [] : [[name.slice(1), units]];
  });
}

export function fromDayItem(item: Item): DaySummary {
  return {
    licenceKey: text(item, 'licenceKey'),
    dimension: text(item, 'dimension'),
    day: text(item, 'day'),
    hours: new Map(unitsByHour(item)),
  };
}

export function fromMonthItem(item: Item): MonthSummary {
  const month = text(item, 'month');
  return {
    licenceKey: text(item, 'licenceKey'),
    dimension: text(item, 'dimension'),
    month,
    customerId: text(item, 'customerId'),
    productCode: text(item, 'productCode'),
    days: new Map(slotsOf(item, 'd').map(([part, units]) => [`${month}-${part}`, units])),
  };
}

export function toHourItem(summary: HourSummary): Item {
  return { pk: `hours#${monthOf(summary.hour)}`, sk: summary.hour, v: LAYOUT, ...summary };
}

export function fromHourItem(item: Item): HourSummary {
  return {
    hour: hourIn(text(item, 'hour')),
    asOf: whole(item, 'asOf'),
    meters: mapList(item, 'meters').map((meter) => ({
      productCode: text(meter, 'productCode'),
      dimension: text(meter, 'dimension'),
      units: unitsIn(optionalMap(meter, 'units') ?? {}),
      records: unitsIn(optionalMap(meter, 'records') ?? {}),
      events: optionalWhole(meter, 'events') ?? 0,
    })),
    unbalanced: whole(item, 'unbalanced'),
    differences: mapList(item, 'differences').map((each) => ({
      licenceKey: text(each, 'licenceKey'),
      dimension: text(each, 'dimension'),
      difference: whole(each, 'difference'),
    })),
  };
}

export function fromPulseItem(counts: Item, unbalanced: readonly Item[]): Pulse {
  const untold = optionalMap(counts, 'untold') ?? {};
  return {
    asOf: whole(counts, 'asOf'),
    refused: mapList(counts, 'refused').map((each) => ({
      code: text(each, 'code'),
      times: whole(each, 'times'),
      events: whole(each, 'events'),
      lastAt: whole(each, 'lastAt'),
      message: text(each, 'message'),
      subject: text(each, 'subject'),
    })),
    untold: { count: whole(untold, 'count'), ...present({ oldestAt: optionalWhole(untold, 'oldestAt') }) },
    background: fromBackground(optionalMap(counts, 'background') ?? {}),
    unbalanced: Object.fromEntries(
      unbalanced.map((item) => [text(item, 'sk').slice(UNBALANCED_PREFIX.length), whole(item, 'unbalanced')]),
    ),
  };
}

function fromBackground(background: Item): Background {
  const [shortOfTime, unregistered] = [
    optionalMap(background, 'shortOfTime') ?? {},
    optionalMap(background, 'unregistered') ?? {},
  ];
  return {
    missed: mapList(background, 'missed').map((each) => ({
      name: text(each, 'name'),
      reason: text(each, 'reason'),
      ...present({ since: optionalWhole(each, 'since'), deadlineAt: optionalWhole(each, 'deadlineAt') }),
      ...(each['hour'] === undefined ? {} : { hour: hourIn(text(each, 'hour')) }),
    })),
    shortOfTime: {
      references: mapList(shortOfTime, 'references').map((each) => ({
        partition: text(each, 'partition'),
        meter: text(each, 'meter'),
        deadlineAt: whole(each, 'deadlineAt'),
        status: oneOf(each, 'status', RECORD_STATUSES),
        ...present({ nextAttemptAt: optionalWhole(each, 'nextAttemptAt') }),
      })),
      count: whole(shortOfTime, 'count'),
      isPartial: shortOfTime['isPartial'] === true,
    },
    unregistered: {
      customerIds: textList(unregistered, 'customerIds'),
      isPartial: unregistered['isPartial'] === true,
    },
  };
}

/** Places are ours to name: one of another version is told all the same. */
function unitsIn(item: Item): Units {
  return Object.fromEntries(Object.keys(item).map((name) => [name, whole(item, name)]));
}

function hourIn(value: string): HourStart {
  const hour = parseHour(value);
  if (hour) return hour;
  throw new BrokenInvariant('ItemMalformed', 'A stored summary has no hour.', { facts: { member: 'hour' } });
}
