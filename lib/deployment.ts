// A deployment's settings: context key `fulfillment` in cdk.json, read once and checked before anything is built.
import { RegionInfo } from 'aws-cdk-lib/region-info';
import * as v from 'valibot';
import { MeteringPolicySchema, ProductSchema, productsSchema } from '../lambdas/contracts/product-settings.ts';
import {
  ProductPagesMembers,
  parseRegistrations,
  RegistrationSettingsSchema,
} from '../lambdas/contracts/registration-settings.ts';
import { UsageWarningHoursSchema, webhooksSchema } from '../lambdas/contracts/webhook-settings.ts';
import { Misconfigured } from '../lambdas/domain/failure.ts';
import type { Registrations } from '../lambdas/domain/registration-settings.ts';
import { targetProblem } from '../lambdas/runtime/webhook-target.ts';
import { AlarmMembers, alarmProblems } from './alarm-settings.ts';
import { AuditSettingsSchema } from './audit-settings.ts';
import { EncryptionSettingsSchema, encryptionProblems } from './encryption-settings.ts';
import { MailDeploymentSchema, mailProblems } from './mail-deployment.ts';
import { PagesMembers, pagesProblems } from './pages-settings.ts';
import { RemovalSettingsSchema, removalProblems } from './removal-settings.ts';
import { problemsOf } from './settings-problems.ts';

/** The days that CloudWatch Logs knows. */
const LOG_RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] as const;

/** The only region in which AWS Marketplace puts its notices on the bus. */
export const NOTICE_REGION = 'us-east-1';

const REGIONS = new Set(RegionInfo.regions.map(({ name }) => name));

const NO_REGION = 'has to be a region, such as us-east-1, that the installed aws-cdk-lib knows';

const Region = v.pipe(
  v.string(),
  v.check((name) => REGIONS.has(name), NO_REGION),
);

/** AWS's notices come in in us-east-1, and nothing of AWS reaches from one of its partitions into another. */
const HomeRegion = v.pipe(
  Region,
  v.regex(/^(?!cn-|us-gov-|us-iso|eu-isoe-|eusc-)/, 'has to be of the partition aws: not of China, not of GovCloud'),
);

const Principal = v.pipe(
  v.string(),
  v.regex(
    /^(\d{12}|arn:aws[a-z-]*:iam::\d{12}:(root|role\/[\w+=,.@/-]+|user\/[\w+=,.@/-]+))$/,
    'has to be an account of 12 digits or the ARN of an IAM role or user',
  ),
);

/** AWS's own topics of a legacy product: in its account, whose number the management portal shows, and its region. */
const LegacyTopic = v.pipe(
  v.string(),
  v.regex(
    /^arn:aws:sns:us-east-1:\d{12}:aws-mp-(subscription|entitlement)-notification-[a-zA-Z0-9]+$/,
    'has to be arn:aws:sns:us-east-1:<account of AWS>:aws-mp-subscription-notification-<productCode>, or -entitlement-',
  ),
);

function limitSchema(ratePerSecond: number, burst: number) {
  const Positive = v.pipe(v.number(), v.integer(), v.minValue(1, 'has to be 1 or more'));
  return v.optional(
    v.strictObject({ ratePerSecond: v.optional(Positive, ratePerSecond), burst: v.optional(Positive, burst) }),
    {},
  );
}

const AccountId = v.pipe(v.string(), v.regex(/^\d{12}$/, 'has to be an account of 12 digits'));

const PublishingAccountSchema = v.strictObject({
  id: AccountId,
  /** Where the deployment stands: its functions, and nobody else, may take the roles there. */
  homeAccountId: AccountId,
  /** Any text that both sides know: it keeps others whom the account trusts from using the roles through us. */
  externalId: v.pipe(
    v.string(),
    v.regex(/^[\w+=,.@:/-]{16,1224}$/, 'has to be 16 characters or more of letters, digits and + = , . @ : / - _'),
  ),
});

