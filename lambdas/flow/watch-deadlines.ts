// Reads:       the state index, soonest deadline first, up to a bound; the records in it that may be in trouble; the
//              progress of the looks; held groups; notices and events that wait
// Writes:      nothing
// Once per:    run
// If it stops: nothing is left behind; the next minute's run reads it all anew
import { NOWHERE } from '../domain/books.ts';
import { deadlineOf } from '../domain/deadline.ts';
import { HOUR_MS, type HourStart, hourEndMs, hourOf, hoursBetween, parseHour } from '../domain/hour.ts';
import { isLive, type RecordStatus } from '../domain/ledger.ts';
import type { MeteringPolicy } from '../domain/metering-policy.ts';
import {
  type IndexedRecord,
  isOverdue,
  isStuck,
  isSuspect,
  type TimesLeft,
  timesLeft,
  unitsIn,
} from '../domain/watch.ts';
import type { Outbox } from './access-ports.ts';
import { liveLists, placeOf } from './live-lists.ts';
import type { NoticeStore } from './notice-ports.ts';
import type { LedgerStore, LiveRecord, WorkStore } from './ports.ts';

export interface WatchPorts {
  readonly ledger: Pick<LedgerStore, 'open' | 'refused' | 'attention' | 'records'>;
  readonly work: Pick<WorkStore, 'heldGroups' | 'watermark' | 'looks'>;
  readonly notices: Pick<NoticeStore, 'waiting'>;
  readonly outbox: Pick<Outbox, 'pending' | 'shards'>;
  readonly clock: () => number;
  readonly policy: MeteringPolicy;
  readonly stateShards: number;
}

/** How metering stands. Beyond the bounds, counts are "at least". */
export interface Watched {
  readonly leftMs: TimesLeft;
  /** How long ago the oldest hour ended of which a record is to be sent; 0 where none is. */
  readonly oldestOpenMs: number;
  readonly byStatus: Readonly<Record<RecordStatus, number>>;
  readonly heldLate: number;
  readonly unitsAtStake: number;
  readonly unitsLost: number;
  readonly hoursUnclosed: number;
  readonly groupsHeld: number;
  readonly noticesWaiting: number;
  readonly linksWaiting: number;
  readonly eventsUntold: number;
  readonly oldestUntoldMs: number;
}

/** References of each list that are looked at, the soonest deadlines first: of what is open, 20,000. */
const REFERENCES_LOOKED_AT = 2_500;

/** And of what is settled badly, the latest first: an outage that leaves thousands must not hide the few that are lost. */
const SETTLED_LOOKED_AT = 20_000;

/** Records that are read: in an outage all are in trouble, and the soonest deadlines tell enough. */
const SUSPECTS_READ = 200;
const SETTLED_READ = 100;

/** What was settled badly longer ago raises no alarm any more; it stays on the list of what needs a person. */
const ATTENTION_MS = 7 * 24 * HOUR_MS;

const EVENTS_LOOKED_AT = 1_000;

export async function watchDeadlines(ports: WatchPorts): Promise<Watched> {
  const nowMs = ports.clock();
  const [live, settled, unclosed, groups, waiting, untold] = await Promise.all([
    liveRecords(ports, nowMs),
    settledRecords(ports, nowMs),
    unclosedHours(ports, nowMs),
    ports.work.heldGroups(),
    ports.notices.waiting(),
    untoldEvents(ports, nowMs),
  ]);
  const { policy } = ports;
  const hours = unclosed.map((hour) => ({ hour, deadlineAt: deadlineOf(hour, undefined, policy) }));
  const open = live.standing.filter(({ status }) => status === 'open');
  return {
    leftMs: timesLeft([...live.waiting, ...hours], nowMs, policy),
    oldestOpenMs: Math.max(0, ...open.map(({ hour }) => nowMs - hourEndMs(hour))),
    byStatus: countsOf([...live.standing, ...settled.counted]),
    heldLate: settled.heldLate,
    unitsAtStake: live.atStake + settled.atStake,
    unitsLost: settled.lost,
    hoursUnclosed: unclosed.length,
    // One refusal makes a suspicion, and holds nothing yet.
    groupsHeld: [...groups.keys()].filter((key) => !key.startsWith('suspect ')).length,
    noticesWaiting: waiting.length,
    linksWaiting: waiting.filter(({ waitsFor }) => waitsFor === 'link').length,
    ...untold,
  };
}

