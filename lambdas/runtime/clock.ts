// Where "now" comes from. Everything else is handed a clock.

/** Epoch milliseconds, now. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();
