// Usage that AWS was told of, as the account's own logs or another pipeline's tables tell it.
import type { HourStart } from '../hour.ts';

/** Whom a submission names: AWS's log need not show the licence. */
export interface SubmittedBy {
  /** Made of the licence's ARN, or of product code and customer identifier, as our own keys are. */
  readonly licenceKey?: string;
  readonly customerIdentifier?: string;
  readonly accountId?: string;
}

/** One record of one BatchMeterUsage call, with what AWS answered. */
export interface TrailRecord extends SubmittedBy {
  readonly region: string;
  readonly dimension: string;
  readonly hour: HourStart;
  readonly quantity: number;
  /**
   * `metered`: AWS said Success. `duplicate`: AWS holds a record, whose amount the call does not tell. `refused`:
   * nothing was metered for certain. `unknown`: AWS may have metered it.
   */
  readonly answer: 'metered' | 'duplicate' | 'refused' | 'unknown';
  readonly meteringRecordId?: string;
  readonly at: number;
}

/** An amount that another pipeline submitted, or was to. */
export interface SubmittedUsage extends SubmittedBy {
  readonly dimension: string;
  readonly hour: HourStart;
  readonly quantity: number;
  readonly state: 'submitted' | 'pending' | 'failed';
}

/** AWS's log of BatchMeterUsage calls, as far as it could be read. */
export interface CallTrail {
  readonly records: readonly TrailRecord[];
  /** What could not be read, and why. A log with any of it can't be said to be complete. */
  readonly unread: readonly string[];
}
