// One line of JSON an event, with a code to search for. Callers hand in safe facts only.
import { asFailure, type SafeFacts } from '../domain/failure.ts';

type Level = 'info' | 'warn' | 'error';

export interface Log {
  info(code: string, facts?: SafeFacts): void;
  warn(code: string, facts?: SafeFacts): void;
  error(code: string, facts?: SafeFacts): void;
}

// Straight to the stream: Lambda's own console would wrap the line in another layer of JSON, and only level and
// timestamp at the top are understood by its log filters.
function write(level: Level, code: string, facts: SafeFacts = {}): void {
  const line = { timestamp: new Date().toISOString(), level: level.toUpperCase(), code, ...facts };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

export const consoleLog: Log = {
  info: (code, facts) => write('info', code, facts),
  warn: (code, facts) => write('warn', code, facts),
  error: (code, facts) => write('error', code, facts),
};

/**
 * What may be said of a thrown value: names, codes and stack frames, never messages of others. An SDK's error
 * message may repeat what was sent, a registration token included.
 */
export function safeFactsOf(thrown: unknown): SafeFacts {
  const failure = asFailure(thrown);
  const cause = failure.cause instanceof Error ? failure.cause : undefined;
  return {
    ...failure.facts,
    failure: failure.name,
    failureCode: failure.code,
    retryable: failure.retryable,
    cause: cause?.name,
    at: framesOf(cause ?? failure),
  };
}

function framesOf(error: Error): string | undefined {
  return error.stack
    ?.split('\n')
    .filter((line) => line.trimStart().startsWith('at '))
    .slice(0, 4)
    .map((line) => line.trim())
    .join(' < ');
}
