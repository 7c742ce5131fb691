// A log of web requests as usage events.
import { type HourStart, hourOf } from '../lambdas/domain/hour.ts';

export interface TrafficEvent {
  readonly id: string;
  readonly client: number;
  readonly dimension: string;
  readonly quantity: number;
  readonly atMs: number;
}

const HEADER = 'request,time,client,bytes';
const BYTES_PER_KIB = 1_024;

/** Reads the log: a request is one unit of `requests`, its bytes rounded up to KiB are `kib_sent`, nothing for 0. */
export function readTraffic(csv: string): readonly TrafficEvent[] {
  const [header, ...rows] = csv.split(/\r?\n/).filter((line) => line !== '');
  if (header !== HEADER)
    throw new Error(`The file has to begin with the line '${HEADER}'; it begins with '${header}'.`);
  return rows.flatMap((row, index) => {
    const [request = '', time = '', client = '', bytes = ''] = row.split(',');
    const atMs = Date.parse(time);
    if (!/^\d+$/.test(request) || !/^\d+$/.test(client) || !/^\d+$/.test(bytes) || Number.isNaN(atMs)) {
      throw new Error(`Row ${index + 2} is not request,time,client,bytes: '${row}'.`);
    }
    const event = { id: request, client: Number(client), atMs };
    const kib = Math.ceil(Number(bytes) / BYTES_PER_KIB);
    const requests = { ...event, dimension: 'requests', quantity: 1 };
    return kib > 0 ? [requests, { ...event, dimension: 'kib_sent', quantity: kib }] : [requests];
  });
}

/** The events of each hour, in the order in which they came. */
export function eventsByHour(events: readonly TrafficEvent[]): ReadonlyMap<HourStart, readonly TrafficEvent[]> {
  return Map.groupBy(events, (event) => hourOf(event.atMs));
}

export function customerOf(event: TrafficEvent, customers: number): number {
  return event.client % customers;
}
