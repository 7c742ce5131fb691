// What the checks go by: everything that the probes can see of a deployment and its listing.
import type { TableKind } from '../../lambdas/stores/tables.ts';
import type { Deployment } from '../../lib/deployment.ts';
import type { Listing } from '../listing/listing.ts';
import type { Probed } from './probed.ts';

export interface ResourceFacts {
  readonly stack: string;
  readonly region: string;
  readonly logicalId: string;
  /** As CloudFormation names it: `AWS::Events::Rule`. */
  readonly type: string;
  readonly physicalId: string;
}

export interface StackFacts {
  readonly status: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly resources: readonly ResourceFacts[];
}

interface KeyFacts {
  readonly partition: string;
  readonly sort?: string;
}

export interface TableFacts {
  readonly status: string;
  readonly key: KeyFacts;
  readonly indexes: readonly (KeyFacts & { readonly name: string; readonly status: string })[];
  readonly isProtected: boolean;
}

interface RuleFacts {
  readonly isEnabled: boolean;
  /** JSON. */
  readonly pattern: string;
  readonly targetArns: readonly string[];
}

interface QueueFacts {
  readonly messages: number;
  /** Taken by a function, and not done yet. */
  readonly underWay: number;
}

interface ScheduleFacts {
  readonly isEnabled: boolean;
  readonly expression: string;
  readonly targetArn: string;
}

interface FunctionFacts {
  readonly state: string;
  readonly lastUpdate: string;
  readonly roleArn: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** What a function did of late. */
interface RunFacts {
  /** How far was looked back. */
  readonly spanMinutes: number;
  readonly invocations: number;
  readonly errors: number;
  readonly throttles: number;
}

export interface AlarmFacts {
  readonly name: string;
  readonly isRaised: boolean;
  readonly actions: readonly string[];
}

export interface Undelivered {
  readonly topic: string;
  /** In CloudWatch's words. */
  readonly reason: string;
}

/** A decision of IAM, asked for without doing the thing. */
interface Decision {
  readonly handler: string;
  readonly action: string;
  readonly isAllowed: boolean;
  /** What decided it: `implicitDeny`, `explicitDeny`. */
  readonly decision: string;
  /** An organization's policy stands in the way, whatever the role says. */
  readonly isForbiddenByOrganization: boolean;
}

/** What holds for every API of the account in the region. */
export interface GatewayFacts {
  readonly ratePerSecond: number | undefined;
  /** The ARN of the role that logs are written by. */
  readonly logsRole: string | undefined;
  /** The role is named, and IAM knows of none. */
  readonly isLogsRoleGone: boolean;
}

/** How a web address answered, redirects not followed. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Of a listing, what the settings can be held against. */
export type ListedProduct = Pick<Listing, 'productCode' | 'dimensions' | 'fulfillmentUrls'> &
  Partial<Pick<Listing, 'pricingModel'>>;

interface SecretFacts {
  readonly isBeingDeleted: boolean;
  readonly isRotated: boolean;
}

export interface Keyed<T> {
  readonly name: string;
  readonly probed: Probed<T>;
}

/** The answer to a call that meters nothing. `error`: the name of what AWS refused it with. */
export interface DryCall {
  readonly error?: string;
  readonly message?: string;
}

export interface Facts {
  readonly stage: string;
  readonly region: string;
  /** A world on one machine, with an example's settings and nobody at its doors. */
  readonly isLaptop: boolean;
  /** The account of whoever asks. */
  readonly account: Probed<string>;
  /** The settings to be deployed, or everything that is wrong with them. */
  readonly settings: { readonly deployment: Deployment } | { readonly problem: string };
  readonly stacks: readonly Keyed<StackFacts>[];
  readonly tables: readonly (Keyed<TableFacts> & { readonly kind: TableKind })[];
  /** Whether each table can be restored to a point in time. */
  readonly recovery: readonly Keyed<boolean>[];
  readonly expiry: readonly (Keyed<string | undefined> & { readonly kind: TableKind })[];
  readonly rules: readonly (Keyed<RuleFacts> & { readonly resource: ResourceFacts })[];
  readonly topics: readonly Keyed<'confirmed' | 'pending'>[];
  readonly queues: readonly (Keyed<QueueFacts> & { readonly isDeadLetters: boolean })[];
  readonly feeds: readonly Keyed<string>[];
  readonly schedules: readonly Keyed<ScheduleFacts>[];
  readonly functions: readonly (Keyed<FunctionFacts> & { readonly handler: string })[];
  readonly runs: readonly (Keyed<RunFacts> & { readonly handler: string })[];
  readonly decisions: readonly Keyed<readonly Decision[]>[];
  readonly alarms: Probed<readonly AlarmFacts[]>;
  /** For each topic of alarms, how many subscriptions are confirmed. */
  readonly alarmTopics: readonly Keyed<number>[];
  /** Topics whose last alarm CloudWatch could not hand over. */
  readonly undelivered: Probed<readonly Undelivered[]>;
  readonly secrets: readonly (Keyed<SecretFacts> & { readonly purpose: 'sessionKeys' | 'webhook' })[];
  /** Calls with nothing to meter, by region. */
  readonly metering: readonly Keyed<DryCall>[];
  readonly catalog: Probed<readonly ListedProduct[]>;
  /** How far this machine's clock is before AWS's; negative where it is behind. */
  readonly clockAheadMs: Probed<number>;
  readonly pages: {
    readonly url: string | undefined;
    readonly get: Probed<HttpAnswer>;
    /** Without a token, as a form. */
    readonly post: Probed<HttpAnswer>;
    /** With a token that AWS never gave. */
    readonly postToken: Probed<HttpAnswer>;
  };
  /** How long the certificate of the pages is still valid. */
  readonly certificateLeftMs: Probed<number>;
  /** GET of each product's own sign-up page. */
  readonly signUps: readonly Keyed<HttpAnswer>[];
  /** POST /usage of somebody whom nobody knows. */
  readonly usage: { readonly url: string | undefined; readonly post: Probed<HttpAnswer> };
  readonly mail: {
    /** Whether the identity is verified. */
    readonly identity: Probed<boolean>;
    readonly account: Probed<{ readonly isProduction: boolean; readonly isSending: boolean }>;
  };
  readonly concurrency: Probed<number>;
  readonly gateway: Probed<GatewayFacts>;
}
