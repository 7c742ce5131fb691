// Small stacks that show what the emulator's CloudFormation does with one resource.
import type { Aws } from './aws.ts';
import { eventually } from './steps.ts';

const SETTLED_SECONDS = 20;

/** Why a stack with a resource of that type, or that property of it, fails; undefined where it does not. */
export async function probeUnknownResource(aws: Aws, Type: string, property?: string): Promise<string | undefined> {
  const StackName = `probe-${Type.toLowerCase().replaceAll('::', '-')}`;
  const name = property === undefined ? undefined : `${property.charAt(0).toUpperCase()}${property.slice(1)}`;
  const Properties = name === undefined ? {} : { [name]: [{ Id: 'one', Expression: '1' }] };
  const TemplateBody = JSON.stringify({ Resources: { Unknown: { Type, Properties } } });
  await aws.query('cloudformation', 'CreateStack', { StackName, TemplateBody });
  await settled(aws, StackName);
  const events = await aws.query('cloudformation', 'DescribeStackEvents', { StackName });
  return /Unsupported resource type: [\w:]+|[^<>]* is not supported/.exec(events)?.[0];
}

/** What became of the item of a table when its stack's update added an index; undefined where it is still there. */
export async function probeAddedIndex(aws: Aws): Promise<string | undefined> {
  const StackName = 'probe-index';
  await aws.query('cloudformation', 'CreateStack', { StackName, TemplateBody: tableTemplate(false) });
  await settled(aws, StackName);
  const resources = await aws.query('cloudformation', 'DescribeStackResources', { StackName });
  const TableName = /<PhysicalResourceId>([^<]*)/.exec(resources)?.[1];
  const call = async (action: string, more: object = {}) =>
    (await aws.json('dynamodb', `DynamoDB_20120810.${action}`, { TableName, ...more })).text;
  await call('PutItem', { Item: { pk: { S: 'kept' } } });
  const countItems = async (): Promise<number> => JSON.parse(await call('Scan')).Count;
  if ((await countItems()) !== 1) throw new Error('The item of the probe was not stored.');
  await aws.query('cloudformation', 'UpdateStack', { StackName, TemplateBody: tableTemplate(true) });
  await settled(aws, StackName);
  return (await countItems()) === 0 ? 'an update that added an index left a table without its item' : undefined;
}

function tableTemplate(isIndexed: boolean): string {
  const text = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' });
  const hash = (AttributeName: string) => [{ AttributeName, KeyType: 'HASH' }];
  const index = { IndexName: 'by-other', KeySchema: hash('other'), Projection: { ProjectionType: 'ALL' } };
  const Properties = {
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: hash('pk'),
    AttributeDefinitions: isIndexed ? [text('pk'), text('other')] : [text('pk')],
    ...(isIndexed ? { GlobalSecondaryIndexes: [index] } : {}),
  };
  return JSON.stringify({ Resources: { Kept: { Type: 'AWS::DynamoDB::Table', Properties } } });
}

async function settled(aws: Aws, StackName: string): Promise<void> {
  await eventually(`an end of what ${StackName} does`, SETTLED_SECONDS, async () => {
    const xml = await aws.query('cloudformation', 'DescribeStacks', { StackName });
    return /<StackStatus>\w+_(COMPLETE|FAILED)</.test(xml) ? true : undefined;
  });
}
