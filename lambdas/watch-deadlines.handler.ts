// Every minute: how much time is left before each deadline, and what is in trouble, as numbers for CloudWatch.
import { parseMeteringPolicy } from './contracts/product-settings.ts';
import { SECOND_MS } from './domain/hour.ts';
import { type Watched, watchDeadlines } from './flow/watch-deadlines.ts';
import { clientSettings } from './runtime/aws-client.ts';
import { built, type Surroundings } from './runtime/handler.ts';
import { unmeasured } from './runtime/metric.ts';
import { scheduleHandler } from './runtime/schedule.ts';
import { readSettings } from './runtime/settings.ts';
import { dynamoClient } from './stores/dynamo.ts';
import { STATE_SHARDS } from './stores/ledger-items.ts';
import { DynamoLedgerStore } from './stores/ledger-store.ts';
import { DynamoNoticeStore } from './stores/notice-store.ts';
import { DynamoOutboxStore } from './stores/outbox-store.ts';
import { DynamoWorkStore } from './stores/work-store.ts';

export function createWatchDeadlinesHandler({ environment, clock, log, measure = unmeasured }: Surroundings) {
  const settings = readSettings('watch-deadlines', environment);
  const client = dynamoClient(clientSettings(environment, 'DYNAMODB'));
  const { NOTICES_TABLE: notices, CUSTOMERS_TABLE: customers, WORK_TABLE: work } = settings;
  const ports = {
    ledger: new DynamoLedgerStore(client, settings.LEDGER_TABLE),
    work: new DynamoWorkStore(client, work),
    notices: new DynamoNoticeStore(client, { notices, customers }),
    outbox: new DynamoOutboxStore(client, { notices, customers, work }),
    clock,
    policy: parseMeteringPolicy(settings.METERING_POLICY),
    stateShards: STATE_SHARDS,
  };
  return scheduleHandler(log, 'DeadlinesWatched', async () => {
    const watched = await watchDeadlines(ports);
    measure('watch-deadlines', numbersOf(watched));
    return { leftSeconds: secondsOf(watched.leftMs.window), unitsAtStake: watched.unitsAtStake };
  });
}

function numbersOf({ leftMs, byStatus, ...watched }: Watched) {
  return {
    SecondsLeft: secondsOf(leftMs.window),
    SecondsLeftAtMonthEnd: secondsOf(leftMs.monthEnd),
    SecondsLeftOfEnding: secondsOf(leftMs.ending),
    OldestOpenSeconds: secondsOf(watched.oldestOpenMs),
    RecordsOpen: byStatus.open,
    RecordsHeld: byStatus.held,
    RecordsQuarantined: byStatus.quarantined,
    RecordsDisputed: byStatus.disputed,
    RecordsPresumed: byStatus.presumed,
    RecordsUncertain: byStatus.uncertain,
    RecordsExpired: byStatus.expired,
    RecordsHeldLate: watched.heldLate,
    UnitsAtStake: watched.unitsAtStake,
    UnitsLost: watched.unitsLost,
    HoursUnclosed: watched.hoursUnclosed,
    GroupsHeld: watched.groupsHeld,
    NoticesWaiting: watched.noticesWaiting,
    LinksWaiting: watched.linksWaiting,
    EventsUntold: watched.eventsUntold,
    OldestUntoldSeconds: secondsOf(watched.oldestUntoldMs),
  };
}

function secondsOf(ms: number): number {
  return Math.floor(ms / SECOND_MS);
}

export const handler = built(createWatchDeadlinesHandler);
