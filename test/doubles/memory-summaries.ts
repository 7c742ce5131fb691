// The summaries in memory, under the conditions of the real ones: day and month are written one after the other.
import type { HourStart } from '../../lambdas/domain/hour.ts';
import {
  type Day,
  type DaySummary,
  dayOf,
  type HourSummary,
  type Month,
  type MonthSummary,
  monthOf,
  sumOf,
  type Units,
} from '../../lambdas/domain/summary.ts';
import type { MeterOfHour, Page, Pulse, PulseCounts, SummaryStore } from '../../lambdas/flow/read-ports.ts';
import { AT_ONCE, type Io } from './memory-table.ts';

interface KeptDay {
  readonly licenceKey: string;
  readonly dimension: string;
  readonly day: Day;
  readonly hours: ReadonlyMap<HourStart, { readonly at: number; readonly units: Units }>;
  readonly version: number;
}

interface KeptMonth extends Omit<MonthSummary, 'days'> {
  readonly days: ReadonlyMap<Day, { readonly version: number; readonly units: Units }>;
}

export class SummaryTables {
  readonly days = new Map<string, KeptDay>();
  readonly months = new Map<string, KeptMonth>();
  readonly hours = new Map<HourStart, HourSummary>();
  counts: PulseCounts | undefined;
}

export class MemorySummaryStore implements SummaryStore {
  readonly tables: SummaryTables;
  readonly #io: Io;

  constructor(io: Io = AT_ONCE, tables = new SummaryTables()) {
    this.#io = io;
    this.tables = tables;
  }

  async writeMeters(hour: HourStart, asOf: number, meters: readonly MeterOfHour[]) {
    const read = await this.#io('read', undefined, () =>
      meters.map((meter) => ({ meter, ...this.#kept(meter, hour) })),
    );
    let [written, refused] = [0, 0];
    for (const { meter, day, month } of read) {
      const isSame = isSameUnits(day?.hours.get(hour)?.units ?? {}, meter.units);
      const after = isSame ? day : await this.#io('write', undefined, () => this.#writeDay(hour, asOf, meter));
      if (after === 'refused') refused += 1;
      if (after === 'refused' || !after) continue;
      const isBehind = month?.days.get(dayOf(hour))?.version !== after.version;
      if (isBehind) await this.#io('write', undefined, () => this.#writeMonth(hour, meter, after));
      if (isBehind || !isSame) written += 1;
    }
    return { written, refused };
  }

  #kept({ licenceKey, dimension }: MeterOfHour, hour: HourStart) {
    return {
      day: this.tables.days.get(`${licenceKey} ${dimension} ${dayOf(hour)}`),
      month: this.tables.months.get(`${licenceKey} ${dimension} ${monthOf(hour)}`),
    };
  }

  #writeDay(hour: HourStart, asOf: number, meter: MeterOfHour): KeptDay | 'refused' {
    const { licenceKey, dimension, units } = meter;
    const { day } = this.#kept(meter, hour);
    if ((day?.hours.get(hour)?.at ?? 0) > asOf) return 'refused';
    const hours = new Map(day?.hours).set(hour, { at: asOf, units });
    const after = { licenceKey, dimension, day: dayOf(hour), hours, version: (day?.version ?? 0) + 1 };
    this.tables.days.set(`${licenceKey} ${dimension} ${dayOf(hour)}`, after);
    return after;
  }

  #writeMonth(hour: HourStart, meter: MeterOfHour, { version, hours }: KeptDay): void {
    const { licenceKey, dimension, customerId, productCode } = meter;
    const { month } = this.#kept(meter, hour);
    if ((month?.days.get(dayOf(hour))?.version ?? 0) >= version) return;
    const units = sumOf([...hours.values()].map((each) => each.units));
    const days = new Map(month?.days).set(dayOf(hour), { version, units });
    const after = { licenceKey, dimension, customerId, productCode, month: monthOf(hour), days };
    this.tables.months.set(`${licenceKey} ${dimension} ${monthOf(hour)}`, after);
  }

  writeHour(summary: HourSummary): Promise<boolean> {
    return this.#io('transaction', undefined, () => {
      if ((this.tables.hours.get(summary.hour)?.asOf ?? 0) > summary.asOf) return false;
      this.tables.hours.set(summary.hour, summary);
      return true;
    });
  }

  writePulse(counts: PulseCounts): Promise<boolean> {
    return this.#io('write', undefined, () => {
      if ((this.tables.counts?.asOf ?? 0) > counts.asOf) return false;
      this.tables.counts = counts;
      return true;
    });
  }

  async pulse(): Promise<Pulse | undefined> {
    const unbalanced = [...this.tables.hours.values()].filter((hour) => hour.unbalanced > 0);
    const { counts } = this.tables;
    return (
      counts && { ...counts, unbalanced: Object.fromEntries(unbalanced.map((each) => [each.hour, each.unbalanced])) }
    );
  }

  async hour(hour: HourStart): Promise<HourSummary | undefined> {
    return this.tables.hours.get(hour);
  }

  async hours(month: Month): Promise<readonly HourSummary[]> {
    const found = [...this.tables.hours.values()].filter(({ hour }) => monthOf(hour) === month);
    return found.sort((one, other) => (one.hour < other.hour ? -1 : 1));
  }

  async days(licenceKey: string, first: Day, last: Day): Promise<readonly DaySummary[]> {
    return [...this.tables.days.values()]
      .filter((kept) => kept.licenceKey === licenceKey && kept.day >= first && kept.day <= last)
      .sort((one, other) => (`${one.day} ${one.dimension}` < `${other.day} ${other.dimension}` ? -1 : 1))
      .map(({ dimension, day, hours }) => ({
        licenceKey,
        dimension,
        day,
        hours: new Map([...hours].sort().flatMap(([hour, { units }]) => (isEmpty(units) ? [] : [[hour, units]]))),
      }));
  }

  async months(month: Month): Promise<Page<MonthSummary>> {
    return { items: [...this.tables.months.values()].filter((kept) => kept.month === month).map(asSummary) };
  }

  async monthsOf(month: Month, meters: readonly Pick<MeterOfHour, 'licenceKey' | 'dimension'>[]) {
    return meters.flatMap(({ licenceKey, dimension }) => {
      const kept = this.tables.months.get(`${licenceKey} ${dimension} ${month}`);
      return kept ? [asSummary(kept)] : [];
    });
  }
}

function asSummary({ days, ...month }: KeptMonth): MonthSummary {
  return {
    ...month,
    days: new Map([...days].sort().flatMap(([day, { units }]) => (isEmpty(units) ? [] : [[day, units]]))),
  };
}

function isEmpty(units: Units): boolean {
  return Object.values(units).every((count) => count === 0);
}

function isSameUnits(one: Units, other: Units): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]) as Set<keyof Units>;
  return [...names].every((name) => (one[name] ?? 0) === (other[name] ?? 0));
}
