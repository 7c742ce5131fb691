// What a person at the terminal would want to be told, in a line each.
import type { SafeFacts } from '../lambdas/domain/failure.ts';
import { consoleLog, type Log } from '../lambdas/runtime/log.ts';

type Teller = (facts: SafeFacts) => string | undefined;

/** `3 sealed, 1 held`: the counts that are not 0; undefined where all are. */
function counted(facts: SafeFacts, names: Readonly<Record<string, string>>): string | undefined {
  const counts = Object.entries(names).filter(([name]) => Number(facts[name] ?? 0) > 0);
  return counts.length === 0 ? undefined : counts.map(([name, word]) => `${facts[name]} ${word}`).join(', ');
}

function led(by: string, text: string | undefined): string | undefined {
  return text && `${by}: ${text}`;
}

const TELLERS: Readonly<Record<string, Teller>> = {
  buyerArrived: (facts) => `a buyer arrived: ${facts['customerId']}`,
  registered: (facts) => `registered: ${facts['customerId']} (report usage with this customerId)`,
  UsageReported: (facts) =>
    led(
      'usage',
      counted(facts, { recorded: 'recorded', already: 'already there', conflict: 'in conflict', refused: 'refused' }),
    ),
  HoursClosed: (facts) =>
    led(
      'hours',
      counted(facts, {
        sealed: 'records sealed',
        carried: 'carried to a later hour',
        held: 'held: no hour is left for them',
        awaiting: 'waiting for a licence that nobody has told of',
        rejected: 'rows rejected',
      }),
    ),
  EntitlementsRefreshed: (facts) => led('entitlements', counted(facts, { changed: 'changed' })),
  MeteringSent: (facts) =>
    led(
      'AWS',
      counted(facts, {
        calls: 'calls',
        honoured: 'records honoured',
        expired: 'records expired: their deadline has passed',
      }),
    ),
  AccessEventHeard: (facts) => `access event: ${facts['type']}, number ${facts['sequence']} of ${facts['customerId']}`,
};

/** Tells what was reported, sealed and sent, and says nothing of what did nothing. */
export const storyLog: Log = {
  info: (code, facts = {}) => {
    // An answered request says by its outcome what came of it.
    const line = TELLERS[code === 'RequestAnswered' ? String(facts['outcome']) : code]?.(facts);
    if (line) console.log(`  ${line}`);
  },
  warn: consoleLog.warn,
  error: consoleLog.error,
};
