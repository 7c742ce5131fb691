// What a command of `fulfillment` is, and what it is given.
import type { Readable, Writable } from 'node:stream';

/** What stands around a command: no command reaches for the process itself. */
export interface Terminal {
  readonly stdin: Readable;
  /** Results. */
  readonly stdout: Writable;
  /** Progress, and what went wrong. */
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** Aborted when the person wants to stop: what is under way is ended in good order. */
  readonly signal: AbortSignal;
}

export interface Command {
  /** The words that call it, such as `usage import`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly help: string;
  /** Runs the command on the arguments after its name; gives the exit code. Throws UsageMistake for wrong ones. */
  run(args: readonly string[], terminal: Terminal): Promise<number>;
}

export const EXIT = {
  done: 0,
  /** Done, and some of it was refused. */
  refused: 1,
  /** The command was called wrongly, its input can't be read, or where it is to go can't take it: a repeat won't help. */
  mistake: 2,
  /** A fault, ours or on the way. A repeat may help. */
  fault: 3,
  /** By Ctrl-C, as shells number it. */
  interrupted: 130,
} as const;

/** The command was called wrongly. */
export class UsageMistake extends Error {}
