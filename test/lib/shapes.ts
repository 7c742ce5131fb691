// The shapes that a seller's deployment can have: the settings of each, beside those of cdk.json.
import { EVERYTHING } from './synthesized.ts';

const HOME = 'eu-central-1';

/** What each is for stands in docs/deployment.md. */
export const SHAPES = {
  'two-regions': {
    homeRegion: HOME,
    products: [
      { productCode: 'americancode12345678', title: 'Example Analytics' },
      { productCode: 'europeancode12345678', title: 'Example Storage', meteringRegion: 'eu-west-1' },
    ],
    noticeAlarmTopicArn: 'arn:aws:sns:us-east-1:444455556666:notice-alarms',
  },
  'cross-account': {
    publishingAccount: { id: '111122223333', homeAccountId: '444455556666', externalId: 'fulfillment-of-example' },
  },
  'cross-account-topics': {
    publishingAccount: { id: '111122223333', homeAccountId: '444455556666', externalId: 'fulfillment-of-example' },
    homeRegion: HOME,
    products: EVERYTHING.products,
    legacyTopics: EVERYTHING.legacyTopics,
  },
  'custom-domain': {
    pagesDomain: { name: 'aws.example.com', hostedZone: { id: 'Z0123456789', name: 'example.com' } },
  },
  'custom-domain-own-certificate': {
    pagesDomain: {
      name: 'aws.example.com',
      certificateArn: 'arn:aws:acm:us-east-1:444455556666:certificate/01234567-89ab-cdef-0123-456789abcdef',
    },
  },
  'without-firewall': { firewall: { enabled: false } },
  'all-security': {
    ...EVERYTHING,
    encryption: { customerManagedKey: 'create' },
    audit: { lock: 'compliance' },
    alarms: { emails: ['alarms@seller.example'] },
  },
  'own-keys': {
    homeRegion: HOME,
    encryption: {
      customerManagedKey: `arn:aws:kms:${HOME}:444455556666:key/01234567-89ab-cdef-0123-456789abcdef`,
      noticeKeyArn: 'arn:aws:kms:us-east-1:444455556666:key/mrk-0123456789abcdef0123456789abcdef',
    },
  },
  'keys-prepared': { encryption: { customerManagedKey: 'create', prepareOnly: true } },
  everything: EVERYTHING,
} as const;