/** What is to be sent and, where it may be in trouble, what was read of it. */
async function liveRecords(ports: WatchPorts, nowMs: number) {
  const { ledger, policy } = ports;
  const lists = liveLists(ledger, ports.stateShards).map((list) => list.pages(leaveToSender));
  const references = await firstOf(lists, REFERENCES_LOOKED_AT);
  const suspects = references.filter((reference) => isSuspect(reference, nowMs, policy));
  const read = new Set(suspects.slice(0, SUSPECTS_READ));
  const records = await ledger.records([...read], leaveToSender);
  // A zero that can't be sent harms nobody.
  const standing = records.filter(({ status, record }) => isLive(status) && record.quantity > 0);
  const stuck = standing.filter((sealed) => isStuck(sealed, nowMs, policy));
  // What was not read counts as what the index says: too much rather than too little.
  const unread: readonly IndexedRecord[] = references.filter((reference) => !read.has(reference));
  return {
    standing: [...standing, ...unread],
    waiting: [...stuck, ...unread],
    atStake: sum(stuck.map((sealed) => unitsIn(sealed).atStake)),
  };
}

async function settledRecords(ports: WatchPorts, nowMs: number) {
  const { ledger } = ports;
  const references = await firstOf([ledger.attention(leaveToSender, nowMs - ATTENTION_MS)], SETTLED_LOOKED_AT);
  const records = await ledger.records(references.slice(-SETTLED_READ), leaveToSender);
  const units = records.map(unitsIn);
  return {
    counted: references.filter(({ status }) => FAILED.has(status)),
    // What else is on the list is there for the late usage that it holds.
    heldLate: references.filter(({ status }) => !FAILED.has(status)).length,
    atStake: sum(units.map(({ atStake }) => atStake)),
    lost: sum(units.map(({ lost }) => lost)),
  };
}

const FAILED: ReadonlySet<RecordStatus> = new Set(['presumed', 'disputed', 'uncertain', 'expired']);

type Reference = LiveRecord & IndexedRecord;

/** The first references of each list, soonest deadline first. What has just moved may stand in two of them. */
async function firstOf(
  lists: readonly AsyncIterable<readonly LiveRecord[]>[],
  mostOfEach: number,
): Promise<readonly Reference[]> {
  const found = (await Promise.all(lists.map((pages) => firstOfOne(pages, mostOfEach)))).flat();
  const byPlace = new Map(found.map((reference) => [placeOf(reference), reference]));
  const references = [...byPlace.values()].flatMap((reference): Reference[] => {
    const hour = parseHour(reference.partition.slice(0, HOUR_LENGTH));
    return hour ? [{ ...reference, hour }] : [];
  });
  return references.sort((one, other) => one.deadlineAt - other.deadlineAt);
}

const HOUR_LENGTH = '2026-11-23T07'.length;

async function firstOfOne<T>(pages: AsyncIterable<readonly T[]>, most: number): Promise<T[]> {
  const found: T[] = [];
  for await (const page of pages) {
    found.push(...page.slice(0, most - found.length));
    if (found.length >= most) break;
  }
  return found;
}

/** Hours that are over and that the closer has not been through once, though it should have. */
async function unclosedHours({ work, policy }: WatchPorts, nowMs: number): Promise<readonly HourStart[]> {
  const from = await work.watermark();
  // A deployment that has never closed anything has nothing that is overdue; that its closer runs is another alarm.
  if (from === undefined) return [];
  const looked = new Set((await work.looks(from)).filter(({ looksDone }) => looksDone > 0).map(({ hour }) => hour));
  return hoursBetween(from, hourOf(nowMs)).filter((hour) => isOverdue(hour, nowMs, policy) && !looked.has(hour));
}

async function untoldEvents({ outbox }: WatchPorts, nowMs: number) {
  const shards = Array.from({ length: outbox.shards }, (_, shard) =>
    firstOfOne(outbox.pending(shard, leaveToTeller), EVENTS_LOOKED_AT),
  );
  const events = (await Promise.all(shards)).flat();
  return { eventsUntold: events.length, oldestUntoldMs: Math.max(0, ...events.map(({ at }) => nowMs - at)) };
}

function countsOf(records: readonly IndexedRecord[]): Record<RecordStatus, number> {
  const counts = { ...NONE };
  for (const { status } of records) counts[status] += 1;
  return counts;
}

const NONE: Readonly<Record<RecordStatus, number>> = { ...NOWHERE, carried: 0 };

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/** The sender reads the same records every minute, names what is malformed, and is loud about it. */
function leaveToSender(): void {}

/** And so is the teller of the product about events. */
function leaveToTeller(): void {}
