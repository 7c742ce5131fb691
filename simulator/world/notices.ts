// The log of notices. A notice is planned when its action happens, and goes out when the clock has reached it.
import { randomUUID } from 'node:crypto';
import { isJsonObject, parseJson } from '../json.ts';
import { numberOf, optionalNumberOf, type Row, textOf } from './database.ts';
import { type NoticeDraft, noticeText } from './notice-bodies.ts';
import type { Delivery } from './products.ts';
import type { World } from './world.ts';

/** Why a notice is planned, so that what an end makes pointless can be found. */
export type Occasion = 'created' | 'licence' | 'change' | 'end' | 'ending';

/** `atMs` is when it happens, which the notice tells; when it goes out is the delivery's matter. */
export interface PlannedNotice {
  readonly atMs: number;
  readonly occasion: Occasion;
  readonly draft: NoticeDraft;
}

/** A notice that went out. */
export interface Notice {
  readonly seq: number;
  readonly dueMs: number;
  readonly channel: NoticeDraft['channel'];
  readonly name: string;
  readonly agreementId: string;
  /** Exactly what a consumer gets. */
  readonly body: string;
}

/** Plans the notices of one action: `delivery` decides in which order and when they go out. */
export function planNotices(
  world: World,
  agreementId: string,
  notices: readonly PlannedNotice[],
  { deliver, lateByMs }: Delivery,
): void {
  const times = notices.map(({ atMs }) => atMs);
  const [firstMs, lastMs] = [Math.min(...times), Math.max(...times)];
  const usual = notices.toSorted((one, other) => one.atMs - other.atMs);
  for (const notice of deliver === 'reordered' ? usual.toReversed() : usual) {
    const atMs = deliver === 'early' ? firstMs : notice.atMs;
    const dueMs = deliver === 'late' ? atMs + lateByMs : deliver === 'reordered' ? lastMs : atMs;
    const noticeId = randomUUID();
    // A second copy has the ids of the first: that is how a consumer knows it.
    for (let copies = deliver === 'twice' ? 2 : 1; copies > 0; copies -= 1) {
      world.db.run(
        `INSERT INTO scheduled_notices (due_ms, at_ms, occasion, agreement_id, channel, name, notice_id, body)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        dueMs,
        atMs,
        notice.occasion,
        agreementId,
        notice.draft.channel,
        notice.draft.name,
        noticeId,
        JSON.stringify(notice.draft.body),
      );
    }
  }
}

/** Takes back what was to come of an occasion from `fromMs` on. */
export function withdrawNotices(world: World, agreementId: string, occasion: Occasion, fromMs = 0): void {
  const sql = 'DELETE FROM scheduled_notices WHERE agreement_id = ? AND occasion = ? AND at_ms >= ?';
  world.db.run(sql, agreementId, occasion, fromMs);
}

/** Takes back a message that is to come, by its name. */
export function withdrawMessage(world: World, agreementId: string, name: string): void {
  world.db.run('DELETE FROM scheduled_notices WHERE agreement_id = ? AND name = ?', agreementId, name);
}

/** What began before an end is told before the end, however soon the end comes. */
export function hastenNotices(world: World, agreementId: string, endMs: number): void {
  world.db.run(
    `UPDATE scheduled_notices SET due_ms = due_ms - at_ms + ?2, at_ms = ?2
     WHERE agreement_id = ?1 AND occasion IN ('created', 'licence', 'change') AND at_ms > ?2`,
    agreementId,
    endMs,
  );
}

/** Moves what is due by `untilMs` into the log, in the order of time. Its numbers never change afterwards. */
export function settleNotices(world: World, untilMs: number): void {
  if (world.db.one('SELECT 1 FROM scheduled_notices WHERE due_ms <= ? LIMIT 1', untilMs) === undefined) return;
  world.db.run(
    `INSERT INTO notices (due_ms, at_ms, agreement_id, channel, name, notice_id, body)
     SELECT due_ms, at_ms, agreement_id, channel, name, notice_id, body
     FROM scheduled_notices WHERE due_ms <= ? ORDER BY due_ms, id`,
    untilMs,
  );
  world.db.run('DELETE FROM scheduled_notices WHERE due_ms <= ?', untilMs);
}

/** Notices after a number, oldest first. */
export function listNotices(world: World, afterSeq: number, limit: number): Notice[] {
  return world.db.all('SELECT * FROM notices WHERE seq > ? ORDER BY seq LIMIT ?', afterSeq, limit).map(toNotice);
}

/** The newest notices, newest first. */
export function latestNotices(world: World, limit: number): Notice[] {
  return world.db.all('SELECT * FROM notices ORDER BY seq DESC LIMIT ?', limit).map(toNotice);
}

/** When the next notice is due, or undefined. */
export function nextNoticeMs(world: World): number | undefined {
  const row = world.db.one('SELECT MIN(due_ms) AS due_ms FROM scheduled_notices');
  return row === undefined ? undefined : optionalNumberOf(row, 'due_ms');
}

function toNotice(row: Row): Notice {
  const channel = textOf(row, 'channel') === 'sns' ? 'sns' : 'eventbridge';
  const name = textOf(row, 'name');
  const stored = parseJson(textOf(row, 'body'))?.value;
  const body = isJsonObject(stored) ? stored : {};
  const noticeId = textOf(row, 'notice_id');
  return {
    seq: numberOf(row, 'seq'),
    dueMs: numberOf(row, 'due_ms'),
    channel,
    name,
    agreementId: textOf(row, 'agreement_id'),
    body: noticeText({ channel, name, body, noticeId, atMs: numberOf(row, 'at_ms') }),
  };
}
