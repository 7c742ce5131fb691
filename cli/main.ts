#!/usr/bin/env node
import { COMMANDS } from './commands.ts';
// fulfillment: the commands of the seller's engineer and operator.
import { EXIT } from './exit.ts';
import { runFulfillment } from './fulfillment.ts';

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
process.exitCode = await runFulfillment(COMMANDS, process.argv.slice(2), terminal);
