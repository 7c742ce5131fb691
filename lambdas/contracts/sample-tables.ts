// Items of the tables of AWS's serverless SaaS sample, which the SaaS Builder Toolkit's share, as they are found there.
import * as v from 'valibot';
import { parseHour } from '../domain/hour.ts';
import type { MalformedBuyer, OldBuyer, OldClaim } from '../domain/migration/old-buyer.ts';
import type { OldAmount, OldAnswer, OldKey, OldRecord } from '../domain/migration/old-record.ts';
import { Members } from './json-text.ts';

/** A number as DynamoDB writes it: a double may not hold all of its digits. */
const StoredNumber = v.strictObject({ n: v.string() });
const Text = v.pipe(v.string(), v.trim(), v.nonEmpty());

const RecordKey = v.looseObject({ customerIdentifier: v.string(), create_timestamp: StoredNumber });

/** What we write onto a record that we take over. */
export const TAKEN_BY = 'taken_over';
const Mark = v.looseObject({ hour: v.string() });

/** Reads an item of the metering records. Never throws: what can't be read comes back as malformed, with its key. */
export function parseOldRecord(item: unknown): OldRecord {
  const row = v.parse(RecordKey, item);
  const key: OldKey = { customerIdentifier: row.customerIdentifier, createTimestamp: row.create_timestamp.n };
  const amounts = amountsOf(row['dimension_usage']);
  const atMs = epochMs(key.createTimestamp);
  const malformed = (code: string, message: string): OldRecord => ({
    kind: 'malformed',
    key,
    code,
    message: `${message} Mend the item in the old table, and run this again.`,
    amounts: amounts.read,
  });
  const isAnswered = row['metering_response'] !== undefined || row['metering_failed'] !== undefined;
  const isPending = row['metering_pending'] !== undefined;
  const taken = row[TAKEN_BY];
  if (!isPending && taken === undefined && isAnswered) {
    return { kind: 'closed', key, amounts: amounts.read, ...answerOf(row['metering_response']) };
  }
  if (amounts.problem) return malformed(...amounts.problem);
  if (atMs === undefined) {
    return malformed('timeMalformed', 'create_timestamp is no whole number of seconds, or smaller units, since 1970.');
  }
  const read = { key, atMs, amounts: amounts.read };
  if (taken !== undefined) {
    const mark = v.safeParse(Mark, taken);
    const hour = mark.success ? parseHour(mark.output.hour) : undefined;
    return hour ? { kind: 'taken', ...read, hour, isAnswered } : malformed('markMalformed', `${TAKEN_BY} is not ours.`);
  }
  if (!isPending)
    return malformed('neverPending', 'It has no metering_pending and no answer: nobody would ever send it.');
  if (row['metering_pending'] !== 'true') return malformed('pendingUnclear', 'metering_pending is not the text true.');
  if (isAnswered) {
    return malformed('answeredBefore', 'It was answered and is pending again: AWS may hold some of it already.');
  }
  return { kind: 'pending', ...read };
}

interface Amounts {
  readonly read: readonly OldAmount[];
  readonly problem?: readonly [code: string, message: string];
}

function amountsOf(usage: unknown): Amounts {
  if (!Array.isArray(usage) || usage.length === 0) {
    return { read: [], problem: ['usageMissing', 'dimension_usage is no list, or is empty.'] };
  }
  const read: OldAmount[] = [];
  let problem: Amounts['problem'];
  for (const entry of usage) {
    const one = amountOf(entry);
    if ('dimension' in one) read.push(one);
    else problem ??= one.problem;
  }
  return problem ? { read, problem } : { read };
}

const WHOLE = /^\d+$/;

function amountOf(entry: unknown): OldAmount | Required<Pick<Amounts, 'problem'>> {
  const members = v.is(Members, entry) ? entry : {};
  const { dimension, value } = members;
  if (typeof dimension !== 'string' || dimension === '') {
    return { problem: ['dimensionMissing', 'An entry of dimension_usage names no dimension.'] };
  }
  const divided = Object.keys(members).find((name) => /allocation|tags/i.test(name));
  if (divided)
    return { problem: ['allocations', `${dimension} is divided by ${divided}, which the sample never sends.`] };
  if (typeof value === 'string')
    return { problem: ['quantityText', `The value of ${dimension} is a text, not a number.`] };
  if (!v.is(StoredNumber, value)) return { problem: ['quantityMissing', `${dimension} has no value.`] };
  const quantity = Number(value.n);
  if (!WHOLE.test(value.n) || !Number.isSafeInteger(quantity)) {
    return { problem: ['quantityNotWhole', `The value of ${dimension} is no whole number of 0 or more.`] };
  }
  return { dimension, quantity };
}

/** Documented as seconds; milliseconds to nanoseconds are found in the field, and told apart by their size. */
function epochMs(text: string): number | undefined {
  if (!WHOLE.test(text) || text.length > 19) return undefined;
  const [first] = [
    [11, 1_000n, 1n] as const,
    [14, 1n, 1n] as const,
    [17, 1n, 1_000n] as const,
    [19, 1n, 1_000_000n] as const,
  ].filter(([digits]) => text.length <= digits);
  return first && Number((BigInt(text) * first[1]) / first[2]);
}

