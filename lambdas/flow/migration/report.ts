// What a migration tells of each row of the old tables: one line a buyer, and one an amount of a record.

/** What became, or would become, of a row. */
export const ROW_FATES = [
  'wouldMake',
  'made',
  'known',
  'wouldTake',
  'taken',
  'takenBefore',
  'billedThere',
  'unbilledThere',
  'sent',
  'lost',
  'twice',
  'refused',
] as const;

export type RowFate = (typeof ROW_FATES)[number];

export interface MigrationLine {
  readonly row: 'buyer' | 'record';
  readonly fate: RowFate;
  readonly code: string;
  readonly message: string;
  readonly customerIdentifier: string;
  readonly productCode?: string;
  readonly customerId?: string;
  readonly createTimestamp?: string;
  readonly dimension?: string;
  readonly quantity?: number;
}

/** Fates that a person should look at: units are at stake, or a buyer is missing. */
export const NEEDS_A_PERSON: ReadonlySet<RowFate> = new Set(['unbilledThere', 'lost', 'twice', 'refused']);

export type Report = (line: MigrationLine) => Promise<void>;
