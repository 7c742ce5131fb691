// Where an import goes: POST /usage, the tables, or, for a dry run, nowhere.
import { reasonOf } from '../client/retry.ts';
import { createUsageReporter } from '../client/usage-api.ts';
import type { UsageEvent, UsageOutcome } from '../client/usage-event.ts';
import { createUsageRecorder } from '../client/usage-recorder.ts';
import { parseUsageEvent } from '../lambdas/contracts/usage-report.ts';
import { admit } from '../lambdas/domain/door.ts';
import { Failure } from '../lambdas/domain/failure.ts';
import { DEFAULT_METERING_POLICY } from '../lambdas/domain/metering-policy.ts';
import { UsageMistake } from './exit.ts';
import type { ImportArguments } from './import-arguments.ts';

type KnownDestination = Exclude<ImportArguments['destination'], { readonly kind: 'deployment' }>;

export interface OpenDestination {
  /** Outcomes in the order of the events; rejects with UsageUnconfirmed. */
  send(events: readonly UsageEvent[]): Promise<readonly UsageOutcome[]>;
  close(): Promise<void>;
}

/** Throws UsageMistake where the destination can't be one. `say` tells the person what is going on. */
export function openDestination(
  {
    destination,
    region,
    retryForMs,
    nowMs,
  }: Omit<ImportArguments, 'destination'> & { readonly destination: KnownDestination },
  signal: AbortSignal,
  say: (line: string) => void,
): OpenDestination {
  const shared = { retryForMs, signal, onRetry: sayOnce(say, retryForMs), ...(region === undefined ? {} : { region }) };
  switch (destination.kind) {
    case 'nowhere':
      return {
        send: async (events) => events.map((event) => judge(event, nowMs ?? Date.now())),
        close: async () => {},
      };
    case 'api': {
      const { url, sign } = destination;
      const reporter = orMistake(() => createUsageReporter({ url, ...(sign ? { sign } : {}), ...shared }));
      return { send: (events) => reporter.report(events), close: async () => {} };
    }
    case 'tables': {
      const { usageTable, workTable, customersTable } = destination;
      const recorder = createUsageRecorder({
        usageTable,
        workTable,
        ...(customersTable === undefined ? {} : { customersTable }),
        // A file is about the past. Markers of a batch are shared, so that one too many costs little, and a
        // deployment that closes its hours sooner than others gets them in time.
        settleDelayMs: 0,
        ...shared,
      });
      return { send: (events) => recorder.record(events), close: () => recorder.close() };
    }
  }
}

/** What the door would say without knowing the buyer and the listing. */
function judge(event: UsageEvent, nowMs: number): UsageOutcome {
  const entry = parseUsageEvent(event);
  if (entry.kind === 'malformed')
    return { id: entry.id, outcome: 'refused', code: 'malformed', message: entry.message };
  const decision = admit(entry.event, undefined, new Map(), nowMs, DEFAULT_METERING_POLICY);
  if (decision.kind === 'admitted') return { id: event.id, outcome: 'recorded' };
  return { id: event.id, outcome: 'refused', code: decision.code, message: decision.message };
}

function orMistake<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw error instanceof Failure ? new UsageMistake(error.message, { cause: error }) : error;
  }
}

function sayOnce(say: (line: string) => void, retryForMs: number): (fault: unknown) => void {
  let isSaid = false;
  return (fault) => {
    if (isSaid) return;
    isSaid = true;
    say(`The other side does not answer (${reasonOf(fault)}); trying again for up to ${retryForMs / 1_000} s.`);
  };
}
