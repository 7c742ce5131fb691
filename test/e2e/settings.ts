// The deployment's settings in its two versions: hours close as soon as they are over, since the wall's clock can't be moved.
import { legacyTopic, topicArn } from './courier.ts';
import { ACCOUNT, REGION } from './emulator.ts';

export const METRICS = 'e2emetrics';
export const BACKUP = 'e2ebackup';
export const SEARCH = 'e2esearch';

/** The seller's own sign-up page, of which there is only the server's side here. */
export const SIGN_UP_URL = 'https://search.example.com/aws';

export const MAIL_DOMAIN = 'example.com';

/** What the contract includes of `gb_stored`; what lies beyond is metered. */
export const INCLUDED_GB = 10;

/** Only the second version knows it. */
export const NEW_DIMENSION = 'gb_sent';

export const NEXT_STEPS = ['We write to you within minutes.', 'Version two writes to you within seconds.'] as const;

const product = (productCode: string, title: string, dimensions: readonly string[], more: object = {}) => ({
  productCode,
  title,
  dimensions,
  zeroRecords: 'off',
  ...more,
});

export function settings(version: 1 | 2): object {
  return {
    stage: 'e2e',
    products: [
      product(METRICS, 'Metrics', ['requests', ...(version === 1 ? [] : [NEW_DIMENSION])]),
      product(BACKUP, 'Backup', ['gb_stored'], {
        pricingModel: 'contractWithConsumption',
        included: { gb_stored: 'perTerm' },
      }),
      product(SEARCH, 'Search', ['requests'], { identityStyle: 'legacy', signUp: { url: SIGN_UP_URL } }),
    ],
    registration: {
      sellerName: 'Example Software',
      supportEmail: 'support@example.com',
      nextSteps: NEXT_STEPS[version - 1],
      fields: [{ name: 'company', label: 'Company', required: true }],
    },
    meteringPolicy: { settleDelayMs: 0, lingerMs: 0, drainMs: 0 },
    logRetentionDays: 30,
    mail: {
      identityArn: `arn:aws:ses:${REGION}:${ACCOUNT}:identity/${MAIL_DOMAIN}`,
      from: `marketplace@${MAIL_DOMAIN}`,
    },
    legacyTopics: LEGACY_TOPICS.map(topicArn),
  };
}

export const LEGACY_TOPICS = [legacyTopic('subscription', SEARCH), legacyTopic('entitlement', SEARCH)];

/** As the simulator lists them. */
export const LISTINGS = [
  {
    productCode: METRICS,
    title: 'Metrics',
    dimensions: [
      { key: 'requests', unitPriceUsd: '0.01' },
      { key: NEW_DIMENSION, unitPriceUsd: '0.05' },
    ],
  },
  {
    productCode: BACKUP,
    title: 'Backup',
    pricing: 'contractWithConsumption',
    dimensions: [{ key: 'gb_stored', unitPriceUsd: '0.10' }],
  },
  {
    productCode: SEARCH,
    title: 'Search',
    identityStyle: 'legacy',
    dimensions: [{ key: 'requests', unitPriceUsd: '0.02' }],
  },
];
