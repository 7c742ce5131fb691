// What the SDK throws where AWS does not answer, is too busy or fails: trying again may help, and nobody is to blame.
import { asFailure, type Failure, Unavailable } from '../domain/failure.ts';

/** Refusals that AWS counts as the caller's fault, though the same call may succeed in a moment. */
const BUSY = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'TransactionConflictException',
]);

/** The failure that a thrown value stands for, with an outage of AWS told from a promise of ours that did not hold. */
export function failureOfRequest(thrown: unknown): Failure {
  if (!isOutage(thrown)) return asFailure(thrown);
  return new Unavailable('AwsUnavailable', 'A service of AWS did not answer in time.', { cause: thrown });
}

/** The SDK notes on every error how often it tried, and on an answer of AWS whose fault it is. */
function isOutage(thrown: unknown): boolean {
  if (!(thrown instanceof Error) || !('$metadata' in thrown)) return false;
  const fault = '$fault' in thrown ? thrown.$fault : undefined;
  return fault !== 'client' || BUSY.has(thrown.name);
}
