// Who may report usage: policies to attach in this account, and ways in for other accounts.
import { CfnOutput } from 'aws-cdk-lib';
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

/** Lets principals of other accounts call one route. Undefined where there are none. */
export function usagePolicy(writers: readonly string[], route: string): PolicyDocument | undefined {
  if (writers.length === 0) return undefined;
  return new PolicyDocument({
    statements: [
      new PolicyStatement({
        effect: Effect.ALLOW,
        principals: writers.map(principalOf),
        actions: ['execute-api:Invoke'],
        resources: [`execute-api:/${route}`],
      }),
    ],
  });
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

function principalOf(writer: string): AccountPrincipal | ArnPrincipal {
  return /^\d{12}$/.test(writer) ? new AccountPrincipal(writer) : new ArnPrincipal(writer);
}
