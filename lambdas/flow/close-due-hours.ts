// Reads:       late markers, ending licences, and how far the fixed looks have come
// Writes:      what the looks write; then the progress of the looks, the watermark, cleared markers, and a mark an hour
//              that is to be summarised anew
// Once per:    progress once an hour and look; everything else converges, however often it runs
// If it stops: looks that were not noted are made again, and find nothing to do
import { deadlineOf, lastHourOf, lastHourSealsByAt } from '../domain/deadline.ts';
import { Unavailable } from '../domain/failure.ts';
import { HOUR_MS, type HourStart, hourEndMs, hourOf, hoursBetween, MINUTE_MS } from '../domain/hour.ts';
import { SHARD_COUNT, shardOf } from '../domain/keys.ts';
import { isLive } from '../domain/ledger.ts';
import type { Licence, LicenceEnding } from '../domain/licence.ts';
import { firstUnclosedHour, type MeteringPolicy } from '../domain/metering-policy.ts';
import {
  addLook,
  type ClosePorts,
  closeHour,
  contained,
  type Look,
  type LookResult,
  nothingDone,
} from './close-hour.ts';
import type { LateMarker, PartialLook } from './ports.ts';

/** Whether there is still time to start another piece of work. */
export type HasTime = () => boolean;

/**
 * Closes everything that is due: ending licences first, then hours with late usage, then the fixed looks, oldest
 * hour first. Stops early, with its progress noted, when time runs out. A fault at one hour and shard leaves the
 * others alone; throws Unavailable at the end where there was one, so that somebody is woken.
 */
export async function closeDueHours(ports: ClosePorts, hasTime: HasTime): Promise<LookResult> {
  const result = nothingDone();
  const touched = new Set<HourStart>();
  const run: CloseRun = { ...ports, touched };
  const inTime = (task: () => Promise<LookResult>) => async () => {
    if (!hasTime()) return;
    await contained(ports, {}, result, async () => addLook(result, await task()));
  };
  await contained(ports, { stage: 'endings' }, result, async () => {
    const faults = new Map<string, unknown>();
    const endings = await ports.customers.endingLicences((licenceKey, fault) => void faults.set(licenceKey, fault));
    await sideBySide(endings.map((licence) => inTime(() => closeEnding(run, licence))));
    // One that can't be read keeps none of the others from being closed in time.
    for (const [licenceKey, fault] of faults) {
      await contained(ports, { stage: 'endings', licenceKey }, result, () => Promise.reject(fault));
    }
  });
  await contained(ports, { stage: 'markers' }, result, async () => {
    const markers = await ports.work.lateMarkers();
    await sideBySide(markers.map((marker) => inTime(() => lookAtMarked(run, marker))));
    await ports.work.sweepLate(ports.clock() - CLEARED_KEPT_MS);
  });
  await contained(ports, { stage: 'looks' }, result, () => makeFixedLooks(run, hasTime, result));
  // A mark that is lost costs a day at most: then each hour is summarised whether it is marked or not.
  await contained(ports, { stage: 'marks' }, result, () => ports.work.markTouched(touched));
  if (result.failed === 0) return result;
  throw new Unavailable('ClosingIncomplete', 'Some hours could not be closed; the log names each.', {
    facts: { ...result },
  });
}

/**
 * A cleared marker is deleted only when no run that read it can still be alive (Lambda ends one after five minutes):
 * a deleted marker begins to count anew, and an old run would take the new one for the one it read.
 */
const CLEARED_KEPT_MS = 15 * MINUTE_MS;

/** A run, and the hours of which it has changed anything. */
interface CloseRun extends ClosePorts {
  readonly touched: Set<HourStart>;
}

async function lookAt(run: CloseRun, look: Look): Promise<LookResult> {
  const result = await closeHour(run, look).catch((fault) => {
    // What it did before stands.
    run.touched.add(look.hour);
    throw fault;
  });
  const { sealed, carried, held, included, rejected, awaiting, broken, failed } = result;
  if (sealed + carried + held + included + rejected + awaiting + broken + failed > 0) run.touched.add(look.hour);
  return result;
}

async function lookAtMarked(ports: CloseRun, marker: LateMarker): Promise<LookResult> {
  const look = await lookAt(ports, marker);
  // A marker of an hour that may not be closed yet stays: the look that it asks for has not happened.
  if (look.waiting + look.failed + look.unfinished === 0) await ports.work.clearLate(marker, ports.clock());
  return look;
}

/** Partitions side by side: each is a few reads for most hours. */
const SIDE_BY_SIDE = 16;

