// What the sender leaves behind for people to see: nothing that is billed depends on it.
import type { Day } from '../domain/summary.ts';

/** One run that made calls. */
export interface Sending {
  readonly runId: string;
  readonly startedAt: number;
  readonly calls: number;
  /** Records in those calls, each as often as it was sent. */
  readonly records: number;
  readonly honoured: number;
  /** Calls that AWS did not answer, throttled or refused for a cause that is not the records'. */
  readonly faults: number;
}

export interface SendingLog {
  /** Once per run. Kept for forty days. */
  note(sending: Sending): Promise<void>;
  /** The runs of a UTC day, in order. One query. */
  ofDay(day: Day): Promise<readonly Sending[]>;
}
