// What a person at the terminal would want to be told, in a line each.
import { consoleLog, type Log } from '../lambdas/runtime/log.ts';

/** Tells what was reported, sealed and sent, and says nothing of what did nothing. */
export const storyLog: Log = {
  info: (code, facts = {}) => {
    const quantity = (name: string) => Number(facts[name] ?? 0);
    const parts: Record<string, string | undefined> = {
      UsageReported: `usage: ${quantity('recorded')} recorded, ${quantity('already')} already there, ${quantity('conflict') + quantity('refused')} refused`,
      HoursClosed:
        quantity('sealed') + quantity('carried') + quantity('held') > 0
          ? `hours: ${quantity('sealed')} records sealed, ${quantity('carried')} carried, ${quantity('held')} held`
          : undefined,
      MeteringSent:
        quantity('calls') > 0 ? `AWS: ${quantity('calls')} calls, ${quantity('honoured')} records honoured` : undefined,
      LicenceEnding: `licence ending: ${String(facts['licenceKey'])}`,
    };
    const line = parts[code];
    if (line) console.log(`  ${line}`);
  },
  warn: consoleLog.warn,
  error: consoleLog.error,
};
