// AWS's own log of BatchMeterUsage calls: CloudTrail events, read leniently, since AWS promises no schema.
import * as v from 'valibot';
import { hourOf } from '../domain/hour.ts';
import { licenceKeyOf } from '../domain/licence.ts';
import { INVALID_CODES } from '../domain/metering-result.ts';
import type { CallTrail, SubmittedBy, TrailRecord } from '../domain/operations/submitted-usage.ts';
import { isQuantity } from '../domain/quantity.ts';
import { jsonValues, listed, Members } from './json-text.ts';

type Answer = TrailRecord['answer'];

/** Errors after which it is certain that nothing of the call was metered. */
const CERTAIN_ERRORS: ReadonlySet<string> = new Set([
  ...INVALID_CODES,
  'ThrottlingException',
  'AccessDenied',
  'AccessDeniedException',
  'UnauthorizedException',
  'DisabledApiException',
  'ExpiredTokenException',
]);

const Event = v.looseObject({
  eventname: v.string(),
  eventtime: v.pipe(v.string(), v.isoTimestamp()),
  awsregion: v.string(),
  errorcode: v.nullish(v.string()),
  requestparameters: v.nullish(v.unknown()),
  responseelements: v.nullish(v.unknown()),
});

/** Names differ in case between AWS's samples (`customerAWSAccountID`): all are read in lower case. */
const Usage = v.looseObject({
  dimension: v.string(),
  timestamp: v.union([v.string(), v.number()]),
  quantity: v.nullish(v.number(), 0),
  licensearn: v.nullish(v.string()),
  customeridentifier: v.nullish(v.string()),
  customerawsaccountid: v.nullish(v.string()),
});

type UsageMembers = v.InferOutput<typeof Usage>;

interface TrailDefaults {
  /** The product of calls whose product code the log leaves out. */
  readonly productCode?: string;
}

/**
 * Reads CloudTrail events: a file of `{"Records":[…]}`, a list, or one a line. Other calls are passed over; what
 * can't be read of this one is listed. Throws InvalidInput where the text is no JSON.
 */
export function parseCloudTrail(text: string, defaults: TrailDefaults = {}): CallTrail {
  const trail = { records: [] as TrailRecord[], unread: [] as string[] };
  for (const [index, value] of listed(jsonValues(text), 'Records', 'Events').entries()) {
    readEvent(embedded(value), index + 1, defaults, trail);
  }
  return trail;
}

/** `lookup-events` answers events whose text stands in a member. */
function embedded(value: unknown): unknown {
  const inner = v.is(Members, value) ? value['CloudTrailEvent'] : undefined;
  return typeof inner === 'string' ? jsonValues(inner)[0] : value;
}

interface Collected {
  readonly records: TrailRecord[];
  readonly unread: string[];
}

function readEvent(value: unknown, number: number, defaults: TrailDefaults, trail: Collected): void {
  const event = v.safeParse(Event, lowered(value));
  if (!event.success) {
    trail.unread.push(`Event ${number} is no CloudTrail event: ${event.issues[0].message}.`);
    return;
  }
  if (event.output.eventname !== 'BatchMeterUsage') return;
  const { awsregion: region, eventtime, errorcode, requestparameters, responseelements } = event.output;
  const request = membersOf(requestparameters);
  const productCode = typeof request['productcode'] === 'string' ? request['productcode'] : defaults.productCode;
  const at = Date.parse(eventtime);
  const add = (usage: unknown, answer: Answer, meteringRecordId?: unknown) => {
    const record = recordOf(usage, productCode);
    if (typeof record === 'string') {
      trail.unread.push(`Event ${number}: ${record}`);
      return;
    }
    const id = typeof meteringRecordId === 'string' && meteringRecordId !== '' ? { meteringRecordId } : {};
    trail.records.push({ ...record, ...id, region, answer, at });
  };
  const sent = listOf(request['usagerecords']);
  if (errorcode) {
    for (const usage of sent) add(usage, CERTAIN_ERRORS.has(errorcode) ? 'refused' : 'unknown');
    return;
  }
  const response = membersOf(responseelements);
  const [results, unprocessed] = [listOf(response['results']), listOf(response['unprocessedrecords'])];
  for (const result of results) {
    const { usagerecord, status, meteringrecordid } = membersOf(result);
    add(usagerecord, answerOf(status), meteringrecordid);
  }
  for (const usage of unprocessed) add(usage, 'refused');
  const answered = new Set([...results.map((each) => membersOf(each)['usagerecord']), ...unprocessed].map(identity));
  for (const usage of sent) if (!answered.has(identity(usage))) add(usage, 'unknown');
}

