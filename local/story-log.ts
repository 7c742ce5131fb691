// What a person at the terminal would want to be told, in a line each.
import type { SafeFacts } from '../lambdas/domain/failure.ts';
import { consoleLog, type Log } from '../lambdas/runtime/log.ts';

type Teller = (facts: SafeFacts) => string | undefined;

/** What is counted, in words: of one, and of any other number. */
type Words = readonly [one: string, many: string];

/** `3 records sealed, 1 held`: the counts that are not 0; undefined where all are. */
function counted(facts: SafeFacts, names: Readonly<Record<string, string | Words>>): string | undefined {
  const counts = Object.entries(names).flatMap(([name, words]) => {
    const count = Number(facts[name] ?? 0);
    if (count === 0) return [];
    const [one, many] = typeof words === 'string' ? [words, words] : words;
    return [`${count} ${count === 1 ? one : many}`];
  });
  return counts.length === 0 ? undefined : counts.join(', ');
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
      counted(facts, {
        recorded: 'recorded',
        already: 'already there',
        conflict: 'in conflict',
        refused: `refused: ${facts['refusals']}`,
      }),
    ),
  HoursClosed: (facts) =>
    led(
      'hours',
      counted(facts, {
        sealed: ['record sealed', 'records sealed'],
        carried: 'carried to a later hour',
        held: ['held: no hour is left to bill it in', 'held: no hour is left to bill them in'],
        awaiting: 'waiting for a licence that nobody has told of',
        rejected: ['row rejected', 'rows rejected'],
      }),
    ),
  EntitlementsRefreshed: (facts) => led('entitlements', counted(facts, { changed: 'changed' })),
  MeteringSent: (facts) =>
    led(
      'AWS',
      counted(facts, {
        calls: ['call', 'calls'],
        honoured: ['record honoured', 'records honoured'],
        expired: ['record expired: its deadline has passed', 'records expired: their deadline has passed'],
      }),
    ),
  AccessEventHeard: (facts) => `access event: ${facts['type']}, number ${facts['sequence']} of ${facts['customerId']}`,
};

/** A log line in words; undefined where it tells of nothing that was done. */
export function storyLine(code: string, facts: SafeFacts = {}): string | undefined {
  // An answered request says by its outcome what came of it.
  return TELLERS[code === 'RequestAnswered' ? String(facts['outcome']) : code]?.(facts);
}

/** Tells what was reported, sealed and sent, and says nothing of what did nothing. */
export const storyLog: Log = {
  info: (code, facts) => {
    const line = storyLine(code, facts);
    if (line) console.log(`  ${line}`);
  },
  warn: consoleLog.warn,
  error: consoleLog.error,
};
