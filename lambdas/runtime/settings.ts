// Which settings each deployed function needs. The stacks must supply exactly these keys, or they don't compile.
import { Misconfigured } from '../domain/failure.ts';

const SETTINGS = {
  'resolve-buyer': [
    'CUSTOMERS_TABLE',
    'NOTICES_TABLE',
    'WORK_TABLE',
    'PRODUCTS',
    'REGISTRATION',
    'SESSION_KEYS_SECRET',
    'MARKETPLACE_REGION',
    'MARKETPLACE_ACCESS',
    'STAGE',
  ],
  'register-customer': [
    'CUSTOMERS_TABLE',
    'NOTICES_TABLE',
    'BUYERS_TABLE',
    'WORK_TABLE',
    'PRODUCTS',
    'SESSION_KEYS_SECRET',
    'REGISTRATION',
  ],
  'complete-sign-up': [
    'CUSTOMERS_TABLE',
    'NOTICES_TABLE',
    'BUYERS_TABLE',
    'WORK_TABLE',
    'PRODUCTS',
    'SESSION_KEYS_SECRET',
    'REGISTRATION',
    'STAGE',
  ],
  'record-usage': [
    'CUSTOMERS_TABLE',
    'USAGE_TABLE',
    'WORK_TABLE',
    'REJECTS_TABLE',
    'PRODUCTS',
    'METERING_POLICY',
    'STAGE',
  ],
  'close-hours': [
    'CUSTOMERS_TABLE',
    'USAGE_TABLE',
    'LEDGER_TABLE',
    'WORK_TABLE',
    'REJECTS_TABLE',
    'PRODUCTS',
    'METERING_POLICY',
    'STAGE',
  ],
  'send-metering': ['LEDGER_TABLE', 'WORK_TABLE', 'METERING_POLICY', 'STAGE', 'MARKETPLACE_ACCESS'],
  'summarize-hours': [
    'CUSTOMERS_TABLE',
    'USAGE_TABLE',
    'LEDGER_TABLE',
    'WORK_TABLE',
    'NOTICES_TABLE',
    'REJECTS_TABLE',
    'SUMMARIES_TABLE',
    'METERING_POLICY',
    'USAGE_WARNING_HOURS',
    'STAGE',
  ],
  'rotate-session-keys': ['SESSION_KEYS_SECRET'],
  'refresh-entitlements': ['CUSTOMERS_TABLE', 'NOTICES_TABLE', 'WORK_TABLE', 'PRODUCTS', 'MARKETPLACE_ACCESS'],
  'read-customer': ['CUSTOMERS_TABLE', 'LEDGER_TABLE', 'PRODUCTS'],
  'tell-product': [
    'CUSTOMERS_TABLE',
    'NOTICES_TABLE',
    'LEDGER_TABLE',
    'WORK_TABLE',
    'PRODUCTS',
    'EVENT_BUS',
    'USAGE_WARNING_HOURS',
  ],
  'deliver-webhooks': ['DELIVERIES_TABLE', 'WEBHOOKS', 'WEBHOOKS_QUEUE', 'STAGE'],
  'export-audit': ['LEDGER_TABLE', 'WORK_TABLE', 'AUDIT_BUCKET', 'METERING_POLICY', 'STAGE'],
  'watch-deadlines': ['LEDGER_TABLE', 'WORK_TABLE', 'NOTICES_TABLE', 'CUSTOMERS_TABLE', 'METERING_POLICY', 'STAGE'],
  'send-mail': ['CUSTOMERS_TABLE', 'BUYERS_TABLE', 'DELIVERIES_TABLE', 'PRODUCTS', 'REGISTRATION', 'MAIL'],
  'apply-notice': [
    'CUSTOMERS_TABLE',
    'NOTICES_TABLE',
    'WORK_TABLE',
    'PRODUCTS',
    'EVENT_BUS',
    'MARKETPLACE_ACCESS',
    'LEGACY_TOPICS',
  ],
} as const;

export type HandlerName = keyof typeof SETTINGS;
export type SettingsOf<H extends HandlerName> = Readonly<Record<(typeof SETTINGS)[H][number], string>>;

type Environment = Readonly<Record<string, string | undefined>>;

/** The settings of one function; names every missing one at once. */
export function readSettings<H extends HandlerName>(handler: H, environment: Environment): SettingsOf<H> {
  const keys: readonly string[] = SETTINGS[handler];
  const missing = keys.filter((key) => !environment[key]);
  if (missing.length > 0) {
    throw new Misconfigured(
      'SettingMissing',
      `${handler} lacks the settings ${missing.join(', ')}: deploy it through its stack, which supplies them.`,
      { facts: { handler, missing: missing.join(',') } },
    );
  }
  return Object.fromEntries(keys.map((key) => [key, environment[key]])) as SettingsOf<H>;
}
