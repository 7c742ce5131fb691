// Where a deployment's parts are and how it is set up: all that the operator's machine has to know of it.
import type { HandlerName } from '../lambdas/runtime/settings.ts';
import type { TableKind } from '../lambdas/stores/tables.ts';

interface QueueFacts {
  readonly url: string;
  /** Where what could not be done ends. */
  readonly deadLettersUrl: string;
}

export const QUEUE_NAMES = ['notices', 'webhooks', 'mail'] as const;

export type QueueName = (typeof QUEUE_NAMES)[number];

/** Settings that say how a deployment works, as the functions have them: texts of JSON, and a region. */
export const DEPLOYED_SETTINGS = [
  'PRODUCTS',
  'METERING_POLICY',
  'REGISTRATION',
  'WEBHOOKS',
  'USAGE_WARNING_HOURS',
  'MARKETPLACE_REGION',
] as const;

export type DeployedSettings = Readonly<Record<(typeof DEPLOYED_SETTINGS)[number], string>>;

/** Services of AWS that the operator's machine calls, by the names that the SDK's environment variables have. */
type ServiceName = 'DYNAMODB' | 'SQS' | 'MARKETPLACE_CATALOG';

export interface DeploymentFacts {
  /** Tells deployments of one account apart; that of a laptop is `laptop`. */
  readonly stage: string;
  readonly region: string;
  readonly tables: Readonly<Record<TableKind, string>>;
  /** A deployment without webhooks, or mail, has no queue of them. */
  readonly queues: Readonly<Partial<Record<QueueName, QueueFacts>>>;
  readonly eventBus: string;
  readonly urls: { readonly fulfillment: string; readonly usage: string };
  readonly settings: DeployedSettings;
  /** The names of the deployed functions; none on a laptop, where they run in one process. */
  readonly functions: Readonly<Partial<Record<HandlerName, string>>>;
  /** Where services are that are not AWS's own. */
  readonly endpoints: Readonly<Partial<Record<ServiceName, string>>>;
  /** The simulated AWS Marketplace of a laptop, by whose clock everything there goes. */
  readonly simulator?: { readonly url: string; readonly controlSecret: string };
}
