// A log that says only what went wrong.
import { consoleLog, type Log } from '../lambdas/runtime/log.ts';

export const quietLog: Log = { info: () => {}, warn: consoleLog.warn, error: consoleLog.error };