const Members = v.strictObject({
  /** Tells deployments in one account apart. */
  stage: v.optional(
    v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,19}$/, 'has to be 1 to 20 of a-z, 0-9 and -, a letter first')),
    'prod',
  ),
  /** Where everything is deployed, personal data included. */
  homeRegion: v.optional(HomeRegion, 'us-east-1'),
  /** Where registration tokens are redeemed: any region that has the Metering API. */
  marketplaceRegion: v.optional(Region, 'us-east-1'),
  products: productsSchema(v.strictObject({ ...ProductSchema.entries, ...ProductPagesMembers })),
  registration: RegistrationSettingsSchema,
  meteringPolicy: v.optional(MeteringPolicySchema, {}),
  logRetentionDays: v.optional(v.picklist(LOG_RETENTION_DAYS, `has to be one of ${LOG_RETENTION_DAYS.join(', ')}`), 90),
  /** Who of other accounts may POST /usage. */
  usageWriters: v.optional(v.array(Principal), []),
  /** Who of other accounts may take the role that writes rows straight into the usage table. */
  directUsageWriters: v.optional(v.array(Principal), []),
  /** Requests to the pages: a buyer makes about five in all. */
  pagesThrottle: limitSchema(20, 40),
  usageThrottle: limitSchema(200, 400),
  /** Who of other accounts may GET /customers/…. */
  customerReaders: v.optional(v.array(Principal), []),
  customersThrottle: limitSchema(200, 400),
  /** Who of other accounts may redeem hand-offs and register buyers. */
  signUpCallers: v.optional(v.array(Principal), []),
  /** AWS's SNS topics of products that it still tells of by SNS. */
  legacyTopics: v.optional(v.array(LegacyTopic), []),
  /** Where access events are posted to, besides the bus. */
  webhooks: v.optional(webhooksSchema(targetProblem), []),
  /** Mail to buyers and to the seller; without it there is none. */
  mail: v.exactOptional(MailDeploymentSchema),
  /** How many hours before AWS takes a record no more the product is told, each once. */
  usageWarningHours: v.optional(UsageWarningHoursSchema, [12, 6, 2]),
  ...AlarmMembers,
  /** The account that published the products, where it is another than the one deployed into. */
  publishingAccount: v.exactOptional(PublishingAccountSchema),
  /** A key of the seller's account in place of those of AWS. */
  encryption: v.exactOptional(EncryptionSettingsSchema),
  /** Whether the tables may go with their stack. */
  removal: v.optional(RemovalSettingsSchema, {}),
  /** How long the audit trail is locked. */
  audit: v.optional(AuditSettingsSchema, {}),
  ...PagesMembers,
  /** API Gateway writes logs by one role per account and region: make it, or leave the one that is there. */
  apiGatewayLogsRole: v.optional(v.picklist(['create', 'present'], 'has to be "create" or "present"'), 'create'),
});

/** What no member can know by itself. */
const DeploymentSchema = v.pipe(
  Members,
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { products, legacyTopics, webhooks, mail, homeRegion, publishingAccount, encryption } = dataset.value;
    if (publishingAccount?.id === publishingAccount?.homeAccountId && publishingAccount) {
      addIssue({ message: 'publishingAccount: leave it out where everything stands in one account' });
    }
    const isHandedOn = publishingAccount !== undefined || homeRegion !== NOTICE_REGION;
    const kept = { homeRegion, noticeRegion: NOTICE_REGION, isHandedOn };
    for (const message of encryption ? encryptionProblems(encryption, kept) : []) {
      addIssue({ message: `encryption.${message}` });
    }
    for (const message of removalProblems(dataset.value)) addIssue({ message });
    for (const [index, { signUp, meteringRegion }] of products.entries()) {
      if (!REGIONS.has(meteringRegion)) addIssue({ message: `products.${index}.meteringRegion: ${NO_REGION}` });
      if (signUp && !signUp.url.startsWith('https://')) {
        addIssue({ message: `products.${index}.signUp.url: has to begin with https://` });
      }
    }
    for (const message of pagesProblems(dataset.value, homeRegion)) addIssue({ message });
    const isForwarded = homeRegion !== NOTICE_REGION && !publishingAccount;
    const heard = { homeRegion, noticeRegion: isForwarded ? NOTICE_REGION : undefined };
    for (const message of alarmProblems(dataset.value, heard)) addIssue({ message });
    const legacy = products.filter(({ identityStyle }) => identityStyle === 'legacy');
    for (const topic of legacyTopics) {
      if (legacy.some(({ productCode }) => topic.endsWith(`-${productCode}`))) continue;
      addIssue({ message: `legacyTopics: ${topic} is of no product whose identityStyle is "legacy"` });
    }
    for (const { name, secretArn } of webhooks) {
      for (const message of secretProblems(name, secretArn, homeRegion)) addIssue({ message: `webhooks: ${message}` });
    }
    for (const message of mail ? mailProblems(mail, homeRegion) : []) addIssue({ message: `mail: ${message}` });
  }),
);

