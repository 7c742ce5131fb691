// What a seller's product reports, made ready once, before the first attempt, and what is not known afterwards.
import { Failure } from '../lambdas/domain/failure.ts';
import type { UsageOutcome } from '../lambdas/flow/record-usage.ts';
import { reasonOf } from './retry.ts';

export type { UsageOutcome } from '../lambdas/flow/record-usage.ts';

/** The buyer, named in exactly one of three ways. */
type Buyer =
  /** The id that registration told. */
  | { readonly customerId: string }
  /** The ARN that AWS Marketplace gave. */
  | { readonly licenseArn: string }
  /** Products listed before Concurrent Agreements. */
  | { readonly productCode: string; readonly customerIdentifier: string };

/**
 * One amount of one dimension, used by one buyer at one time. Buyer, dimension, hour of `time` and `id` together say
 * which event it is: reported again, it is not recorded again.
 */
export type UsageEvent = Buyer & {
  /** 1 to 128 printable ASCII characters without space; different for different events of a buyer. */
  readonly id: string;
  /** The API name of the dimension, as listed. */
  readonly dimension: string;
  /** A whole number, 0 or more. */
  readonly quantity: number;
  /**
   * When it was used: ISO 8601 with a zone, a Date, or epoch milliseconds. Never filled in for you, because a retry
   * that took the time anew could land in the next hour, where it is another event and billed as such.
   */
  readonly time: string | Date | number;
  /** Vendor-metered tagging: at most five. */
  readonly tags?: Readonly<Record<string, string>>;
};

/** An event as it goes over the wire. It shares nothing with the caller's object, which may change meanwhile. */
export function toWireEvent(event: UsageEvent): Readonly<Record<string, unknown>> {
  const { time, tags, ...rest } = event;
  const members = { ...rest, time: instantText(time), tags: tags && { ...tags } };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** An instant that does not exist stays text of some other form, which the door refuses in words of its own. */
function instantText(time: unknown): unknown {
  if (typeof time !== 'number' && !(time instanceof Date)) return time;
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? 'no instant' : date.toISOString();
}

/**
 * Some events may or may not be recorded: their attempts ended in a fault. Report `unconfirmed` again, the same
 * objects; those that were recorded after all answer "already".
 */
export class UsageUnconfirmed extends Failure {
  /** Whether reporting again may help without anyone changing anything; false for permissions and settings. */
  readonly retryable: boolean;
  readonly unconfirmed: readonly UsageEvent[];
  /** What is known, in the order of the events; undefined for those that are not. */
  readonly outcomes: readonly (UsageOutcome | undefined)[];

  constructor(
    events: readonly UsageEvent[],
    outcomes: readonly (UsageOutcome | undefined)[],
    retryable: boolean,
    cause: unknown,
  ) {
    const unconfirmed = events.filter((_, index) => outcomes[index] === undefined);
    super(
      'UsageUnconfirmed',
      `${unconfirmed.length} of ${events.length} events are not known to be recorded (${reasonOf(cause)}). Report the same events again, with the same ids and times.`,
      { cause, facts: { unconfirmed: unconfirmed.length, events: events.length } },
    );
    this.retryable = retryable;
    this.unconfirmed = unconfirmed;
    this.outcomes = outcomes;
  }
}