async function sideBySide(tasks: readonly (() => Promise<void>)[]): Promise<void> {
  const queue = tasks.values();
  const worker = async () => {
    for (const task of queue) await task();
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
}

async function makeFixedLooks(ports: CloseRun, hasTime: HasTime, result: LookResult): Promise<void> {
  const { policy } = ports;
  const nowMs = ports.clock();
  const from = (await ports.work.watermark()) ?? firstUnclosedHour(nowMs);
  const progress = new Map((await ports.work.looks(from)).map((each) => [each.hour, each]));
  const hours = hoursBetween(from, hourOf(nowMs)).map((hour) => ({
    hour,
    due: looksDue(hour, nowMs, policy),
    done: progress.get(hour)?.looksDone ?? 0,
  }));
  const finished = new Set(hours.filter(({ done }) => done === looksOf(policy)).map(({ hour }) => hour));
  // Hours that nobody has looked at come first: one hour that is slow to look at again must not keep them waiting.
  const work = hours.filter(({ due, done }) => due > done).sort((a, b) => Number(a.done > 0) - Number(b.done > 0));
  for (const { hour, due } of work) {
    if (!hasTime()) break;
    const isDone = await lookAtShards(ports, hour, due, progress.get(hour)?.partial, hasTime, result);
    if (!isDone) continue;
    await ports.work.noteLooks({ hour, looksDone: due });
    if (due === looksOf(policy)) finished.add(hour);
  }
  const unbroken = hours.findIndex(({ hour }) => !finished.has(hour));
  const watermark = unbroken === -1 ? hourOf(nowMs) : (hours[unbroken]?.hour ?? from);
  if (watermark !== from || progress.size === 0) await ports.work.raiseWatermark(watermark);
}

/** Whether every shard of the hour has had this look; those that have are noted where time or a fault stopped it. */
async function lookAtShards(
  ports: CloseRun,
  hour: HourStart,
  looks: number,
  before: PartialLook | undefined,
  hasTime: HasTime,
  result: LookResult,
): Promise<boolean> {
  const done = new Set(before?.looks === looks ? before.shards : []);
  const shards = Array.from({ length: SHARD_COUNT }, (_, shard) => shard).filter((shard) => !done.has(shard));
  const lookAtShard = (shard: number) => async () => {
    const look = await lookAt(ports, { hour, shard });
    addLook(result, look);
    if (look.failed + look.unfinished === 0) done.add(shard);
  };
  await sideBySide(
    shards.map((shard) => async () => {
      if (hasTime()) await contained(ports, { hour, shard }, result, lookAtShard(shard));
    }),
  );
  if (done.size === SHARD_COUNT) return true;
  await ports.work.noteShards(hour, { looks, shards: [...done].sort((a, b) => a - b) });
  return false;
}

function looksOf(policy: MeteringPolicy): number {
  return 1 + policy.laterLooksMs.length;
}

/** How many of the fixed looks at an hour are due by now. */
function looksDue(hour: HourStart, nowMs: number, policy: MeteringPolicy): number {
  const ageMs = nowMs - hourEndMs(hour);
  return [policy.settleDelayMs, ...policy.laterLooksMs].filter((atAgeMs) => ageMs >= atAgeMs).length;
}

/**
 * The two phases of a licence's end. Past hours are closed at once, their records brought forward to the new
 * deadline, and late usage carried into the running hour; the last hour is sealed once access is revoked and usage
 * has drained, after every earlier hour is settled, or when its own deadline leaves no more time.
 */
async function closeEnding(ports: CloseRun, licence: Licence): Promise<LookResult> {
  const result = nothingDone();
  const { ending } = licence;
  if (!ending) return result;
  const { policy } = ports;
  const shard = shardOf(licence.licenceKey);
  const lastHour = lastHourOf(ending, policy);
  for (const hour of hoursBetween(firstOpenHour(ending, policy), lastHour)) {
    // An hour at fault must not keep the last one from being sealed in time.
    await contained(ports, { hour, licenceKey: licence.licenceKey }, result, async () => {
      await hastenRecords(ports, licence, hour, shard);
      addLook(result, await lookAt(ports, { hour, shard, licence }));
    });
  }
  const { waiting, awaiting, broken, failed, unfinished } = result;
  const earlierSettled = waiting + awaiting + broken + failed + unfinished === 0;
  await hastenRecords(ports, licence, lastHour, shard);
  addLook(result, await lookAt(ports, { hour: lastHour, shard, licence, earlierSettled }));
  // Looked at until the final window has passed: late usage of the last minutes still has a place to show.
  const doneAt = Math.max(lastHourSealsByAt(ending, policy), deadlineOf(lastHour, ending, policy));
  if (ports.clock() >= doneAt && result.failed + result.unfinished === 0)
    await ports.customers.finishEnding(licence.licenceKey, ending);
  return result;
}

/** Hours before this one are past AWS's window, and have had their last look. */
function firstOpenHour(ending: LicenceEnding, policy: MeteringPolicy): HourStart {
  return hourOf(ending.noticeAt - policy.meteringWindowMs - HOUR_MS);
}

/** An end brings deadlines forward: records that were sealed before it must not be sent by the old order. */
async function hastenRecords(ports: ClosePorts, licence: Licence, hour: HourStart, shard: number): Promise<void> {
  const deadlineAt = deadlineOf(hour, licence.ending, ports.policy);
  for await (const page of ports.ledger.entries(hour, shard, licence.licenceKey)) {
    for (const entry of page) {
      if (entry.kind !== 'sealed' || !isLive(entry.status) || entry.deadlineAt <= deadlineAt) continue;
      await ports.ledger.hasten(entry, deadlineAt);
    }
  }
}
