// The body of POST /usage: events that the seller's product reports.
import * as v from 'valibot';
import { InvalidInput } from '../domain/failure.ts';
import { LICENCE_ARN_PATTERN } from '../domain/licence.ts';
import { MAX_DIMENSION_LENGTH } from '../domain/marketplace-limits.ts';
import type { Tags } from '../domain/tag-set.ts';
import { EVENT_ID_PATTERN } from '../domain/usage-event.ts';
import type { ReportEntry, UsageSubject } from '../flow/record-usage.ts';

/** More than this in one call is refused whole: a call has to end within the gateway's 29 seconds. */
export const MAX_EVENTS_PER_REPORT = 500;

export const MAX_REPORT_BYTES = 1_000_000;

/** How much of a refused event is kept for the operator. */
const RECEIVED_KEPT = 2_000;

const Time = v.pipe(
  v.string('time has to be text: ISO 8601 with a zone, such as 2026-11-23T07:15:00Z'),
  v.isoTimestamp('time has to be ISO 8601 with a zone, such as 2026-11-23T07:15:00Z'),
  v.check(isDayThatExists, 'time has to lie on a day that exists'),
  v.transform((text) => Date.parse(text)),
  v.check((atMs) => !Number.isNaN(atMs) && atMs >= 0, 'time has to be an instant that exists'),
);

const Event = v.pipe(
  v.strictObject({
    id: v.pipe(v.string(), v.regex(EVENT_ID_PATTERN, 'id has to be 1 to 128 printable ASCII characters without space')),
    customerId: v.exactOptional(v.pipe(v.string(), v.nonEmpty(), v.maxLength(64))),
    licenseArn: v.exactOptional(
      v.pipe(v.string(), v.regex(LICENCE_ARN_PATTERN, 'licenseArn has to be the ARN that AWS Marketplace gave')),
    ),
    productCode: v.exactOptional(v.pipe(v.string(), v.nonEmpty(), v.maxLength(255))),
    customerIdentifier: v.exactOptional(v.pipe(v.string(), v.nonEmpty(), v.maxLength(255))),
    dimension: v.pipe(v.string(), v.nonEmpty(), v.maxLength(MAX_DIMENSION_LENGTH)),
    // Only that it is a number: whether it can be billed is the door's to say, in words of its own.
    quantity: v.number('quantity has to be a number, not text'),
    time: Time,
    tags: v.exactOptional(v.custom<Tags>(isTextMap, 'tags has to be a map of text to text')),
  }),
  v.check(
    (event) => subjectsNamed(event) === 1,
    'name the buyer in exactly one way: customerId, or licenseArn, or productCode with customerIdentifier',
  ),
);

/** JavaScript reads 30 February as 2 March: usage would be billed on a day that nobody meant. */
function isDayThatExists(time: string): boolean {
  const day = time.slice(0, 10);
  const startMs = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(startMs) && new Date(startMs).toISOString().slice(0, 10) === day;
}

/** Checked by hand: a record schema drops keys such as `prototype`, and nothing may be dropped silently. */
function isTextMap(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((each) => typeof each === 'string');
}

const Report = v.strictObject({ events: v.array(v.unknown()) });

interface Named {
  readonly customerId?: string;
  readonly licenseArn?: string;
  readonly productCode?: string;
  readonly customerIdentifier?: string;
}

function subjectsNamed({ customerId, licenseArn, productCode, customerIdentifier }: Named): number {
  const isLegacy = productCode !== undefined && customerIdentifier !== undefined;
  const isHalf = (productCode === undefined) !== (customerIdentifier === undefined);
  return isHalf ? 0 : [customerId !== undefined, licenseArn !== undefined, isLegacy].filter(Boolean).length;
}

function subjectOf({ customerId, licenseArn, productCode, customerIdentifier }: Named): UsageSubject {
  if (customerId !== undefined) return { kind: 'customer', customerId };
  if (licenseArn !== undefined) return { kind: 'licence', name: { style: 'licence', licenceArn: licenseArn } };
  return {
    kind: 'licence',
    name: { style: 'legacy', productCode: productCode ?? '', customerIdentifier: customerIdentifier ?? '' },
  };
}

/** Reads a report. Throws InvalidInput where it is no report at all; a malformed event is an entry of its own. */
export function parseUsageReport(body: string): readonly ReportEntry[] {
  const json = v.safeParse(v.pipe(v.string(), v.parseJson()), body);
  if (!json.success)
    throw new InvalidInput('ReportMalformed', body === '' ? 'The body is empty.' : 'The body is not JSON.');
  const report = v.safeParse(Report, json.output);
  if (!report.success) {
    throw new InvalidInput(
      'ReportMalformed',
      'The body has to be JSON of the form {"events":[{"id":…,"customerId":…,"dimension":…,"quantity":…,"time":…}]}.',
    );
  }
  const { events } = report.output;
  if (events.length > MAX_EVENTS_PER_REPORT) {
    throw new InvalidInput(
      'ReportTooLong',
      `A report holds at most ${MAX_EVENTS_PER_REPORT} events; this one has ${events.length}. Send them in several reports.`,
    );
  }
  return events.map(parseUsageEvent);
}

/** Reads one event. Never throws. */
export function parseUsageEvent(value: unknown): ReportEntry {
  const received = writtenOut(value).slice(0, RECEIVED_KEPT);
  const event = v.safeParse(Event, value);
  if (!event.success) {
    const wrong = event.issues.map(explained).join('; ');
    return {
      kind: 'malformed',
      id: idOf(value),
      message: `The event was not understood. ${wrong.slice(0, 1_000)}`,
      received,
    };
  }
  const { id, dimension, quantity, time, tags } = event.output;
  return {
    kind: 'event',
    received,
    event: {
      id,
      dimension,
      quantity,
      atMs: time,
      subject: subjectOf(event.output),
      ...(tags === undefined ? {} : { tags }),
    },
  };
}

/** What is wrong with one member, in words of ours where the library's would not help. */
function explained(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? 'event';
  if (issue.expected === 'never') return `${path} is no member of an event`;
  if (path === 'event' && issue.kind === 'schema') return 'an event has to be an object';
  if (issue.received === 'undefined') return `${path} is missing`;
  return `${path}: ${issue.message}`;
}

/** What was received, as text; nothing where it is nested too deep to be written down again. */
function writtenOut(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}

function idOf(value: unknown): string {
  const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined;
  return typeof id === 'string' ? id.slice(0, 128) : '';
}
