// Finds the command that was called, runs it, and gives what came of it as an exit code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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
  if (args[0] === '--version') {
    terminal.stdout.write(`${versionOf()}\n`);
    return EXIT.done;
  }
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
  const listed = overview(group.length > 0 ? group : commands);
  if (wantsHelp) {
    stdout.write(listed);
    return EXIT.done;
  }
  stderr.write(words.length === 0 ? listed : (meant(commands, typed) ?? `${listed}\n${unknown(group, typed)}\n`));
  return EXIT.mistake;
}

/** The command that a slip of the pen stands for, alone: below a list nobody would look for it. */
function meant(commands: readonly Command[], typed: readonly string[]): string | undefined {
  const names = commands.map(({ name }) => name);
  const isGroup = typed.length === 1 && names.some((name) => name.startsWith(`${typed[0]} `));
  const name = isGroup ? undefined : nearest(typed.slice(0, 2).join(' '), names);
  return name && `There is no such command. Did you mean: fulfillment ${name}?\n`;
}

function unknown(group: readonly Command[], typed: readonly string[]): string {
  return group.length > 0 && typed.length === 1 ? `What of ${typed[0]}?` : 'There is no such command.';
}

/** Of the package that this file is part of, as a checkout or as published. */
function versionOf(): string {
  const manifest = readFileSync(join(import.meta.dirname, '../package.json'), 'utf8');
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`);
  return `fulfillment <command> [options]\n\n${lines.join('')}\nFor one command's options: fulfillment <command> --help\n`;
}
