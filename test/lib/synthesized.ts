// The stacks as cdk.json describes them, synthesized once for a test file.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type AppProps, type Stack } from 'aws-cdk-lib';
import { parseDeployment } from '../../lib/deployment.ts';
import { addFulfillment } from '../../lib/fulfillment.ts';

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}

/** A resource, with its stack and logical id. */
export interface Found extends Resource {
  readonly id: string;
}

const CDK_JSON = new URL('../../cdk.json', import.meta.url);

export const CONTEXT: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(CDK_JSON, 'utf8')).context;

/** The example settings of cdk.json with some replaced. */
export function exampleSettings(overrides: object = {}): Readonly<Record<string, unknown>> {
  return { ...(CONTEXT['fulfillment'] as object), ...overrides };
}

const LEGACY_CODE = 'legacycode1234567890';

/** One of each: a contract beside the subscription, a legacy product with its topics, webhooks, mail, another home. */
export const EVERYTHING = {
  homeRegion: 'eu-central-1',
  products: [
    ...(exampleSettings()['products'] as object[]),
    {
      productCode: 'contractcode12345678',
      title: 'Seats',
      pricingModel: 'contract',
      registration: { sellerName: 'Example Seats', accent: '#0f766e' },
      signUp: { url: 'https://seats.example.com/aws' },
    },
    { productCode: LEGACY_CODE, title: 'Old Timer', identityStyle: 'legacy' },
  ],
  legacyTopics: ['subscription', 'entitlement'].map(
    (kind) => `arn:aws:sns:us-east-1:287250355862:aws-mp-${kind}-notification-${LEGACY_CODE}`,
  ),
  mail: {
    identityArn: 'arn:aws:ses:eu-central-1:111122223333:identity/seller.example',
    from: 'marketplace@seller.example',
    sellerAddress: 'sales@seller.example',
    configurationSet: 'buyers',
  },
  webhooks: [
    {
      name: 'crm',
      url: 'https://hooks.example.com/aws',
      secretArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:crm-AbCdEf',
      types: ['accessGranted', 'accessRevoked'],
    },
    {
      name: 'audit',
      url: 'https://audit.example.com/',
      secretArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:audit-AbCdEf',
    },
  ],
};

/** Hands an app over whose output goes when `use` has ended: CDK leaves its own temporary folders behind. */
export function withApp<T>(props: AppProps, use: (app: App) => T): T {
  const outdir = mkdtempSync(join(tmpdir(), 'cdk-test-'));
  try {
    return use(new App({ ...props, outdir }));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** The context without bundles, which other tests look at: they would take most of the time. */
export const WITHOUT_BUNDLES = { ...CONTEXT, 'aws:cdk:bundling-stacks': [] };

/** Every resource of every stack. */
export function synthesize(overrides: object = {}) {
  return withApp({ context: WITHOUT_BUNDLES }, (app) => resourcesOf(app, overrides));
}

function resourcesOf(app: App, overrides: object) {
  const deployed = addFulfillment(app, parseDeployment(exampleSettings(overrides)));
  const stacks: Stack[] = Object.values(deployed).filter((stack) => stack !== undefined);
  // Nor the checks, which run whenever `npm run synth` does.
  const assembly = app.synth({ skipValidation: true });
  const found = stacks.flatMap((stack) => {
    const resources: Record<string, Resource> = assembly.getStackArtifact(stack.artifactId).template['Resources'];
    return Object.entries(resources).map(([id, resource]): Found => ({ id: `${stack.node.id}/${id}`, ...resource }));
  });
  return {
    ofType: (type: string) => found.filter((resource) => resource.Type === type),
    named: (part: string) => found.filter(({ id }) => id.includes(part)),
    all: found,
  };
}

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}

/** What a policy allows, one `action on resource` a line, sorted. Resources are cut to what tells them apart. */
export function allowed(policies: readonly Found[]): string[] {
  const lines = policies.flatMap(({ Properties }) => {
    const { Statement } = Properties['PolicyDocument'] as { Statement: readonly Statement[] };
    return Statement.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action, Resource }) =>
      [Action].flat().flatMap((action) => [Resource].flat().map((resource) => `${action} on ${nameOf(resource)}`)),
    );
  });
  return lines.sort();
}

/** What a function's own role allows it, by the function's name in the stacks. */
export function permittedTo(stacks: ReturnType<typeof synthesize>, name: string): readonly string[] {
  return allowed(stacks.named(`/${name}Role`).filter(({ Type }) => Type === 'AWS::IAM::Policy'));
}

/** `customers`, `ledger/by-state`, `FailedRuns`, `NoticesQueue`, `crm-AbCdEf`, `*`. */
function nameOf(resource: unknown): string {
  if (resource === '*') return '*';
  const text = JSON.stringify(resource);
  const index = /\/index\/[\w*-]+/.exec(text)?.[0].replace('/index', '') ?? '';
  const table = /(Usage|Ledger|Customers|Buyers|Work|Notices|Deliveries|Rejects|Summaries)Table/.exec(text)?.[1];
  if (table) return `${table.toLowerCase()}${index}`;
  const secret = /:secret:([\w-]+)/.exec(text)?.[1];
  if (secret) return secret;
  const ses = /:ses:[\w-]+:\d+:([\w-]+\/[\w.@-]+)/.exec(text)?.[1];
  if (ses) return ses;
  const known =
    /SessionKeysSecret|AuditBucket|FailedRuns|FailedExports|NoticesQueue|WebhooksQueue|MailQueue|AccessEvents|\w*Logs|\w*Function/;
  return known.exec(text)?.[0] ?? text;
}
