// What a migration needs of the old stack's tables. They are another's: a record that is taken over is marked, no more.
import type { HourStart } from '../../domain/hour.ts';
import type { MalformedBuyer, OldBuyer } from '../../domain/migration/old-buyer.ts';
import type { OldKey, OldRecord, PendingRecord } from '../../domain/migration/old-record.ts';

/** What is written onto a record that is taken over. */
export interface TakeOverMark {
  /** The hour in which it is billed here, by whatever run the rest is done. */
  readonly hour: HourStart;
  readonly at: number;
  readonly actionId: string;
}

export interface OldTables {
  buyers(): AsyncIterable<readonly (OldBuyer | MalformedBuyer)[]>;
  /** Every record, consistently, in no order. */
  records(): AsyncIterable<readonly OldRecord[]>;
  record(key: OldKey): Promise<OldRecord | undefined>;
  /**
   * Takes a pending record from the old sender, so that it finds it no more, and marks it as ours. Once per record; false
   * and nothing written where it is not pending any more, or is not what it was.
   */
  take(record: PendingRecord, mark: TakeOverMark): Promise<boolean>;
}
