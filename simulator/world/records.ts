// Metered usage that was honoured: what AWS would bill. A record is never changed.
import { randomUUID } from 'node:crypto';
import { isoInstant } from '../clock.ts';
import { type JsonObject, parseJson } from '../json.ts';
import { numberOf, optionalTextOf, type Row, textOf } from './database.ts';
import type { World } from './world.ts';

export const HOUR_MS = 3_600_000;

interface MeteredRecord {
  /** What AWS takes for the same usage; the first record of a key stays, whatever comes later. */
  readonly billingKey: string;
  readonly region: string;
  readonly productCode: string;
  readonly licenceArn: string;
  readonly awsAccountId: string;
  readonly customerIdentifier: string | undefined;
  readonly dimension: string;
  readonly timestampMs: number;
  readonly quantity: number;
  /** Canonical JSON, so that equal allocations are equal texts. */
  readonly allocations: string | undefined;
}

interface StoredRecord {
  readonly meteringRecordId: string;
  readonly quantity: number;
  readonly allocations: string | undefined;
}

/** The start of the UTC hour that an instant lies in. */
export function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS) * HOUR_MS;
}

/** What was billed under a key, or undefined. */
export function findRecord(world: World, billingKey: string): StoredRecord | undefined {
  const sql = 'SELECT metering_record_id, quantity, allocations FROM records WHERE billing_key = ?';
  const row = world.db.one(sql, billingKey);
  if (row === undefined) return undefined;
  return {
    meteringRecordId: textOf(row, 'metering_record_id'),
    quantity: numberOf(row, 'quantity'),
    allocations: optionalTextOf(row, 'allocations'),
  };
}

/** Bills a record and returns its id. Throws where the key is taken: the caller has to look first. */
export function addRecord(world: World, record: MeteredRecord): string {
  const meteringRecordId = randomUUID();
  world.db.run(
    'INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    record.billingKey,
    meteringRecordId,
    record.region,
    record.productCode,
    record.licenceArn,
    record.awsAccountId,
    record.customerIdentifier ?? null,
    record.dimension,
    hourOf(record.timestampMs),
    record.timestampMs,
    record.quantity,
    record.allocations ?? null,
  );
  return meteringRecordId;
}

/** Which part of the bill: hours from (included) to (excluded), of a product, of a licence. */
export interface BillFilter {
  readonly fromMs: number;
  readonly toMs: number;
  readonly productCode: string | undefined;
  readonly licenceArn: string | undefined;
}

export const WHOLE_BILL: BillFilter = {
  fromMs: Number.MIN_SAFE_INTEGER,
  toMs: Number.MAX_SAFE_INTEGER,
  productCode: undefined,
  licenceArn: undefined,
};

const FILTER =
  'hour_ms >= ?1 AND hour_ms < ?2 AND (?3 IS NULL OR product_code = ?3) AND (?4 IS NULL OR licence_arn = ?4)';

function values(filter: BillFilter): [number, number, string | null, string | null] {
  return [filter.fromMs, filter.toMs, filter.productCode ?? null, filter.licenceArn ?? null];
}

/** The honoured records in the order of their hours; at most `limit`, counted from the newest hour when `newestFirst`. */
export function billLines(world: World, filter: BillFilter, limit = -1, newestFirst = false): JsonObject[] {
  const order = newestFirst ? 'hour_ms DESC' : 'hour_ms';
  return world.db
    .all(
      `SELECT * FROM records WHERE ${FILTER} ORDER BY ${order}, licence_arn, dimension, billing_key LIMIT ?5`,
      ...values(filter),
      limit,
    )
    .map(toLine);
}

export interface BillTotal {
  readonly productCode: string;
  readonly licenceArn: string;
  readonly awsAccountId: string;
  readonly dimension: string;
  readonly quantity: number;
  readonly records: number;
}

/** The sums per product, licence, account and dimension, in that order. A record counts in exactly one of them. */
export function billTotals(world: World, filter: BillFilter): BillTotal[] {
  return world.db
    .all(
      `SELECT product_code, licence_arn, aws_account_id, dimension, SUM(quantity) AS quantity, COUNT(*) AS records
       FROM records WHERE ${FILTER} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
      ...values(filter),
    )
    .map((row) => ({
      productCode: textOf(row, 'product_code'),
      licenceArn: textOf(row, 'licence_arn'),
      awsAccountId: textOf(row, 'aws_account_id'),
      dimension: textOf(row, 'dimension'),
      quantity: numberOf(row, 'quantity'),
      records: numberOf(row, 'records'),
    }));
}

/** How many different hours the bill has. */
export function countHours(world: World, filter: BillFilter): number {
  const sql = `SELECT COUNT(DISTINCT hour_ms) AS hours FROM records WHERE ${FILTER}`;
  const row = world.db.one(sql, ...values(filter));
  return row === undefined ? 0 : numberOf(row, 'hours');
}

function toLine(row: Row): JsonObject {
  const allocations = optionalTextOf(row, 'allocations');
  return {
    productCode: row['product_code'],
    licenceArn: row['licence_arn'],
    ...(row['customer_identifier'] !== null && { customerIdentifier: row['customer_identifier'] }),
    awsAccountId: row['aws_account_id'],
    dimension: row['dimension'],
    hour: isoInstant(numberOf(row, 'hour_ms')),
    timestamp: isoInstant(numberOf(row, 'timestamp_ms')),
    quantity: row['quantity'],
    meteringRecordId: row['metering_record_id'],
    region: row['region'],
    ...(allocations !== undefined && { allocations: parseJson(allocations)?.value }),
  };
}
