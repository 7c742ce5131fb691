// The sender's work: calls beside the fewest possible, and the busiest minute beside AWS's quota.
import { MAX_RECORDS_PER_CALL } from '../../lambdas/domain/marketplace-limits.ts';
import type { Sending } from '../../lambdas/flow/sending-ports.ts';
import { type Html, html } from '../../lambdas/pages/html.ts';
import { units } from './amount.ts';
import type { Cell, Table } from './table.ts';
import { hourInstant } from './time.ts';

interface SenderHour {
  readonly hour: string;
  readonly calls: number;
  readonly fewest: number;
  readonly records: number;
  readonly honoured: number;
  readonly faults: number;
  /** Calls of the run that made the most. Runs come each minute. */
  readonly busiest: number;
}

/** Runs by the hour in which they began, newest first. */
export function senderHours(sendings: readonly Sending[]): SenderHour[] {
  const byHour = Map.groupBy(sendings, ({ startedAt }) => new Date(startedAt).toISOString().slice(0, 13));
  const hours = [...byHour].map(([hour, runs]) => {
    const sum = (member: 'calls' | 'records' | 'honoured' | 'faults') =>
      runs.reduce((total, run) => total + run[member], 0);
    // Runs can't share a call, so the fewest possible is counted run by run.
    const fewest = runs.reduce((total, { records }) => total + Math.ceil(records / MAX_RECORDS_PER_CALL), 0);
    return {
      hour,
      calls: sum('calls'),
      fewest,
      records: sum('records'),
      honoured: sum('honoured'),
      faults: sum('faults'),
      busiest: Math.max(...runs.map(({ calls }) => calls)),
    };
  });
  return hours.sort((one, other) => (one.hour < other.hour ? 1 : -1));
}

export function senderTiles(hours: readonly SenderHour[], callsPerSecond: number): Html {
  const sum = (member: 'calls' | 'fewest' | 'faults') => hours.reduce((total, hour) => total + hour[member], 0);
  const [calls, fewest, faults] = [sum('calls'), sum('fewest'), sum('faults')];
  const quota = callsPerSecond * 60;
  const busiest = Math.max(0, ...hours.map((hour) => hour.busiest));
  const share = ((busiest / quota) * 100).toLocaleString('en-US', { maximumFractionDigits: 1 });
  return html`<ul class="tiles" role="list">
<li class="tile">Calls<strong>${units(calls)}</strong><small>${units(fewest)} is the fewest possible, at ${MAX_RECORDS_PER_CALL} records a call</small></li>
<li class="tile">Busiest run<strong>${units(busiest)}</strong><small>calls; AWS takes ${units(quota)} a minute (${share} % used)</small></li>
<li class="tile">Calls that failed<strong>${units(faults)}</strong><small>throttled, timed out or refused as a whole; their records are sent again</small></li>
</ul>`;
}

export function senderTable(hours: readonly SenderHour[], timeZone: string): Table {
  return {
    name: 'sender',
    caption: 'Calls by hour of sending',
    columns: [
      { name: 'Sent in', kind: 'head' },
      { name: 'Calls', kind: 'number' },
      { name: 'Fewest possible', kind: 'number' },
      { name: 'Records', kind: 'number' },
      { name: 'Honoured', kind: 'number' },
      { name: 'Failed calls', kind: 'number' },
      { name: 'Busiest run', kind: 'number' },
    ],
    rows: hours.map(({ hour, calls, fewest, records, honoured, faults, busiest }): Cell[] => [
      hourInstant(hour, timeZone),
      calls,
      fewest,
      records,
      honoured,
      faults,
      busiest,
    ]),
    none: 'Nothing was sent today or yesterday.',
  };
}
