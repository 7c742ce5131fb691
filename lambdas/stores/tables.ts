// The shape of every table: read by the stacks, by the laptop's database and by the tests, so that they can't differ.

interface KeyNames {
  readonly partition: string;
  readonly sort?: string;
}

interface IndexShape extends KeyNames {
  readonly name: string;
  /** Attributes copied beside the keys. Few, because each change of one is another write. */
  readonly carries: readonly string[];
}

export interface TableShape {
  readonly key: KeyNames;
  readonly indexes: readonly IndexShape[];
  /** The attribute, in epoch seconds, after which DynamoDB may drop an item. */
  readonly expiry?: string;
}

const PAIR: KeyNames = { partition: 'pk', sort: 'sk' };

export const BY_STATE = 'by-state';
export const BY_EMAIL = 'by-email';
export const BY_COMPANY = 'by-company';
export const BY_SUBJECT = 'by-subject';
export const BY_AGE = 'by-age';
export const BY_LISTING = 'by-listing';

export const TABLES = {
  /** What was used. Append-only; one write an event; written by the seller's product and by nobody else. */
  usage: { key: PAIR, indexes: [], expiry: 'expiresAt' },
  /** What is accounted for: sealed hours and carries. Written by us and by nobody else. */
  ledger: {
    key: PAIR,
    indexes: [
      { name: BY_STATE, partition: 'stateKey', sort: 'stateSort', carries: ['status', 'nextAttemptAt'] },
      // Audit lines alone have a subject.
      { name: BY_SUBJECT, partition: 'subject', sort: 'sk', carries: [] },
    ],
  },
  /** Customers and licences, without personal data. */
  customers: {
    key: PAIR,
    indexes: [
      { name: BY_AGE, partition: 'ageKey', sort: 'ageSort', carries: [] },
      { name: BY_LISTING, partition: 'listingKey', sort: 'ageSort', carries: [] },
    ],
  },
  /** Personal data of buyers, erasable on its own. */
  buyers: {
    key: { partition: 'customerId' },
    indexes: [
      { name: BY_EMAIL, partition: 'emailKey', sort: 'customerId', carries: [] },
      { name: BY_COMPANY, partition: 'companyKey', sort: 'companySort', carries: [] },
    ],
  },
  /** What the schedules are at: looks, late markers, waiting licences, leases, held groups. */
  work: { key: PAIR, indexes: [], expiry: 'expiresAt' },
  /** AWS's notices as received, whose each agreement is, and the events that wait to be told. */
  notices: { key: PAIR, indexes: [] },
  /** Which webhook endpoint has had which event, and the tries. */
  deliveries: {
    key: PAIR,
    indexes: [{ name: BY_STATE, partition: 'stateKey', sort: 'stateSort', carries: ['status'] }],
    expiry: 'expiresAt',
  },
  /** Refused usage, with what was wrong. */
  rejects: { key: PAIR, indexes: [], expiry: 'expiresAt' },
  /** What hours, days and months came to, for people to look at. Made from the other tables; never billed from. */
  summaries: { key: PAIR, indexes: [], expiry: 'expiresAt' },
} as const satisfies Record<string, TableShape>;

export type TableKind = keyof typeof TABLES;
