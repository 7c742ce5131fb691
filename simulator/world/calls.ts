// Every call that reached the wire, with what it was answered. Bodies are not kept: they may hold registration tokens.
import { isoInstant } from '../clock.ts';
import { type JsonObject, parseJson } from '../json.ts';
import { numberOf, optionalTextOf, type Row } from './database.ts';
import type { World } from './world.ts';

export interface Call {
  readonly operation: string;
  readonly region: string;
  readonly accessKeyId: string | undefined;
  readonly recordCount: number;
  /** 0 where no answer was given. */
  readonly httpStatus: number;
  readonly errorCode: string | undefined;
  /** One per record in the answer's Results, in their order. */
  readonly statuses: readonly string[];
  readonly unprocessed: number;
  readonly fault: string | undefined;
  readonly requestId: string;
}

/** Logs one call at the world's time. Once per call, in the transaction of its effect. */
export function logCall(world: World, call: Call): void {
  world.db.run(
    `INSERT INTO calls (at_ms, operation, region, access_key_id, record_count, http_status, error_code, statuses,
       unprocessed, fault, request_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    world.now(),
    call.operation,
    call.region,
    call.accessKeyId ?? null,
    call.recordCount,
    call.httpStatus,
    call.errorCode ?? null,
    call.statuses.length > 0 ? JSON.stringify(call.statuses) : null,
    call.unprocessed,
    call.fault ?? null,
    call.requestId,
  );
}

interface CallFilter {
  readonly afterSeq: number;
  readonly operation: string | undefined;
  readonly limit: number;
}

/** Calls after a number, oldest first. */
export function listCalls(world: World, filter: CallFilter): JsonObject[] {
  return world.db
    .all(
      'SELECT * FROM calls WHERE seq > ?1 AND (?2 IS NULL OR operation = ?2) ORDER BY seq LIMIT ?3',
      filter.afterSeq,
      filter.operation ?? null,
      filter.limit,
    )
    .map(toCall);
}

/** The newest calls, newest first. */
export function latestCalls(world: World, limit: number): JsonObject[] {
  return world.db.all('SELECT * FROM calls ORDER BY seq DESC LIMIT ?', limit).map(toCall);
}

/** Calls received since the world began, those answered with errors included. */
export function countCalls(world: World, operation: string | undefined): number {
  const sql = 'SELECT COUNT(*) AS count FROM calls WHERE (?1 IS NULL OR operation = ?1)';
  const row = world.db.one(sql, operation ?? null);
  return row === undefined ? 0 : numberOf(row, 'count');
}

function toCall(row: Row): JsonObject {
  const statuses = optionalTextOf(row, 'statuses');
  return {
    seq: row['seq'],
    at: isoInstant(numberOf(row, 'at_ms')),
    operation: row['operation'],
    region: row['region'],
    ...(row['access_key_id'] !== null && { accessKeyId: row['access_key_id'] }),
    recordCount: row['record_count'],
    httpStatus: row['http_status'],
    ...(row['error_code'] !== null && { errorCode: row['error_code'] }),
    ...(statuses !== undefined && { statuses: parseJson(statuses)?.value }),
    unprocessed: row['unprocessed'],
    ...(row['fault'] !== null && { fault: row['fault'] }),
    requestId: row['request_id'],
  };
}
