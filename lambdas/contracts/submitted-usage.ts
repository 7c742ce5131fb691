// What another pipeline submitted, as the metering table of AWS's serverless SaaS sample tells it.
import * as v from 'valibot';
import { hourOf } from '../domain/hour.ts';
import { LICENCE_ARN_PATTERN, licenceKeyOf } from '../domain/licence.ts';
import type { SubmittedBy, SubmittedUsage } from '../domain/operations/submitted-usage.ts';
import { isQuantity } from '../domain/quantity.ts';
import { jsonValues, listed, Members } from './json-text.ts';

const Num = v.pipe(v.union([v.number(), v.string()]), v.transform(Number));
const Flag = v.union([v.boolean(), v.string()]);

const Row = v.looseObject({
  customerIdentifier: v.pipe(v.string(), v.nonEmpty()),
  create_timestamp: Num,
  dimension_usage: v.array(v.looseObject({ dimension: v.string(), value: Num })),
  metering_pending: v.nullish(Flag),
  metering_failed: v.nullish(Flag),
  metering_response: v.nullish(v.unknown()),
});

const Response = v.looseObject({
  Results: v.array(v.looseObject({ Status: v.string(), UsageRecord: v.looseObject({ Dimension: v.string() }) })),
});

interface SubmittedRows {
  readonly usage: readonly SubmittedUsage[];
  /** Rows that could not be read, and why. */
  readonly unread: readonly string[];
}

/**
 * Reads rows of the sample's table: a scan (`{"Items":[…]}`), an export with an item a line, or a list; plain or in
 * DynamoDB's own notation. Each row counts for the hour in which it was made, whenever it was submitted.
 */
export function parseMeteringTable(text: string, productCode: string): SubmittedRows {
  const usage: SubmittedUsage[] = [];
  const unread: string[] = [];
  for (const [index, value] of listed(jsonValues(text), 'Items').entries()) {
    const row = v.safeParse(Row, plain(itemOf(value)));
    const read = row.success ? usageOf(row.output, productCode) : undefined;
    if (read) usage.push(...read);
    else {
      const wrong = row.success ? 'its time or an amount' : (v.getDotPath(row.issues[0]) ?? 'the whole');
      unread.push(`Row ${index + 1} could not be read: ${wrong}.`);
    }
  }
  return { usage, unread };
}

/** An export of DynamoDB puts each item under `Item`. */
function itemOf(value: unknown): unknown {
  return v.is(Members, value) && v.is(Members, value['Item']) ? value['Item'] : value;
}

function usageOf(row: v.InferOutput<typeof Row>, productCode: string): SubmittedUsage[] | undefined {
  const atMs = epochMs(row.create_timestamp);
  const hasAmounts = row.dimension_usage.every(({ value }) => isQuantity(value));
  if (atMs === undefined || !hasAmounts) return undefined;
  const by = submittedBy(row.customerIdentifier, productCode);
  const failed = failedDimensions(row.metering_response);
  return row.dimension_usage.map(({ dimension, value: quantity }) => {
    const state = isSet(row.metering_pending)
      ? 'pending'
      : isSet(row.metering_failed) || failed.has(dimension)
        ? 'failed'
        : 'submitted';
    return { ...by, dimension, quantity, hour: hourOf(atMs), state };
  });
}

/** Later forms of the sample have the licence's ARN in the same place. */
function submittedBy(customerIdentifier: string, productCode: string): SubmittedBy {
  if (LICENCE_ARN_PATTERN.test(customerIdentifier)) {
    return { licenceKey: licenceKeyOf({ style: 'licence', licenceArn: customerIdentifier }) };
  }
  return { customerIdentifier, licenceKey: licenceKeyOf({ style: 'legacy', productCode, customerIdentifier }) };
}

/** Documented as seconds; milliseconds to nanoseconds are found in the field, and told apart by their size. */
function epochMs(timestamp: number): number | undefined {
  if (!Number.isFinite(timestamp) || timestamp < 0) return undefined;
  if (timestamp < 1e11) return timestamp * 1e3;
  if (timestamp < 1e14) return timestamp;
  if (timestamp < 1e17) return timestamp / 1e3;
  return timestamp < 1e20 ? timestamp / 1e6 : undefined;
}

/** The dimensions that AWS answered, and not with Success. The sample marks a row as done whatever the answer. */
function failedDimensions(response: unknown): ReadonlySet<string> {
  const value =
    typeof response === 'string' ? v.safeParse(v.pipe(v.string(), v.parseJson()), response).output : response;
  const answer = v.safeParse(Response, value);
  if (!answer.success) return new Set();
  const wrong = answer.output.Results.filter(({ Status }) => Status !== 'Success');
  return new Set(wrong.map(({ UsageRecord }) => UsageRecord.Dimension));
}

function isSet(flag: string | boolean | null | undefined): boolean {
  return flag === true || flag === 'true';
}

const TYPE_NAMES: ReadonlySet<string> = new Set(['S', 'N', 'BOOL', 'L', 'M', 'NULL']);

/** A value without DynamoDB's names of types, where it has them. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!v.is(Members, value)) return value;
  const [[type, inner] = [], ...others] = Object.entries(value);
  if (type !== undefined && others.length === 0 && TYPE_NAMES.has(type)) return type === 'NULL' ? null : plain(inner);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}
