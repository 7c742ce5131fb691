// What a replay has to be billed, and whether it was: for every customer, dimension and hour.
import { addHours, type HourStart, hourOf } from '../lambdas/domain/hour.ts';
import { MAX_RECORDS_PER_CALL } from '../lambdas/domain/marketplace-limits.ts';
import { verifyBooks } from '../lambdas/flow/verify-books.ts';
import { DynamoLedgerStore } from '../lambdas/stores/ledger-store.ts';
import { DynamoUsageStore } from '../lambdas/stores/usage-store.ts';
import type { Laptop } from './laptop.ts';
import type { TrafficEvent } from './traffic.ts';

/** Units by dimension. */
export type Units = Readonly<Record<string, number>>;

/** A total that is not billed as it was used. */
interface Difference {
  readonly awsAccountId: string;
  readonly dimension: string;
  readonly hour: string;
  readonly used: number;
  readonly billed: number;
}

export interface ReplaySummary {
  readonly truth: Units;
  readonly billed: Units;
  readonly customers: number;
  readonly hours: number;
  readonly records: number;
  readonly calls: number;
  readonly optimalCalls: number;
  readonly balanced: boolean;
  /** How many totals of a customer, dimension and hour differ from what was used. */
  readonly differences: number;
}

export interface BillLine {
  readonly awsAccountId: string;
  readonly dimension: string;
  readonly hour: string;
  readonly quantity: number;
}

/** What a bill of these events has to say. */
export function billOf(events: readonly TrafficEvent[], accountOf: (event: TrafficEvent) => string): BillLine[] {
  const lines = events.map((event) => ({
    awsAccountId: accountOf(event),
    dimension: event.dimension,
    hour: hourOf(event.atMs),
    quantity: event.quantity,
  }));
  return [...totalsOf(lines).values()];
}

/** The totals in which a bill differs from the truth, in either direction. */
export function differencesOf(truth: readonly BillLine[], bill: readonly BillLine[]): Difference[] {
  const [used, billed] = [totalsOf(truth), totalsOf(bill)];
  return [...new Map([...used, ...billed])].flatMap(([key, { awsAccountId, dimension, hour }]) => {
    const [wanted, got] = [used.get(key)?.quantity ?? 0, billed.get(key)?.quantity ?? 0];
    return wanted === got ? [] : [{ awsAccountId, dimension, hour, used: wanted, billed: got }];
  });
}

function totalsOf(lines: readonly BillLine[]): ReadonlyMap<string, BillLine> {
  const totals = new Map<string, BillLine>();
  for (const line of lines) {
    // As in an HourStart, whatever the bill writes behind it.
    const hour = line.hour.slice(0, '2015-05-17T10'.length);
    const key = [line.awsAccountId, line.dimension, hour].join(' ');
    totals.set(key, { ...line, hour, quantity: line.quantity + (totals.get(key)?.quantity ?? 0) });
  }
  return totals;
}

function unitsOf(lines: readonly BillLine[]): Units {
  const units: Record<string, number> = {};
  for (const { dimension, quantity } of lines) units[dimension] = (units[dimension] ?? 0) + quantity;
  return Object.fromEntries(Object.entries(units).sort());
}

/** Reads the simulator's bill and our books of a replay, and says in what they are not the truth. */
export async function replayResult(
  { control, client, tables }: Pick<Laptop, 'control' | 'client' | 'tables'>,
  truth: readonly BillLine[],
  [firstHour, lastHour]: readonly [HourStart, HourStart],
): Promise<{ summary: ReplaySummary; lines: readonly BillLine[]; differences: readonly Difference[] }> {
  const { lines } = await control.get<{ lines: BillLine[] }>('/control/bill');
  const { count: calls } = await control.get<{ count: number }>('/control/calls/count?operation=BatchMeterUsage');
  const stores = {
    usage: new DynamoUsageStore(client, tables.usage),
    ledger: new DynamoLedgerStore(client, tables.ledger),
  };
  let balanced = true;
  for await (const books of verifyBooks(stores, firstHour, addHours(lastHour, 3))) {
    const { open, honoured, presumed, ...elsewhere } = books.byStatus;
    const isBilled = honoured + presumed === books.recorded + books.carriedIn - books.carriedOut;
    balanced &&=
      books.difference === 0 && isBilled && open === 0 && Object.values(elsewhere).every((each) => each === 0);
  }
  const recordsByHour = Map.groupBy(lines, ({ hour }) => hour);
  const differences = differencesOf(truth, lines);
  const summary = {
    truth: unitsOf(truth),
    billed: unitsOf(lines),
    customers: new Set(lines.map(({ awsAccountId }) => awsAccountId)).size,
    hours: recordsByHour.size,
    records: lines.length,
    calls,
    optimalCalls: [...recordsByHour.values()].reduce(
      (sum, records) => sum + Math.ceil(records.length / MAX_RECORDS_PER_CALL),
      0,
    ),
    balanced,
    differences: differences.length,
  };
  return { summary, lines, differences };
}
