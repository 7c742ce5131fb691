// Control: the clock, the faults, the switches, the bill, the calls, and the world as a whole.
import { type ClockSetting, clockState, isoInstant } from '../clock.ts';
import { NO_FAULTS, parseFaults } from '../faults.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import { changeSwitches } from '../switches.ts';
import { countCalls, listCalls } from '../world/calls.ts';
import { listProducts } from '../world/products.ts';
import { type BillFilter, billLines, billTotals, countHours, WHOLE_BILL } from '../world/records.ts';
import { clockView, type World } from '../world/world.ts';
import {
  ControlError,
  invalid,
  objectWith,
  optionalInstantMs,
  optionalText,
  optionalWhole,
  queryInstantMs,
  queryWhole,
} from './input.ts';
import type { Route } from './route.ts';

const CENTURY_MS = 3_155_760_000_000;
const LIMIT_MAX = 1_000_000;

export const worldRoutes: readonly Route[] = [
  { method: 'GET', path: '/control/clock', run: (world) => clockView(world) },
  { method: 'PUT', path: '/control/clock', run: (world, { body }) => setClock(world, body) },
  {
    method: 'POST',
    path: '/control/clock/advance',
    run: (world, { body }) => {
      const wanted = objectWith(body, ['ms', 'to']);
      const to = optionalInstantMs(wanted, 'to');
      const ms = optionalWhole(wanted, 'ms', 0, CENTURY_MS);
      if ((to === undefined) === (ms === undefined)) throw invalid('Send either ms or to.');
      advanceClock(world, to ?? world.now() + (ms ?? 0));
      return clockView(world);
    },
  },
  { method: 'GET', path: '/control/faults', run: (world) => world.faults },
  {
    method: 'PUT',
    path: '/control/faults',
    run: (world, { body }) => {
      const faults = parseFaults(anyObject(body));
      if (typeof faults === 'string') throw invalid(`${faults}.`);
      world.faults = faults;
      return world.faults;
    },
  },
  {
    method: 'DELETE',
    path: '/control/faults',
    run: (world) => {
      world.faults = NO_FAULTS;
      return world.faults;
    },
  },
  { method: 'GET', path: '/control/switches', run: (world) => world.switches },
  {
    method: 'PUT',
    path: '/control/switches',
    run: (world, { body }) => {
      const changed = changeSwitches(world.switches, anyObject(body));
      if (typeof changed === 'string') throw invalid(`${changed}.`);
      world.switches = changed;
      return world.switches;
    },
  },
  { method: 'GET', path: '/control/bill', run: (world, { query }) => readBill(world, query) },
  {
    method: 'GET',
    path: '/control/calls',
    run: (world, { query }) => {
      const afterSeq = queryWhole(query, 'after', 0, Number.MAX_SAFE_INTEGER);
      const operation = query.get('operation') ?? undefined;
      const calls = listCalls(world, { afterSeq, operation, limit: queryWhole(query, 'limit', 1000, LIMIT_MAX) });
      return { calls, next: calls.at(-1)?.['seq'] ?? afterSeq };
    },
  },
  {
    method: 'GET',
    path: '/control/calls/count',
    run: (world, { query }) => ({ count: countCalls(world, query.get('operation') ?? undefined) }),
  },
];

/** Moves a set clock forward. AWS's time does not run back, and neither does the feed of events. */
export function advanceClock(world: World, toMs: number): void {
  if (world.clock.mode !== 'set') {
    const advice = 'PUT /control/clock {"mode":"set","at":"..."} first.';
    throw new ControlError(
      409,
      'ClockNotSet',
      `Only a set clock is advanced, and this one is ${world.clock.mode}: ${advice}`,
    );
  }
  if (toMs < world.now()) throw backwards(world);
  world.clock = { ...world.clock, anchorMs: toMs };
}

