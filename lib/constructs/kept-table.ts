// A table that outlives mistakes: kept when its stack goes, not to be deleted by hand, restorable to any second.
import { CfnDeletionPolicy, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  type CfnTable,
  ProjectionType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { TableShape } from '../../lambdas/stores/tables.ts';
import { type KeyAction, keyOf, mayUseKey } from './encryption.ts';
import type { Access } from './handler-function.ts';

export type TableAction =
  | 'GetItem'
  | 'BatchGetItem'
  | 'Query'
  | 'PutItem'
  | 'UpdateItem'
  | 'DeleteItem'
  | 'ConditionCheckItem';

/** What DynamoDB asks of whoever reads, and of whoever writes, a table under a key of the account's own. */
const TO_READ: readonly KeyAction[] = ['Decrypt', 'DescribeKey'];
const TO_WRITE: readonly KeyAction[] = [...TO_READ, 'Encrypt', 'GenerateDataKey', 'ReEncryptFrom', 'ReEncryptTo'];

const WRITES: readonly TableAction[] = ['PutItem', 'UpdateItem', 'DeleteItem'];

export interface KeptTableProps {
  /** Keys, indexes and expiry, as the stores know them. */
  readonly shape: TableShape;
  /** Whether it may go with its stack: the seller has asked for it twice. */
  readonly isDeletable: boolean;
}

export class KeptTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, { shape, isDeletable }: KeptTableProps) {
    super(scope, id);
    const key = keyOf(this);
    this.table = new Table(this, 'Table', {
      ...keys(shape.key),
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: !isDeletable,
      removalPolicy: isDeletable ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
      ...(key
        ? { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: key }
        : { encryption: TableEncryption.AWS_MANAGED }),
      ...(shape.expiry === undefined ? {} : { timeToLiveAttribute: shape.expiry }),
    });
    // Never by the way: what an update replaces stays, whatever was asked for.
    (this.table.node.defaultChild as CfnTable).cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
    for (const index of shape.indexes) {
      this.table.addGlobalSecondaryIndex({
        indexName: index.name,
        ...keys(index),
        ...(index.carries.length === 0
          ? { projectionType: ProjectionType.KEYS_ONLY }
          : { projectionType: ProjectionType.INCLUDE, nonKeyAttributes: [...index.carries] }),
      });
    }
    // Whoever uses it now: an export that went with its last user would have to go before that user is deployed, and
    // CloudFormation takes none away that is imported.
    for (const value of [this.table.tableName, this.table.tableArn]) Stack.of(this).exportValue(value);
  }

  /** The table's name, with leave to do these things and no others to it, and to query these of its indexes. */
  access(actions: readonly TableAction[], queriedIndexes: readonly string[] = []): Access {
    const { tableName, tableArn } = this.table;
    const onTable = new PolicyStatement({
      actions: actions.map((action) => `dynamodb:${action}`),
      resources: [tableArn],
    });
    const onIndexes = queriedIndexes.map(
      (name) => new PolicyStatement({ actions: ['dynamodb:Query'], resources: [`${tableArn}/index/${name}`] }),
    );
    return { value: tableName, statements: [onTable, ...onIndexes, ...this.mayUseKey(actions)] };
  }

  /** Leave to use the table's key for these things, which comes with `access`. */
  mayUseKey(actions: readonly TableAction[]): PolicyStatement[] {
    return mayUseKey(this, 'dynamodb', actions.some((action) => WRITES.includes(action)) ? TO_WRITE : TO_READ);
  }
}

function keys({ partition, sort }: { readonly partition: string; readonly sort?: string }) {
  return {
    partitionKey: { name: partition, type: AttributeType.STRING },
    ...(sort === undefined ? {} : { sortKey: { name: sort, type: AttributeType.STRING } }),
  };
}
