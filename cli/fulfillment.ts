// Finds the command that was called, runs it, and gives what came of it as an exit code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidInput, Misconfigured } from '../lambdas/domain/failure.ts';
import { awsRemedy } from '../operator/aws-fault.ts';
import type { CommandGroup, ListedCommand, Terminal } from './command.ts';
import { EXIT, UsageMistake } from './exit.ts';
import { nearest } from './options.ts';

export async function runFulfillment(
  groups: readonly CommandGroup[],
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const wantsHelp = args.some((arg) => arg === '--help' || arg === '-h') || args[0] === 'help';
  const words = args[0] === 'help' ? args.slice(1) : args;
  if (args[0] === '--version') {
    terminal.stdout.write(`${versionOf()}\n`);
    return EXIT.done;
  }
  const commands = groups.flatMap((group) => group.commands);
  const called = commands.find(({ name }) => name.split(' ').every((word, index) => words[index] === word));
  if (!called) return withoutCommand(groups, words, wantsHelp, terminal);
  try {
    const command = await called.load();
    if (!wantsHelp) return await command.run(words.slice(command.name.split(' ').length), terminal);
    terminal.stdout.write(command.help);
    return EXIT.done;
  } catch (error) {
    return told(error, called, terminal);
  }
}

function told(error: unknown, command: ListedCommand, { stderr, signal }: Terminal): number {
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

/** Help where it is asked for, of the commands that begin so where such a word is named; else what may have been meant. */
function withoutCommand(
  groups: readonly CommandGroup[],
  words: readonly string[],
  wantsHelp: boolean,
  { stdout, stderr }: Terminal,
): number {
  const typed = words.filter((word) => !word.startsWith('-'));
  const commands = groups.flatMap((group) => group.commands);
  const begun = commands.filter(({ name }) => name.split(' ')[0] === typed[0]);
  const listed = begun.length > 0 ? overview(linesOf(begun)) : overview(groups.map(sectionOf(commands)).join('\n'));
  if (wantsHelp) {
    stdout.write(listed);
    return EXIT.done;
  }
  stderr.write(words.length === 0 ? listed : (meant(commands, typed) ?? `${listed}\n${unknown(begun, typed)}\n`));
  return EXIT.mistake;
}

/** The command that a slip of the pen stands for, alone: below a list nobody would look for it. */
function meant(commands: readonly ListedCommand[], typed: readonly string[]): string | undefined {
  const names = commands.map(({ name }) => name);
  const isGroup = typed.length === 1 && names.some((name) => name.startsWith(`${typed[0]} `));
  const name = isGroup ? undefined : nearest(typed.slice(0, 2).join(' '), names);
  return name && `There is no such command. Did you mean: fulfillment ${name}?\n`;
}

function unknown(begun: readonly ListedCommand[], typed: readonly string[]): string {
  return begun.length > 0 && typed.length === 1 ? `What of ${typed[0]}?` : 'There is no such command.';
}

/** Of the package that this file is part of, as a checkout or as published. */
function versionOf(): string {
  const manifest = readFileSync(join(import.meta.dirname, '../package.json'), 'utf8');
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

function overview(list: string): string {
  return `fulfillment <command> [options]\n\n${list}\nFor one command's options: fulfillment <command> --help\n`;
}

function sectionOf(all: readonly ListedCommand[]) {
  return ({ title, commands }: CommandGroup) => `${title}\n${linesOf(commands, all)}`;
}

/** A line each, their summaries in one column, which is that of `all` where more are listed. */
function linesOf(commands: readonly ListedCommand[], all = commands): string {
  const width = Math.max(...all.map(({ name }) => name.length));
  return commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`).join('');
}
