// How a command ends.
export const EXIT = {
  done: 0,
  /** Done, and some of it was refused; or what was checked does not hold. */
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
