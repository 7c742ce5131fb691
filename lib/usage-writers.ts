// Who may report usage and read customers: policies to attach in this account, and ways in for other accounts.
import { CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import {
  AccountPrincipal,
  ArnPrincipal,
  CompositePrincipal,
  Effect,
  ManagedPolicy,
  PolicyDocument,
  PolicyStatement,
  Role,
} from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { KeptTable } from './constructs/kept-table.ts';

/** The partition of the work table in which late markers stand; see lambdas/stores/work-store.ts. */
const LATE_PARTITION = 'late';

interface Way {
  /** Accounts, roles and users. */
  readonly callers: readonly string[];
  /** With the stage and the method before the path. */
  readonly routes: readonly string[];
}

/** Lets principals of other accounts call routes. Undefined where there are none. */
export function usagePolicy(ways: readonly Way[]): PolicyDocument | undefined {
  const open = ways.filter(({ callers }) => callers.length > 0);
  if (open.length === 0) return undefined;
  return new PolicyDocument({
    statements: open.map(
      ({ callers, routes }) =>
        new PolicyStatement({
          effect: Effect.ALLOW,
          principals: callers.map(principalOf),
          actions: ['execute-api:Invoke'],
          resources: routes.map((route) => `execute-api:/${route}`),
        }),
    ),
  });
}

export interface CustomerReadersProps {
  /** The ARNs of the routes, for any customer. */
  readonly methodArns: readonly string[];
}

/** What the seller attaches to the roles of the product that asks how its customers stand. */
export class CustomerReaders extends Construct {
  constructor(scope: Construct, id: string, { methodArns }: CustomerReadersProps) {
    super(scope, id);
    const reader = new ManagedPolicy(this, 'Reader', {
      description: 'Lets the product read how its customers stand and what their contracts include',
      statements: [new PolicyStatement({ actions: ['execute-api:Invoke'], resources: [...methodArns] })],
    });
    Validations.of(reader).acknowledge(
      ...methodArns.map((arn) => ({
        id: `AwsSolutions-IAM5[Resource::${readable(this, arn)}]`,
        reason: 'The product asks of any of its customers; none but these routes is behind the wildcard.',
      })),
    );
    new CfnOutput(this, 'ReaderPolicy', { value: reader.managedPolicyArn });
  }
}

export interface UsageWritersProps {
  /** The ARN of POST /usage. */
  readonly usageMethodArn: string;
  readonly usage: KeptTable;
  readonly work: KeptTable;
  /** Principals of other accounts that may take the role of a direct writer. */
  readonly directWriters: readonly string[];
}

/** What the seller attaches to the roles of the product that reports usage. */
export class UsageWriters extends Construct {
  constructor(scope: Construct, id: string, { usageMethodArn, usage, work, directWriters }: UsageWritersProps) {
    super(scope, id);
    const reporter = new ManagedPolicy(this, 'Reporter', {
      description: 'Lets the product report usage through POST /usage',
      statements: [new PolicyStatement({ actions: ['execute-api:Invoke'], resources: [usageMethodArn] })],
    });
    const direct = new ManagedPolicy(this, 'DirectWriter', {
      description: 'Lets the product put rows straight into the usage table, and ask for another look at their hour',
      statements: [
        ...usage.access(['PutItem', 'GetItem']).statements,
        new PolicyStatement({
          actions: ['dynamodb:UpdateItem'],
          resources: [work.table.tableArn],
          conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [LATE_PARTITION] } },
        }),
        ...work.mayUseKey(['UpdateItem']),
      ],
    });
    new CfnOutput(this, 'ReporterPolicy', { value: reporter.managedPolicyArn });
    new CfnOutput(this, 'DirectWriterPolicy', { value: direct.managedPolicyArn });
    if (directWriters.length === 0) return;
    const role = new Role(this, 'DirectWriterRole', {
      assumedBy: new CompositePrincipal(...directWriters.map(principalOf)),
      managedPolicies: [direct],
      description: 'For products in other accounts that write usage rows themselves',
    });
    new CfnOutput(this, 'DirectWriterRoleArn', { value: role.roleArn });
  }
}

/** An ARN in cdk-nag's writing: what CloudFormation fills in stands in angle brackets. */
export function readable(scope: Construct, arn: string): string {
  const resolved: { readonly 'Fn::Join': [string, readonly (string | { readonly Ref: string })[]] } =
    Stack.of(scope).resolve(arn);
  return resolved['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : `<${part.Ref}>`)).join('');
}

function principalOf(writer: string): AccountPrincipal | ArnPrincipal {
  return /^\d{12}$/.test(writer) ? new AccountPrincipal(writer) : new ArnPrincipal(writer);
}
