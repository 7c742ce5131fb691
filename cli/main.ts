#!/usr/bin/env node
// fulfillment: the commands of the seller's engineer and operator.
import { type Command, EXIT, type Terminal, UsageMistake } from './command.ts';
import { usageImport } from './commands/usage-import.ts';

const COMMANDS: readonly Command[] = [usageImport];

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

const { stdin, stdout, stderr } = process;
process.exitCode = await main(process.argv.slice(2), { stdin, stdout, stderr, signal: interruption.signal });

async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = COMMANDS.find(({ name }) => name.split(' ').every((word, index) => args[index] === word));
  const wantsHelp = args.some((arg) => arg === '--help' || arg === '-h') || args[0] === 'help';
  if (!command) {
    const isMistake = !wantsHelp && args.length > 0;
    if (isMistake) terminal.stderr.write('There is no such command.\n\n');
    (isMistake || !wantsHelp ? terminal.stderr : terminal.stdout).write(overview());
    return wantsHelp ? EXIT.done : EXIT.mistake;
  }
  if (wantsHelp) {
    terminal.stdout.write(command.help);
    return EXIT.done;
  }
  try {
    return await command.run(args.slice(command.name.split(' ').length), terminal);
  } catch (error) {
    const isMistake = error instanceof UsageMistake;
    terminal.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    if (isMistake) terminal.stderr.write(`For help: fulfillment ${command.name} --help\n`);
    return isMistake ? EXIT.mistake : EXIT.fault;
  }
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`);
  return `fulfillment <command> [options]\n\n${lines.join('')}\nFor one command's options: fulfillment <command> --help\n`;
}