function answerOf(status: unknown): Answer {
  switch (status) {
    case 'Success':
      return 'metered';
    case 'DuplicateRecord':
      return 'duplicate';
    case 'CustomerNotSubscribed':
      return 'refused';
    default:
      return 'unknown';
  }
}

/** What a usage record tells, or in words why it tells too little. */
function recordOf(
  value: unknown,
  productCode: string | undefined,
): Omit<TrailRecord, 'region' | 'answer' | 'at'> | string {
  const usage = v.safeParse(Usage, value);
  if (!usage.success) return `a usage record has no ${v.getDotPath(usage.issues[0]) ?? 'members'} that can be read.`;
  const { dimension, quantity, timestamp } = usage.output;
  const atMs = instantOf(timestamp);
  if (atMs === undefined) return `the timestamp '${timestamp}' can't be read.`;
  if (!isQuantity(quantity)) return `the quantity ${quantity} is not a whole number.`;
  const by = submittedBy(usage.output, productCode);
  return typeof by === 'string' ? by : { ...by, dimension, quantity, hour: hourOf(atMs) };
}

function submittedBy(usage: UsageMembers, productCode: string | undefined): SubmittedBy | string {
  const { licensearn, customeridentifier, customerawsaccountid } = usage;
  const account = customerawsaccountid ? { accountId: customerawsaccountid } : {};
  if (licensearn) return { licenceKey: licenceKeyOf({ style: 'licence', licenceArn: licensearn }), ...account };
  if (!customeridentifier) return customerawsaccountid ? account : 'a usage record names no buyer.';
  if (productCode === undefined) return 'a usage record names a customer identifier, and the call no product code.';
  const name = { style: 'legacy', productCode, customerIdentifier: customeridentifier } as const;
  return { licenceKey: licenceKeyOf(name), customerIdentifier: customeridentifier, ...account };
}

/** `Sep 21, 2026 2:00:00 PM`, in UTC, with whatever kind of spaces. */
const JAVA_TIME = /^([A-Z][a-z]{2}) (\d{1,2}), (\d{4}),? (\d{1,2}):(\d{2}):(\d{2}) ([AP]M)$/;

/** Seconds and milliseconds of this century are told apart by their size. */
const SECONDS_BELOW = 100_000_000_000;

function instantOf(timestamp: string | number): number | undefined {
  const atMs = typeof timestamp === 'number' ? numberMs(timestamp) : textMs(timestamp);
  return Number.isFinite(atMs) && atMs >= 0 && atMs < 8_640_000_000_000_000 ? atMs : undefined;
}

function numberMs(timestamp: number): number {
  return timestamp < SECONDS_BELOW ? timestamp * 1_000 : timestamp;
}

function textMs(timestamp: string): number {
  const text = timestamp.replace(/\s+/gu, ' ').trim();
  if (/^\d+(\.\d+)?$/.test(text)) return numberMs(Number(text));
  if (JAVA_TIME.test(text)) return Date.parse(`${text.replace(/(\d{4}),/, '$1')} UTC`);
  return v.is(v.pipe(v.string(), v.isoTimestamp()), text) ? Date.parse(text) : Number.NaN;
}

/** A usage record of an answer is the one of the request, member by member. */
function identity(usage: unknown): string {
  const { dimension, timestamp, licensearn, customeridentifier, customerawsaccountid } = membersOf(usage);
  return JSON.stringify([dimension, timestamp, licensearn, customeridentifier, customerawsaccountid]);
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return v.is(Members, value) ? value : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function lowered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowered);
  if (!v.is(Members, value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toLowerCase(), lowered(member)]));
}
