#!/usr/bin/env node
// fulfillment: the commands of the seller's engineer and operator.
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// What Node makes of our files is kept beside the packages, where nobody else writes: the next command starts twice as fast.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/fulfillment'));

const { COMMAND_GROUPS } = await import('./commands.ts');
const { EXIT } = await import('./exit.ts');
const { runFulfillment } = await import('./fulfillment.ts');

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // Asked a second time: nothing is lost by it, since every command can be run again.
    if (interruption.signal.aborted) process.exit(EXIT.interrupted);
    interruption.abort();
  });
}
// A reader that has seen enough, such as `head`, closes the pipe.
process.stdout.on('error', () => process.exit(EXIT.done));

const { stdin, stdout, stderr, env: environment } = process;
const terminal = { stdin, stdout, stderr, signal: interruption.signal, environment };
process.exitCode = await runFulfillment(COMMAND_GROUPS, process.argv.slice(2), terminal);
