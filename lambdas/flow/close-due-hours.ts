// Reads:       late markers, ending licences, and how far the fixed looks have come
// Writes:      what the looks write; then the progress of the looks, the watermark, and cleared markers
// Once per:    progress once an hour and look; everything else converges, however often it runs
// If it stops: looks that were not noted are made again, and find nothing to do
import { deadlineOf, lastHourOf, lastHourSealsByAt } from '../domain/deadline.ts';
import { Unavailable } from '../domain/failure.ts';
import { addHours, HOUR_MS, type HourStart, hourEndMs, hourOf, hoursBetween } from '../domain/hour.ts';
import { SHARD_COUNT, shardOf } from '../domain/keys.ts';
import { isLive } from '../domain/ledger.ts';
import type { Licence, LicenceEnding } from '../domain/licence.ts';
import type { MeteringPolicy } from '../domain/metering-policy.ts';
import { addLook, type ClosePorts, closeHour, contained, type LookResult, nothingDone } from './close-hour.ts';
import type { LateMarker } from './ports.ts';

/** Whether there is still time to start another piece of work. */
export type HasTime = () => boolean;

/**
 * Closes everything that is due: ending licences first, then hours with late usage, then the fixed looks, oldest
 * hour first. Stops early, with its progress noted, when time runs out. A fault at one hour and shard leaves the
 * others alone; throws Unavailable at the end where there was one, so that somebody is woken.
 */
export async function closeDueHours(ports: ClosePorts, hasTime: HasTime): Promise<LookResult> {
  const result = nothingDone();
  const inTime = (task: () => Promise<LookResult>) => async () => {
    if (!hasTime()) return;
    await contained(ports, {}, result, async () => addLook(result, await task()));
  };
  const endings = await ports.customers.endingLicences();
  await sideBySide(endings.map((licence) => inTime(() => closeEnding(ports, licence))));
  const markers = await ports.work.lateMarkers();
  await sideBySide(markers.map((marker) => inTime(() => lookAtMarked(ports, marker))));
  await makeFixedLooks(ports, hasTime, result);
  if (result.failed === 0) return result;
  throw new Unavailable('ClosingIncomplete', 'Some hours could not be closed; the log names each.', {
    facts: { ...result },
  });
}

async function lookAtMarked(ports: ClosePorts, marker: LateMarker): Promise<LookResult> {
  const look = await closeHour(ports, marker);
  // A marker of an hour that may not be closed yet stays: the look that it asks for has not happened.
  if (look.waiting + look.failed === 0) await ports.work.clearLate(marker);
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

async function makeFixedLooks(ports: ClosePorts, hasTime: HasTime, result: LookResult): Promise<void> {
  const { policy } = ports;
  const nowMs = ports.clock();
  const from = (await ports.work.watermark()) ?? hourOf(nowMs - lastLookMs(policy) - HOUR_MS);
  const done = new Map((await ports.work.looks(from)).map(({ hour, looksDone }) => [hour, looksDone]));
  let watermark: HourStart = from;
  let isUnbroken = true;
  for (const hour of hoursBetween(from, hourOf(nowMs))) {
    const due = looksDue(hour, nowMs, policy);
    if (due > (done.get(hour) ?? 0)) {
      if (!hasTime()) break;
      const isDone = await lookAtShards(ports, hour, result);
      if (isDone) await ports.work.noteLooks({ hour, looksDone: due });
      isUnbroken &&= isDone;
    }
    isUnbroken &&= due === looksOf(policy);
    if (isUnbroken) watermark = addHours(hour, 1);
  }
  if (watermark !== from || done.size === 0) await ports.work.raiseWatermark(watermark);
}

/** Whether every shard of the hour was looked at without a fault; if not, the look is made again. */
async function lookAtShards(ports: ClosePorts, hour: HourStart, result: LookResult): Promise<boolean> {
  const looks = nothingDone();
  const shards = Array.from({ length: SHARD_COUNT }, (_, shard) => shard);
  const lookAt = (shard: number) => async () => addLook(looks, await closeHour(ports, { hour, shard }));
  await sideBySide(shards.map((shard) => () => contained(ports, { hour, shard }, looks, lookAt(shard))));
  addLook(result, looks);
  return looks.failed === 0;
}

function looksOf(policy: MeteringPolicy): number {
  return 1 + policy.laterLooksMs.length;
}

/** How many of the fixed looks at an hour are due by now. */
function looksDue(hour: HourStart, nowMs: number, policy: MeteringPolicy): number {
  const ageMs = nowMs - hourEndMs(hour);
  return [policy.settleDelayMs, ...policy.laterLooksMs].filter((atAgeMs) => ageMs >= atAgeMs).length;
}

function lastLookMs(policy: MeteringPolicy): number {
  return Math.max(policy.settleDelayMs, ...policy.laterLooksMs);
}

/**
 * The two phases of a licence's end. Past hours are closed at once, their records brought forward to the new
 * deadline, and late usage carried into the running hour; the last hour is sealed once access is revoked and usage
 * has drained, after every earlier hour is settled, or when its own deadline leaves no more time.
 */
async function closeEnding(ports: ClosePorts, licence: Licence): Promise<LookResult> {
  const result = nothingDone();
  const { ending } = licence;
  if (!ending) return result;
  const { policy } = ports;
  const shard = shardOf(licence.licenceKey);
  const lastHour = lastHourOf(ending, policy);
  for (const hour of hoursBetween(firstOpenHour(ending, policy), lastHour)) {
    await hastenRecords(ports, licence, hour, shard);
    addLook(result, await closeHour(ports, { hour, shard, licence }));
  }
  const earlierSettled = result.waiting + result.awaiting + result.broken + result.failed === 0;
  await hastenRecords(ports, licence, lastHour, shard);
  addLook(result, await closeHour(ports, { hour: lastHour, shard, licence, earlierSettled }));
  // Looked at until the final window has passed: late usage of the last minutes still has a place to show.
  const doneAt = Math.max(lastHourSealsByAt(ending, policy), deadlineOf(lastHour, ending, policy));
  if (ports.clock() >= doneAt && result.failed === 0) await ports.customers.finishEnding(licence.licenceKey);
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
