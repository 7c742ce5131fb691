// What the doctor finds: what was seen, what was expected, and what to do about it.

/**
 * `problem`: something does not work, or will not when it is needed. `note`: works, and somebody should know.
 * `unknown`: could not be looked at, for want of permission or an answer.
 */
type Level = 'ok' | 'note' | 'problem' | 'unknown';

export interface Finding {
  /** Stays the same over versions: scripts go by it. */
  readonly code: string;
  readonly level: Level;
  /** The part that it is about. */
  readonly subject: string;
  readonly seen: string;
  /** Absent where all is well. */
  readonly expected?: string;
  /** The command to run or the setting to change. Absent where all is well. */
  readonly remedy?: string;
}

export function ok(code: string, subject: string, seen: string): Finding {
  return { code, level: 'ok', subject, seen };
}

interface Trouble {
  readonly seen: string;
  readonly expected: string;
  readonly remedy: string;
}

export function problem(code: string, subject: string, trouble: Trouble): Finding {
  return { code, level: 'problem', subject, ...trouble };
}

export function note(code: string, subject: string, trouble: Trouble): Finding {
  return { code, level: 'note', subject, ...trouble };
}
