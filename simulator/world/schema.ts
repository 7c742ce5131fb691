// The tables of the simulated world. Times are epoch milliseconds of the world's clock, unless the name says real.

/** Every table, so that a reset forgets none. */
export const TABLES = [
  'settings',
  'products',
  'agreements',
  'used_tokens',
  'records',
  'client_tokens',
  'calls',
  'scheduled_events',
  'events',
  'scheduled_notices',
  'notices',
  'compute',
  'registrations',
  'signing_keys',
] as const;

export const SCHEMA = `
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS products (
  product_code TEXT PRIMARY KEY, product_id TEXT NOT NULL, title TEXT NOT NULL, identity_style TEXT NOT NULL,
  pricing TEXT NOT NULL, fulfillment_url TEXT NOT NULL, dimensions TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS agreements (
  agreement_id TEXT PRIMARY KEY, product_code TEXT NOT NULL, aws_account_id TEXT NOT NULL, customer_identifier TEXT,
  licence_arn TEXT NOT NULL, buyer_name TEXT NOT NULL, offer_id TEXT NOT NULL, free_trial INTEGER NOT NULL,
  intent TEXT NOT NULL, previous_agreement_id TEXT, accepted_ms INTEGER NOT NULL, starts_ms INTEGER NOT NULL,
  provisioned_ms INTEGER, ended_ms INTEGER, end_status TEXT, deprovisioned_ms INTEGER, suspended INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS agreements_by_licence ON agreements (licence_arn);
CREATE INDEX IF NOT EXISTS agreements_by_account ON agreements (product_code, aws_account_id);
CREATE INDEX IF NOT EXISTS agreements_by_customer ON agreements (customer_identifier);

CREATE TABLE IF NOT EXISTS used_tokens (token_hash TEXT PRIMARY KEY) WITHOUT ROWID;

-- billing_key is AWS's rule of de-duplication, spelled out; its uniqueness is what makes the first write win.
CREATE TABLE IF NOT EXISTS records (
  billing_key TEXT PRIMARY KEY, metering_record_id TEXT NOT NULL, region TEXT NOT NULL, product_code TEXT NOT NULL,
  licence_arn TEXT NOT NULL, aws_account_id TEXT NOT NULL, customer_identifier TEXT, dimension TEXT NOT NULL,
  hour_ms INTEGER NOT NULL, timestamp_ms INTEGER NOT NULL, quantity INTEGER NOT NULL, allocations TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_by_hour ON records (hour_ms);

CREATE TABLE IF NOT EXISTS client_tokens (
  aws_account_id TEXT NOT NULL, client_token TEXT NOT NULL, request TEXT NOT NULL, metering_record_id TEXT NOT NULL,
  PRIMARY KEY (aws_account_id, client_token)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS calls (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, operation TEXT NOT NULL, region TEXT NOT NULL,
  access_key_id TEXT, record_count INTEGER NOT NULL, http_status INTEGER NOT NULL, error_code TEXT, statuses TEXT,
  unprocessed INTEGER NOT NULL, fault TEXT, request_id TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS calls_by_operation ON calls (operation, seq);

CREATE TABLE IF NOT EXISTS scheduled_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, kind TEXT NOT NULL, agreement_id TEXT NOT NULL,
  status TEXT
);
CREATE INDEX IF NOT EXISTS scheduled_by_time ON scheduled_events (at_ms, id);
CREATE INDEX IF NOT EXISTS scheduled_by_agreement ON scheduled_events (agreement_id);

CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, kind TEXT NOT NULL, agreement_id TEXT NOT NULL,
  status TEXT
);

-- body lacks what the envelope adds: ids and times stand in columns, so that a plan can still be moved.
CREATE TABLE IF NOT EXISTS scheduled_notices (
  id INTEGER PRIMARY KEY AUTOINCREMENT, due_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL, occasion TEXT NOT NULL,
  agreement_id TEXT NOT NULL, channel TEXT NOT NULL, name TEXT NOT NULL, notice_id TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS notices_by_time ON scheduled_notices (due_ms, id);
CREATE INDEX IF NOT EXISTS notices_by_agreement ON scheduled_notices (agreement_id);

CREATE TABLE IF NOT EXISTS notices (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, due_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL, agreement_id TEXT NOT NULL,
  channel TEXT NOT NULL, name TEXT NOT NULL, notice_id TEXT NOT NULL, body TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS compute (
  access_key_id TEXT PRIMARY KEY, platform TEXT NOT NULL, region TEXT NOT NULL, aws_account_id TEXT NOT NULL,
  instance_id TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS registrations (
  product_code TEXT NOT NULL, instance_id TEXT NOT NULL, aws_account_id TEXT NOT NULL, region TEXT NOT NULL,
  registered_ms INTEGER NOT NULL, PRIMARY KEY (product_code, instance_id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS signing_keys (
  version INTEGER PRIMARY KEY, private_pem TEXT NOT NULL, public_pem TEXT NOT NULL, created_ms INTEGER NOT NULL,
  expired_ms INTEGER
);
`;

/** Columns that came later, as table, column and kind: a world that was begun before gets them when it is opened. */
export const ADDED_COLUMNS = [
  ['products', 'listing', "TEXT NOT NULL DEFAULT '{}'"],
  ['agreements', 'term_end_ms', 'INTEGER'],
  ['agreements', 'auto_renew', 'INTEGER NOT NULL DEFAULT 0'],
  ['agreements', 'entitlements', "TEXT NOT NULL DEFAULT '[]'"],
  ['agreements', 'offer_kind', "TEXT NOT NULL DEFAULT 'public'"],
  ['agreements', 'partner_account_id', 'TEXT'],
  ['agreements', 'advisory_ms', 'INTEGER'],
  ['agreements', 'cancellation_asked_ms', 'INTEGER'],
] as const;

/** Indexes on added columns, made after them. */
export const ADDED_INDEXES = `
CREATE INDEX IF NOT EXISTS agreements_to_renew ON agreements (term_end_ms) WHERE auto_renew = 1 AND ended_ms IS NULL;
`;
