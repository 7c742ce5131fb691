// What is kept: the tables, and what the other stacks stand on.
import { Annotations, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { CfnAccount } from 'aws-cdk-lib/aws-apigateway';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { TABLES, type TableShape } from '../lambdas/stores/tables.ts';
import { AuditBucket } from './constructs/audit-bucket.ts';
import { type Encryption, encryptBelow } from './constructs/encryption.ts';
import { KeptTable } from './constructs/kept-table.ts';
import { SellersKey } from './constructs/sellers-key.ts';
import { SessionKeys } from './constructs/session-keys.ts';
import type { Deployment } from './deployment.ts';
import { deletesBillingData } from './removal-settings.ts';

export interface StorageStackProps extends StackProps {
  readonly deployment: Deployment;
}

export class StorageStack extends Stack {
  readonly usage: KeptTable;
  readonly ledger: KeptTable;
  readonly customers: KeptTable;
  readonly buyers: KeptTable;
  readonly work: KeptTable;
  readonly notices: KeptTable;
  readonly deliveries: KeptTable;
  readonly rejects: KeptTable;
  readonly summaries: KeptTable;
  readonly sessionKeys: SessionKeys;
  readonly audit: AuditBucket;
  /** What the stacks that stand on this one encrypt by; undefined where AWS's keys are used. */
  readonly encryption: Encryption | undefined;

  constructor(scope: Construct, id: string, { deployment, ...props }: StorageStackProps) {
    super(scope, id, props);
    this.encryption = this.#encrypt(deployment);
    const isDeletable = deletesBillingData(deployment);
    const kept = (name: string, shape: TableShape) => new KeptTable(this, name, { shape, isDeletable });
    this.usage = kept('UsageTable', TABLES.usage);
    this.ledger = kept('LedgerTable', TABLES.ledger);
    this.customers = kept('CustomersTable', TABLES.customers);
    this.buyers = kept('BuyersTable', TABLES.buyers);
    this.work = kept('WorkTable', TABLES.work);
    this.notices = kept('NoticesTable', TABLES.notices);
    this.deliveries = kept('DeliveriesTable', TABLES.deliveries);
    this.rejects = kept('RejectsTable', TABLES.rejects);
    this.summaries = kept('SummariesTable', TABLES.summaries);
    this.sessionKeys = new SessionKeys(this, 'SessionKeys', { logRetention: deployment.logRetentionDays });
    this.audit = new AuditBucket(this, 'Audit', deployment.audit);
    if (isDeletable) {
      Annotations.of(this).addWarningV2(
        'fulfillment:billing-data',
        `Once this is deployed, cdk destroy Storage deletes all billing data of ${deployment.stage}.`,
      );
    }
    if (deployment.apiGatewayLogsRole === 'create') this.#addApiGatewayLogsRole();
  }

  /** Before anything that is to be encrypted. */
  #encrypt({ encryption, stage }: Deployment): Encryption | undefined {
    if (!encryption) return undefined;
    const { key } = new SellersKey(this, 'Encryption', { choice: encryption.customerManagedKey, stage });
    const made = { key, isOnlyPrepared: encryption.prepareOnly };
    encryptBelow(this, made);
    return made;
  }

  /** Kept when the stack goes: other APIs of the account may have come to write their logs by it. */
  #addApiGatewayLogsRole(): void {
    const role = new Role(this, 'ApiGatewayLogsRole', {
      assumedBy: new ServicePrincipal('apigateway.amazonaws.com'),
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName('service-role/AmazonAPIGatewayPushToCloudWatchLogs')],
      description: 'Lets API Gateway write logs; one for the account and region',
    });
    role.applyRemovalPolicy(RemovalPolicy.RETAIN);
    const account = new CfnAccount(this, 'ApiGatewayAccount', { cloudWatchRoleArn: role.roleArn });
    account.applyRemovalPolicy(RemovalPolicy.RETAIN);
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]',
      reason: 'The role is that of all APIs in the account and region, so it has the policy that AWS made for it.',
    });
  }
}
