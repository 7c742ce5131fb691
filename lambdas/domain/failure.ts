// The faults that are thrown. Expected outcomes are returned as unions instead.

/** Only facts that may stand in a log: no token, no personal data. */
export type SafeFacts = Readonly<Record<string, string | number | boolean | undefined>>;

interface FailureOptions {
  readonly cause?: unknown;
  readonly facts?: SafeFacts;
}

export abstract class Failure extends Error {
  /** Whether the same request may succeed later without anyone changing anything. */
  abstract readonly retryable: boolean;
  readonly code: string;
  readonly facts: SafeFacts;

  constructor(code: string, message: string, options: FailureOptions = {}) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.facts = options.facts ?? {};
  }
}

/** The sender broke the contract; sending the same again ends the same. */
export class InvalidInput extends Failure {
  readonly retryable = false;
}

/** Something upstream did not answer in time, failed or throttled. */
export class Unavailable extends Failure {
  readonly retryable = true;
}

/** Our settings or permissions are wrong; an operator has to act. */
export class Misconfigured extends Failure {
  readonly retryable = false;
}

/** A promise of ours did not hold. Nothing is changed; someone has to look. */
export class BrokenInvariant extends Failure {
  readonly retryable = false;
}

/** The failure that an unknown thrown value stands for; anything that nobody foresaw is a broken promise of ours. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  return new BrokenInvariant('Unexpected', 'An error that nobody foresaw was thrown.', { cause: thrown });
}