function setClock(world: World, body: unknown): JsonObject {
  const wanted = objectWith(body, ['mode', 'at', 'rate']);
  const setting = readClockSetting(wanted);
  const nowMs = world.now();
  const state = clockState(setting, nowMs);
  if (state === undefined) throw invalid('rate must be a number above 0 and at most 1000000.');
  // An empty world has no history that could be contradicted.
  if (state.anchorMs < nowMs && hasHistory(world)) throw backwards(world);
  world.clock = state;
  return clockView(world);
}

function readClockSetting(wanted: JsonObject): ClockSetting {
  const at = optionalText(wanted, 'at');
  optionalInstantMs(wanted, 'at');
  const rate = wanted['rate'];
  switch (wanted['mode']) {
    case 'real':
      return { mode: 'real' };
    case 'set':
      if (at === undefined) throw invalid('A set clock needs at, such as 2026-09-21T14:00:00Z.');
      return { mode: 'set', at };
    case 'accelerated':
      if (typeof rate !== 'number')
        throw invalid('An accelerated clock needs rate, such as 60 for a minute per second.');
      return { mode: 'accelerated', rate, ...(at !== undefined && { at }) };
    default:
      throw invalid('mode must be one of real, set, accelerated.');
  }
}

/** Whether anything has happened that a clock going back would contradict. */
function hasHistory(world: World): boolean {
  return world.db.one('SELECT 1 FROM agreements UNION ALL SELECT 1 FROM records LIMIT 1') !== undefined;
}

function backwards(world: World): ControlError {
  const advice = 'Move it forward, or POST /control/reset to begin a new world.';
  return new ControlError(
    409,
    'ClockBackwards',
    `The world is at ${isoInstant(world.now())} and does not go back. ${advice}`,
  );
}

/** The bill, or only its sums: a long replay asks for the sums. */
function readBill(world: World, query: URLSearchParams): JsonObject {
  const filter: BillFilter = {
    fromMs: queryInstantMs(query, 'from') ?? WHOLE_BILL.fromMs,
    toMs: queryInstantMs(query, 'to') ?? WHOLE_BILL.toMs,
    productCode: query.get('productCode') ?? undefined,
    licenceArn: query.get('licenceArn') ?? undefined,
  };
  // Maps, since a dimension may have any name, those of Object.prototype included.
  const totals = new Map<string, number>();
  const byLicence = new Map<string, Map<string, number>>();
  let records = 0;
  for (const total of billTotals(world, filter)) {
    const licence = byLicence.get(total.licenceArn) ?? new Map<string, number>();
    byLicence.set(total.licenceArn, licence);
    for (const sums of [totals, licence]) {
      sums.set(total.dimension, (sums.get(total.dimension) ?? 0) + total.quantity);
    }
    records += total.records;
  }
  if (query.get('summary') !== 'true') return { lines: billLines(world, filter), totals: Object.fromEntries(totals) };
  const licences = [...byLicence].map(([licence, sums]) => [licence, Object.fromEntries(sums)]);
  return {
    totals: Object.fromEntries(totals),
    byLicence: Object.fromEntries(licences),
    hours: countHours(world, filter),
    records,
  };
}

/** Everything but the secrets of the world: its keys stay inside. */
export function worldView(world: World): JsonObject {
  const rows = (table: string): unknown[] => world.db.all(`SELECT * FROM ${table}`);
  return {
    clock: clockView(world),
    switches: world.switches,
    faults: world.faults,
    products: listProducts(world),
    agreements: rows('agreements'),
    scheduledEvents: rows('scheduled_events'),
    scheduledNotices: rows('scheduled_notices'),
    noticeTarget: world.noticeTarget,
    compute: rows('compute'),
    registrations: rows('registrations'),
    records: billLines(world, WHOLE_BILL),
    calls: countCalls(world, undefined),
  };
}

function anyObject(body: unknown): JsonObject {
  if (!isJsonObject(body)) throw invalid('The body must be a JSON object.');
  return body;
}
