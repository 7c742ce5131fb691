// What AWS's answers to a container or an AMI mean: go on, try again, or stop and tell the buyer why.
import { setTimeout as delay } from 'node:timers/promises';

/** The software must not serve: what to tell the buyer, and what the seller should know. */
export interface Stop {
  readonly kind: 'stop';
  /** AWS's own name for it, or ours where AWS's answer is not to be believed. */
  readonly code: string;
  /** One sentence for the buyer, to show or log. */
  readonly tellBuyer: string;
}

/** No verdict yet: AWS throttled, failed or did not answer for as long as it was asked. Go on, and ask again. */
export interface Unanswered {
  readonly kind: 'unanswered';
  readonly code: string;
}

const SUBSCRIBE =
  'This AWS account has no valid subscription to the software. Subscribe on AWS Marketplace with the account in which it runs, then start it again.';
const SELLER = 'The software is set up wrongly by its seller. Contact the seller and name this code.';

/**
 * Every exception that the API model gives RegisterUsage and MeterUsage, and those of the layers in front of them,
 * after which a start has to stop. (Seller guide, container metering: any exception but throttling stops the container.)
 */
const STOPS: Readonly<Record<string, string>> = {
  CustomerNotEntitledException: SUBSCRIBE,
  PlatformNotSupportedException:
    'The software has to run as a task of Amazon ECS, a pod of Amazon EKS, or on AWS Fargate. Run it there.',
  InvalidRegionException:
    'The metering endpoint is not that of the Region in which the software runs. Do not set another.',
  InvalidEndpointRegionException:
    'The metering endpoint is not that of the Region in which the software runs. Do not set another.',
  DisabledApiException: 'AWS Marketplace metering is not offered in this Region. Run the software in another.',
  AccessDeniedException: roleLacks(),
  UnauthorizedException: roleLacks(),
  InvalidProductCodeException: SELLER,
  InvalidPublicKeyVersionException: SELLER,
  InvalidUsageDimensionException: SELLER,
  InvalidTagException: SELLER,
  InvalidUsageAllocationsException: SELLER,
  ValidationException: SELLER,
};

function roleLacks(): string {
  return 'The role of the task, pod or instance may not report usage. Allow it aws-marketplace:RegisterUsage and aws-marketplace:MeterUsage, as the usage instructions say.';
}

/** The verdict on a fault of a call made at the start; undefined where it may pass by itself. */
export function stopOf(code: string): Stop | undefined {
  const tellBuyer = STOPS[code];
  return tellBuyer === undefined ? undefined : { kind: 'stop', code, tellBuyer };
}

/** AWS's name for a fault, or that of the network's. */
export function codeOf(fault: unknown): string {
  if (!(fault instanceof Error)) return 'Unknown';
  const { code } = fault as { readonly code?: unknown };
  return typeof code === 'string' && fault.name === 'Error' ? code : fault.name;
}

/** Refusals of which it is certain that nothing was metered, and that may pass by themselves. */
const NOTHING_METERED: ReadonlySet<string> = new Set([
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'ExpiredTokenException',
  'ExpiredToken',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'RequestExpired',
  'TimestampOutOfBoundsException',
  'CredentialsProviderError',
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** Whether AWS cannot have metered anything by a call that ended so. */
export function isSurelyUnmetered(code: string): boolean {
  return NOTHING_METERED.has(code) || STOPS[code] !== undefined;
}

export interface Patience {
  /** How long to go on asking, in milliseconds. */
  readonly retryForMs: number;
  readonly signal?: AbortSignal | undefined;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 60_000;

/** Asks until AWS gives a verdict, or for as long as the patience lasts. Waits grow, spread at random. */
export async function untilAnswered<T extends { readonly kind: string }>(
  ask: () => Promise<T | Unanswered>,
  { retryForMs, signal }: Patience,
): Promise<T | Unanswered> {
  const giveUpAtMs = performance.now() + retryForMs;
  for (let round = 0; ; round++) {
    const answer = await ask();
    const waitMs = (0.5 + Math.random() / 2) * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** round);
    const isOver = answer.kind !== 'unanswered' || performance.now() + waitMs > giveUpAtMs || signal?.aborted;
    if (isOver) return answer;
    await delay(waitMs, undefined, { ...(signal ? { signal } : {}) }).catch(() => {});
  }
}
