// Reading stacks and functions over the wire, from a server that answers as CloudFormation and Lambda do.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { awsRemedy } from '../../operator/aws-fault.ts';
import { AwsStackReader } from '../../operator/aws-stacks.ts';

interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly body: string;
}

/** Serves by the operation of a query, or by the path of a request without one. */
async function readerOf(answers: Readonly<Record<string, Answer>>) {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const query = new URLSearchParams(Buffer.concat(chunks).toString());
    const key = [query.get('Action') ?? request.url, query.get('NextToken')].filter(Boolean).join(' ');
    const { status = 200, type = 'text/xml', body } = answers[key] ?? { status: 404, body: `no answer for ${key}` };
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const reader = new AwsStackReader({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'not-a-secret' },
  });
  onTestFinished(() => reader.close());
  return reader;
}

function xml(operation: string, result: string): Answer {
  const space = 'http://cloudformation.amazonaws.com/doc/2010-05-15/';
  return {
    body: `<${operation}Response xmlns="${space}"><${operation}Result>${result}</${operation}Result></${operation}Response>`,
  };
}

function member(logicalId: string): string {
  return `<member><LogicalResourceId>${logicalId}</LogicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType><PhysicalResourceId>https://sqs/${logicalId}</PhysicalResourceId><ResourceStatus>CREATE_COMPLETE</ResourceStatus><LastUpdatedTimestamp>2026-09-21T10:00:00Z</LastUpdatedTimestamp></member>`;
}

function fault(code: string, message: string): Answer {
  const space = 'http://cloudformation.amazonaws.com/doc/2010-05-15/';
  return {
    status: 400,
    body: `<ErrorResponse xmlns="${space}"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
  };
}

test('reads a stack’s outputs and all pages of its resources', async () => {
  const output = '<member><OutputKey>UsageUrl</OutputKey><OutputValue>https://x/usage</OutputValue></member>';
  const reader = await readerOf({
    DescribeStacks: xml(
      'DescribeStacks',
      `<Stacks><member><StackName>s</StackName><Outputs>${output}</Outputs></member></Stacks>`,
    ),
    ListStackResources: xml(
      'ListStackResources',
      `<NextToken>more</NextToken><StackResourceSummaries>${member('A')}</StackResourceSummaries>`,
    ),
    'ListStackResources more': xml(
      'ListStackResources',
      `<StackResourceSummaries>${member('B')}</StackResourceSummaries>`,
    ),
  });

  expect(await reader.stack('s')).toEqual({
    outputs: { UsageUrl: 'https://x/usage' },
    resources: ['A', 'B'].map((logicalId) => ({
      logicalId,
      type: 'AWS::SQS::Queue',
      physicalId: `https://sqs/${logicalId}`,
    })),
  });
});

test('tells a stack that is not there from a refusal, which says who lacks what', async () => {
  const missing = await readerOf({ DescribeStacks: fault('ValidationError', 'Stack with id s does not exist') });
  const message =
    'User: arn:aws:iam::111122223333:user/kim is not authorized to perform: cloudformation:DescribeStacks';
  const denied = await readerOf({ DescribeStacks: fault('AccessDenied', message) });

  expect(await missing.stack('s')).toBeUndefined();
  const refusal = await denied.stack('s').catch((error: unknown) => error);
  expect(awsRemedy(refusal)).toEqual({
    message: `AWS refused it: ${message} Ask for that permission; docs/cli.md lists what each command needs.`,
    mayPass: false,
  });
});

test('reads a function’s settings, and lists the stages that are deployed', async () => {
  const stack = (name: string, status: string) =>
    `<member><StackName>${name}</StackName><StackStatus>${status}</StackStatus><CreationTime>2026-09-21T10:00:00Z</CreationTime></member>`;
  const reader = await readerOf({
    '/2015-03-31/functions/close/configuration': {
      type: 'application/json',
      body: '{"Environment":{"Variables":{"PRODUCTS":"[]"}}}',
    },
    ListStacks: xml(
      'ListStacks',
      `<StackSummaries>${stack('fulfillment-prod-storage', 'UPDATE_COMPLETE')}${stack('fulfillment-old-storage', 'DELETE_COMPLETE')}${stack('fulfillment-prod-access', 'UPDATE_COMPLETE')}${stack('other', 'CREATE_COMPLETE')}</StackSummaries>`,
    ),
  });

  expect(await reader.environment('close')).toEqual({ PRODUCTS: '[]' });
  expect(await reader.stages()).toEqual(['prod']);
});

test('says what to do where nothing answers', async () => {
  const reader = new AwsStackReader({
    region: 'us-east-1',
    endpoint: 'http://127.0.0.1:1',
    credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'not-a-secret' },
  });
  onTestFinished(() => reader.close());

  const fault = await reader.stages().catch((error: unknown) => error);

  expect(awsRemedy(fault)?.message).toMatch(
    /^Nothing answers there \(ECONNREFUSED\)\. On a laptop: is npm start still running\?/,
  );
});
