// What bringing dead letters back needs from outside.

/** The queue of what another queue gave up. */
export interface DeadLetters {
  /** How many lie there; SQS counts roughly, and lags a little. */
  count(): Promise<number>;
  /** Whether they are on their way back already. */
  isRedriving(): Promise<boolean>;
  /** Begins to bring all of them back to their queue; returns before they are there. */
  redrive(): Promise<void>;
}