function secretProblems(name: string, secretArn: string, homeRegion: string): string[] {
  const isAtHome = secretArn.split(':')[3] === homeRegion;
  // Secrets Manager finds a secret by a part of its ARN as well; IAM, by which the function may read it, does not.
  const isWhole = /-[A-Za-z0-9]{6}$/.test(secretArn);
  return [
    ...(isAtHome ? [] : [`the secret of ${name} has to be in ${homeRegion}, where the function runs`]),
    ...(isWhole ? [] : [`the ARN of the secret of ${name} lacks its end, the -AbCdEf that AWS gives each secret`]),
  ];
}

export interface Deployment extends v.InferOutput<typeof DeploymentSchema> {}

/** A deployment as it is written down: what is left out stands at its default (docs/deployment.md). */
export type DeploymentSettings = v.InferInput<typeof DeploymentSchema>;

/** How often callers may ask before API Gateway answers 429. */
export type Limit = Deployment['pagesThrottle'];

/**
 * Reads a deployment's settings, an object or, as `--context` hands it over, its JSON. Throws Misconfigured, which names
 * everything that is missing, unknown or wrong.
 */
export function parseDeployment(context: unknown): Deployment {
  const settings = typeof context === 'string' ? parsedJson(context) : context;
  const problems = problemsOf(DeploymentSchema, settings ?? {});
  if (problems.length === 0) return v.parse(DeploymentSchema, settings);
  throw new Misconfigured(
    'DeploymentMalformed',
    [
      'The settings of the deployment (context key "fulfillment" in cdk.json) need these changes:',
      ...problems.map((problem) => `  - ${problem}`),
      'docs/deployment.md lists every setting.',
    ].join('\n'),
  );
}

/**
 * The PRODUCTS setting of the functions: what they meter by, not what buyers are shown. Members that stand at their default are left out, since Lambda's room for
 * settings is small; the region stays, so that a later default can't move where a product is metered.
 */
export function productsSetting(products: Deployment['products']): string {
  const defaults: Readonly<Record<string, unknown>> = v.getDefaults(ProductSchema);
  const isOfSetting = (name: string) => name in ProductSchema.entries;
  const isDefault = (name: string, value: unknown) => JSON.stringify(value) === JSON.stringify(defaults[name]);
  return JSON.stringify(
    products.map((product) =>
      Object.fromEntries(
        Object.entries(product).filter(
          ([name, value]) => isOfSetting(name) && (name === 'meteringRegion' || !isDefault(name, value)),
        ),
      ),
    ),
  );
}

/** The file of what products have of their own, as lambdas/contracts/registration-settings.ts reads it. */
export function productPagesFile(products: Deployment['products']): string {
  const entries = products.flatMap(({ productCode, registration, signUp }) =>
    registration || signUp
      ? [[productCode, { ...(registration ? { registration } : {}), ...(signUp ? { signUp } : {}) }] as const]
      : [],
  );
  return JSON.stringify(Object.fromEntries(entries));
}

/** Whether buyers of any product sign up on a page of the seller's own. */
export function hasSignUps({ products }: Pick<Deployment, 'products'>): boolean {
  return products.some(({ signUp }) => signUp !== undefined);
}

/** What the buyers of each product are shown, as the functions read it. */
export function registrationsOf({ registration, products }: Deployment): Registrations {
  return parseRegistrations(JSON.stringify(registration), productPagesFile(products));
}

/** The WEBHOOKS setting: what is told to which endpoint is decided before the function, by the rules of the bus. */
export function webhooksSetting(webhooks: Deployment['webhooks']): string {
  return JSON.stringify(webhooks.map(({ types: _, ...endpoint }) => endpoint));
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Misconfigured(
      'DeploymentMalformed',
      'The context key "fulfillment" was handed over as text that is not JSON.',
    );
  }
}