const Record = v.looseObject({
  Dimension: v.string(),
  Quantity: v.optional(v.number(), 0),
  Timestamp: v.optional(v.union([v.string(), v.number()])),
});
const Response = v.looseObject({
  Results: v.optional(v.array(v.looseObject({ Status: v.string(), UsageRecord: Record })), []),
  UnprocessedRecords: v.optional(v.array(Record), []),
});
const Fault = v.looseObject({ code: v.optional(v.string()), name: v.optional(v.string()) });

function answerOf(response: unknown): { answers: OldAnswer[]; fault?: string } {
  const value = decoded(decoded(response));
  const fault = v.safeParse(Fault, value);
  const named = fault.success ? (fault.output.code ?? fault.output.name) : undefined;
  const answer = v.safeParse(Response, value);
  if (!answer.success) return { answers: [], fault: named ?? 'ResponseUnreadable' };
  const { Results, UnprocessedRecords } = answer.output;
  if (Results.length + UnprocessedRecords.length === 0) return { answers: [], fault: named ?? 'NoAnswer' };
  return {
    answers: [
      ...Results.map(({ Status, UsageRecord }) => answered(Status, UsageRecord)),
      ...UnprocessedRecords.map((record) => answered('Unprocessed', record)),
    ],
  };
}

/** A fault stands there as a text of a text. */
function decoded(value: unknown): unknown {
  const json = typeof value === 'string' ? v.safeParse(v.pipe(v.string(), v.parseJson()), value) : undefined;
  return json?.success ? json.output : value;
}

function answered(
  status: string,
  { Dimension: dimension, Quantity: quantity, Timestamp }: v.InferOutput<typeof Record>,
): OldAnswer {
  const sentAtMs = typeof Timestamp === 'number' ? Timestamp * 1_000 : Date.parse(Timestamp ?? '');
  return { dimension, status, quantity, ...(Number.isNaN(sentAtMs) ? {} : { sentAtMs }) };
}

const Flag = v.optional(v.union([v.boolean(), v.string()]));
const Buyer = v.looseObject({
  customerIdentifier: v.string(),
  productCode: v.optional(Text),
  customerAWSAccountID: v.optional(Text),
  customerAwsAccountId: v.optional(Text),
  created: v.optional(v.union([v.string(), StoredNumber])),
  subscription_action: v.optional(v.string()),
  successfully_subscribed: Flag,
  subscription_expired: Flag,
  is_free_trial_term_present: Flag,
  contactEmail: v.optional(v.string()),
});

/** What the form of the sample calls what ours calls otherwise. */
const FIELDS: Readonly<Record<string, string>> = {
  companyName: 'company',
  contactPerson: 'name',
  contactPhone: 'phone',
};

/** Members that are none of the form's. The SaaS Builder Toolkit's forms have fields of the seller's own. */
const NO_FIELDS: ReadonlySet<string> = new Set([
  ...Object.keys(Buyer.entries),
  'entitlement',
  'entitlements',
  'updated_at',
  'successfully_registered',
  'regToken',
]);
const FIELD_NAME = /^[a-z][A-Za-z0-9_]{0,39}$/;

/** Reads an item of the subscribers. */
export function parseOldBuyer(item: unknown): OldBuyer | MalformedBuyer {
  const parsed = v.safeParse(Buyer, item);
  if (!parsed.success) {
    const named = v.is(v.looseObject({ customerIdentifier: v.string() }), item) ? item.customerIdentifier : '';
    const member = v.getDotPath(parsed.issues[0]) ?? 'the whole';
    return {
      kind: 'malformed',
      customerIdentifier: named,
      message: `The row can't be read: ${member} is of another type than the sample writes. Mend it, and run this again.`,
    };
  }
  const row = parsed.output;
  const { customerIdentifier, productCode, contactEmail } = row;
  const account = row.customerAWSAccountID ?? row.customerAwsAccountId;
  const createdAt = epochMs(typeof row.created === 'string' ? row.created : (row.created?.n ?? ''));
  return {
    kind: 'buyer',
    customerIdentifier,
    claim: claimOf(row),
    ...(productCode === undefined ? {} : { productCode }),
    ...(account === undefined ? {} : { customerAwsAccountId: account }),
    ...(contactEmail?.includes('@') ? { details: { email: contactEmail.trim(), fields: fieldsOf(row) } } : {}),
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(isSet(row.is_free_trial_term_present) ? { isFreeTrial: true } : {}),
  };
}

function fieldsOf(row: Readonly<Record<string, unknown>>): Record<string, string> {
  const told = Object.entries(row).flatMap(([name, value]) => {
    const field = FIELDS[name] ?? name;
    const isOne =
      typeof value === 'string' && value !== '' && !NO_FIELDS.has(name) && FIELD_NAME.test(field) && !(field in {});
    return isOne ? [[field, value] as const] : [];
  });
  return Object.fromEntries(told);
}

/** `unsubscribe-pending` sets both flags to false: the hour in which the buyer's access ends has begun. */
function claimOf(row: v.InferOutput<typeof Buyer>): OldClaim {
  const action = row.subscription_action;
  if (isSet(row.subscription_expired) || action === 'unsubscribe-pending' || action === 'unsubscribe-success')
    return 'ended';
  return isSet(row.successfully_subscribed) ? 'subscribed' : 'none';
}

function isSet(flag: string | boolean | undefined): boolean {
  return flag === true || flag === 'true';
}
