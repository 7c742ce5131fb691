// The feed of lifecycle facts. A fact is scheduled when it is known, and appears when the clock has reached it.
import { isoInstant } from '../clock.ts';
import type { JsonObject } from '../json.ts';
import type { Agreement } from './agreements.ts';
import { numberOf, type Row } from './database.ts';
import type { World } from './world.ts';

type EventKind = 'agreementCreated' | 'licenceUpdated' | 'agreementEnded' | 'licenceDeprovisioned';

interface ScheduledEvent {
  readonly atMs: number;
  readonly kind: EventKind;
  readonly agreementId: string;
  readonly status?: string;
}

/** Plans a fact for an instant, which may be past: then it appears with the next reading. */
export function schedule(world: World, event: ScheduledEvent): void {
  world.db.run(
    'INSERT INTO scheduled_events (at_ms, kind, agreement_id, status) VALUES (?, ?, ?, ?)',
    event.atMs,
    event.kind,
    event.agreementId,
    event.status ?? null,
  );
}

/**
 * Forgets what was to come of an agreement's end and schedules the end that it now has. What has already happened must
 * be in the feed before: every call settles the world first.
 */
export function rescheduleEnd(world: World, agreement: Agreement): void {
  const { agreementId, endedMs, deprovisionedMs, provisionedMs } = agreement;
  const ends = "kind IN ('agreementEnded', 'licenceDeprovisioned')";
  world.db.run(`DELETE FROM scheduled_events WHERE agreement_id = ? AND ${ends}`, agreementId);
  if (provisionedMs === undefined) {
    world.db.run("DELETE FROM scheduled_events WHERE agreement_id = ? AND kind = 'licenceUpdated'", agreementId);
  }
  if (endedMs === undefined) return;
  schedule(world, { atMs: endedMs, kind: 'agreementEnded', agreementId, status: agreement.endStatus ?? 'CANCELLED' });
  if (deprovisionedMs !== undefined) {
    schedule(world, { atMs: deprovisionedMs, kind: 'licenceDeprovisioned', agreementId });
  }
}

/** Moves what is due by `untilMs` into the feed, in the order of time. Its numbers never change afterwards. */
export function settleEvents(world: World, untilMs: number): void {
  if (world.db.one('SELECT 1 FROM scheduled_events WHERE at_ms <= ? LIMIT 1', untilMs) === undefined) return;
  world.db.run(
    `INSERT INTO events (at_ms, kind, agreement_id, status)
     SELECT at_ms, kind, agreement_id, status FROM scheduled_events WHERE at_ms <= ? ORDER BY at_ms, id`,
    untilMs,
  );
  world.db.run('DELETE FROM scheduled_events WHERE at_ms <= ?', untilMs);
}

/** The facts after `afterSeq`, oldest first, at most `limit`; `next` is what to ask after the next time. */
export function readEvents(world: World, afterSeq: number, limit: number): { events: JsonObject[]; next: number } {
  const rows = world.db.all(
    `SELECT e.seq, e.at_ms, e.kind, e.status, a.agreement_id, a.licence_arn, a.product_code, p.product_id,
            a.aws_account_id, a.customer_identifier, a.offer_id, a.free_trial, a.intent, a.previous_agreement_id,
            a.accepted_ms, a.starts_ms
     FROM events e JOIN agreements a USING (agreement_id) LEFT JOIN products p USING (product_code)
     WHERE e.seq > ? ORDER BY e.seq LIMIT ?`,
    afterSeq,
    limit,
  );
  const last = rows.at(-1);
  return { events: rows.map(toEvent), next: last === undefined ? afterSeq : numberOf(last, 'seq') };
}

function toEvent(row: Row): JsonObject {
  return {
    seq: row['seq'],
    at: isoInstant(numberOf(row, 'at_ms')),
    kind: row['kind'],
    agreementId: row['agreement_id'],
    licenceArn: row['licence_arn'],
    productCode: row['product_code'],
    productId: row['product_id'],
    awsAccountId: row['aws_account_id'],
    ...(row['customer_identifier'] !== null && { customerIdentifier: row['customer_identifier'] }),
    ...(row['status'] !== null && { status: row['status'] }),
    offerId: row['offer_id'],
    freeTrial: row['free_trial'] === 1,
    intent: row['intent'],
    ...(row['previous_agreement_id'] !== null && { previousAgreementId: row['previous_agreement_id'] }),
    acceptedAt: isoInstant(numberOf(row, 'accepted_ms')),
    startsAt: isoInstant(numberOf(row, 'starts_ms')),
  };
}
