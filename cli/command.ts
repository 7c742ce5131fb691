// What a command of `fulfillment` is, and what it is given.
import type { Readable, Writable } from 'node:stream';
import { UsageMistake } from './exit.ts';
import { type Options, optionLines, readOptions, type ValuesOf } from './options.ts';

/** What stands around a command: no command reaches for the process itself. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Results. */
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  /** Progress, and what went wrong. */
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** Aborted when the person wants to stop: what is under way is ended in good order. */
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A command with its options' types forgotten. */
export interface Command {
  /** The words that call it, such as `usage import`. */
  readonly name: string;
  readonly help: string;
  readonly options: Options;
  /** Runs the command on the arguments after its name; gives the exit code. Throws UsageMistake for wrong ones. */
  run(args: readonly string[], terminal: Terminal): Promise<number>;
}

/** A command before its module is loaded. */
export interface ListedCommand {
  /** The words that call it, such as `usage import`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  load(): Promise<Command>;
}

export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly ListedCommand[];
}

interface CommandDefinition<O extends Options> {
  readonly name: string;
  /** What has to follow the name, as the help writes it: `CUSTOMER`. */
  readonly operands?: string;
  /** A paragraph or two, ended by a line break: what it does, when it is for. */
  readonly about: string;
  readonly options: O;
  /** Whole lines that a person may copy. */
  readonly examples: readonly string[];
  readonly run: (call: Call<O>, terminal: Terminal) => Promise<number>;
}

/** How a command was called. */
export interface Call<O extends Options> {
  readonly values: ValuesOf<O>;
  readonly positionals: readonly string[];
}

export function defineCommand<O extends Options>(definition: CommandDefinition<O>): Command {
  const { name, options, run } = definition;
  return {
    name,
    options,
    help: helpOf(definition),
    run: async (args, terminal) => {
      const call = readOptions(options, args);
      const most = operandCount(definition.operands);
      if (call.positionals.length > most) {
        throw new UsageMistake(`'${call.positionals[most]}' is more than ${name} takes.`);
      }
      return run(call, terminal);
    },
  };
}

/** The operand that a command can't do without. */
export function operand(call: Pick<Call<Options>, 'positionals'>, index: number, what: string): string {
  const given = call.positionals[index];
  if (given === undefined || given === '') throw new UsageMistake(`Name ${what}.`);
  return given;
}

function operandCount(operands: string | undefined): number {
  return operands === undefined ? 0 : operands.split(' ').length;
}

function helpOf<O extends Options>({ name, operands, about, options, examples }: CommandDefinition<O>): string {
  const call = ['fulfillment', name, ...(operands === undefined ? [] : [operands])].join(' ');
  const lines = optionLines(options);
  return [
    `${call}${lines.length > 0 ? ' [options]' : ''}\n`,
    about,
    ...(lines.length > 0 ? [`Options:\n${lines.join('\n')}\n`] : []),
    `${examples.length === 1 ? 'Example' : 'Examples'}:\n${examples.map((line) => `  ${line}\n`).join('')}`,
  ].join('\n');
}
