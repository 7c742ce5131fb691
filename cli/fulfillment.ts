// Finds the command that was called, runs it, and gives what came of it as an exit code.
import { InvalidInput, Misconfigured } from '../lambdas/domain/failure.ts';
import { awsRemedy } from '../operator/aws-fault.ts';
import type { Command, Terminal } from './command.ts';
import { EXIT, UsageMistake } from './exit.ts';
import { nearest } from './options.ts';

export async function runFulfillment(
  commands: readonly Command[],
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const wantsHelp = args.some((arg) => arg === '--help' || arg === '-h') || args[0] === 'help';
  const words = args[0] === 'help' ? args.slice(1) : args;
  const command = commands.find(({ name }) => name.split(' ').every((word, index) => words[index] === word));
  if (!command) return withoutCommand(commands, words, wantsHelp, terminal);
  if (wantsHelp) {
    terminal.stdout.write(command.help);
    return EXIT.done;
  }
  try {
    return await command.run(words.slice(command.name.split(' ').length), terminal);
  } catch (error) {
    return told(error, command, terminal);
  }
}

function told(error: unknown, command: Command, { stderr, signal }: Terminal): number {
  if (signal.aborted) {
    stderr.write('Interrupted.\n');
    return EXIT.interrupted;
  }
  const remedy = awsRemedy(error);
  if (remedy) {
    stderr.write(`${remedy.message}\n`);
    return remedy.mayPass ? EXIT.fault : EXIT.mistake;
  }
  stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof UsageMistake) stderr.write(`For help: fulfillment ${command.name} --help\n`);
  const isMistake = error instanceof UsageMistake || error instanceof Misconfigured || error instanceof InvalidInput;
  return isMistake ? EXIT.mistake : EXIT.fault;
}

/** Help where it is asked for, of a group of commands where one is named; else what may have been meant. */
function withoutCommand(
  commands: readonly Command[],
  words: readonly string[],
  wantsHelp: boolean,
  { stdout, stderr }: Terminal,
): number {
  const typed = words.filter((word) => !word.startsWith('-'));
  const group = commands.filter(({ name }) => name.split(' ')[0] === typed[0]);
  const listed = group.length > 0 ? group : commands;
  const isMistake = !wantsHelp && words.length > 0;
  if (isMistake) stderr.write(`${unknown(commands, typed)}\n\n`);
  (wantsHelp ? stdout : stderr).write(overview(listed));
  return wantsHelp ? EXIT.done : EXIT.mistake;
}

function unknown(commands: readonly Command[], typed: readonly string[]): string {
  const group = commands.filter(({ name }) => name.startsWith(`${typed[0]} `));
  if (group.length > 0 && typed.length === 1) return `What of ${typed[0]}?`;
  const near = nearest(
    typed.slice(0, 2).join(' '),
    commands.map(({ name }) => name),
  );
  return `There is no such command.${near === undefined ? '' : ` Did you mean: fulfillment ${near}?`}`;
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`);
  return `fulfillment <command> [options]\n\n${lines.join('')}\nFor one command's options: fulfillment <command> --help\n`;
}
