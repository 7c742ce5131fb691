// Reads:       what is open, a page a partition; the progress of the looks; who is to be looked at again; who has not registered
// Writes:      nothing
// Once per:    question; as many queries however many customers and records there are
// If it stops: ask again
import { HOUR_MS, hourEndMs, hourOf, hoursBetween, MINUTE_MS, parseHour } from '../../domain/hour.ts';
import { lastLookMs, type MeteringPolicy } from '../../domain/metering-policy.ts';
import { groupKeysOf } from '../../domain/metering-result.ts';
import type { NoticeStore } from '../notice-ports.ts';
import { type LedgerStore, type LiveRecord, REFERENCES_PER_PAGE, type WorkStore } from '../ports.ts';
import type { Background, CustomerDirectory, MissedRun } from '../read-ports.ts';
import { firstPage } from './first-page.ts';

export interface BackgroundPorts {
  readonly ledger: Pick<LedgerStore, 'open' | 'records'>;
  readonly work: Pick<WorkStore, 'heldGroups' | 'watermark' | 'looks'>;
  readonly notices: Pick<NoticeStore, 'due'>;
  readonly directory: Pick<CustomerDirectory, 'list'>;
  readonly clock: () => number;
  readonly policy: MeteringPolicy;
  /** Hours before its deadline from which an open record is told of. */
  readonly usageWarningHours: readonly number[];
  readonly stateShards: number;
}

/** Runs come each minute, the summaries' every five: so late, one was missed. */
export const LATE_MS = 30 * MINUTE_MS;

/** As many are named, and read at once. */
const NAMED = 100;

/**
 * What needs a person and takes a query a partition to find: runs that were missed, open records that are short of
 * time, buyers who have not registered. It changes slowly, so that it is read in the background and kept in the pulse.
 */
export async function readBackground(ports: BackgroundPorts): Promise<Background> {
  const nowMs = ports.clock();
  const [open, close, tell, unregistered] = await Promise.all([
    openRecords(ports, nowMs),
    missedCloses(ports, nowMs),
    overdueCustomers(ports, nowMs),
    ports.directory.list('unregistered', NAMED),
  ]);
  return {
    missed: [...open.missed, ...close, ...tell],
    shortOfTime: open.shortOfTime,
    unregistered: { customerIds: unregistered.items, isPartial: unregistered.cursor !== undefined },
  };
}

async function openRecords(ports: BackgroundPorts, nowMs: number) {
  const shards = Array.from({ length: ports.stateShards }, (_, shard) => shard);
  const lists = await Promise.all(
    shards.map((shard) => firstPage((skip) => ports.ledger.open(shard, skip), REFERENCES_PER_PAGE)),
  );
  const open = lists
    .flatMap(({ references }) => references)
    .filter(({ status }) => status === 'open')
    .sort((one, other) => one.deadlineAt - other.deadlineAt);
  const warnMs = Math.max(0, ...ports.usageWarningHours) * HOUR_MS;
  const short = open.filter(({ deadlineAt }) => deadlineAt - nowMs <= warnMs);
  const isPartial = lists.some(({ isFull }) => isFull);
  return {
    missed: await missedSending(ports, open, nowMs),
    shortOfTime: { references: short.slice(0, NAMED), count: short.length, isPartial },
  };
}

/** Records that are due and that no run of the sender takes, though nothing is in their way. */
async function missedSending(
  { ledger, work, policy }: BackgroundPorts,
  open: readonly LiveRecord[],
  nowMs: number,
): Promise<MissedRun[]> {
  const due = open.filter(({ partition, nextAttemptAt }) => {
    const hour = parseHour(partition.slice(0, HOUR_LENGTH));
    if (!hour) return false;
    const dueAt = Math.max(nextAttemptAt ?? 0, hourEndMs(hour) + policy.settleDelayMs);
    return dueAt + LATE_MS + policy.lingerMs <= nowMs;
  });
  const groups = await work.heldGroups();
  // Which group a record belongs to stands on itself alone: it is read only while any group is held.
  const late =
    groups.size === 0 || due.length === 0
      ? due
      : (await ledger.records(due.slice(0, NAMED), () => {})).filter(
          (record) => !groupKeysOf(record).some((key) => groups.has(key)),
        );
  if (late.length === 0) return [];
  const deadlineAt = Math.min(...late.map((each) => each.deadlineAt));
  return [
    {
      name: 'send-metering',
      deadlineAt,
      reason: late.length === 1 ? '1 record is due and unsent' : `${late.length} records are due and unsent`,
    },
  ];
}

const HOUR_LENGTH = '2026-11-23T07'.length;

/** Hours that should have had their first look by now. */
async function missedCloses({ work, policy }: BackgroundPorts, nowMs: number): Promise<MissedRun[]> {
  const watermark = await work.watermark();
  const from = watermark ?? hourOf(nowMs - lastLookMs(policy) - HOUR_MS);
  const looked = new Set((await work.looks(from)).flatMap(({ hour, looksDone }) => (looksDone > 0 ? [hour] : [])));
  const due = hoursBetween(from, hourOf(nowMs)).filter(
    (hour) => hourEndMs(hour) + policy.settleDelayMs + LATE_MS <= nowMs,
  );
  const missed = due.filter((hour) => !looked.has(hour));
  const [oldest] = missed;
  if (!oldest) return [];
  const since = hourEndMs(oldest) + policy.settleDelayMs;
  return [
    {
      name: 'close-hours',
      hour: oldest,
      since,
      reason:
        missed.length === 1
          ? '1 hour is over and was not looked at'
          : `${missed.length} hours are over and were not looked at`,
    },
  ];
}

/** Customers whose standing was to be folded again a while ago. */
async function overdueCustomers({ notices }: BackgroundPorts, nowMs: number): Promise<MissedRun[]> {
  const due = await notices.due(nowMs - LATE_MS);
  if (due.length === 0) return [];
  const since = Math.min(...due.map(({ changesAt }) => changesAt));
  const reason = `${due.length} customers are due to be looked at`;
  return [{ name: 'tell-product', ...(since === 0 ? {} : { since }), reason }];
}
