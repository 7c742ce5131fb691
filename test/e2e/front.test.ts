// The front before the emulator: where calls go, and at whose door they are laid.
import { DynamoDBClient, GetItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { MarketplaceMeteringClient, ResolveCustomerCommand } from '@aws-sdk/client-marketplace-metering';
import { expect, onTestFinished, test } from 'vitest';
import { serveOnLoopback } from '../../local/loopback.ts';
import { startFront } from './front.ts';

const LEDGER = 'fulfillment-e2e-storage-LedgerTable5E9AC36E-C3375F3702EA0';

async function aFront() {
  const asked: string[] = [];
  const serve = async (name: string) => {
    const server = await serveOnLoopback(async (request, response) => {
      asked.push(`${name}: ${request.headers['x-amz-target']}`);
      request.resume();
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
    });
    onTestFinished(() => server.close());
    return server.url;
  };
  const front = await startFront({ emulatorUrl: await serve('emulator'), marketplaceUrl: await serve('marketplace') });
  onTestFinished(() => front.close());
  return { front, asked };
}

function settingsOf(endpoint: string, sessionToken?: string) {
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret', ...(sessionToken ? { sessionToken } : {}) };
  return { region: 'us-east-1', endpoint, credentials };
}

test('hands calls of the marketplace to the marketplace, and all others to the emulator', async () => {
  const { front, asked } = await aFront();
  const table = { TableName: LEDGER, Key: { pk: { S: 'a' } } };
  await new DynamoDBClient(settingsOf(front.url)).send(new GetItemCommand(table));
  await new MarketplaceMeteringClient(settingsOf(front.url)).send(
    new ResolveCustomerCommand({ RegistrationToken: 't' }),
  );
  expect(asked).toEqual(['emulator: DynamoDB_20120810.GetItem', 'marketplace: AWSMPMeteringService.ResolveCustomer']);
});

test('notes what each function did, a transaction by its parts, and nothing of callers that are no function', async () => {
  const { front } = await aFront();
  const item = { TableName: LEDGER, Key: { pk: { S: 'a' } } };
  const transaction = { TransactItems: [{ Delete: item }, { ConditionCheck: { ...item, ConditionExpression: 'x' } }] };
  await new DynamoDBClient(settingsOf(front.url, 'close-hours')).send(new TransactWriteItemsCommand(transaction));
  await new DynamoDBClient(settingsOf(front.url)).send(new GetItemCommand(item));
  expect([...front.taken]).toEqual([
    ['close-hours', new Set(['dynamodb:DeleteItem on ledger', 'dynamodb:ConditionCheckItem on ledger'])],
  ]);
});

test("answers the CDK CLI's wish for termination protection, which the emulator does not know", async () => {
  const { front, asked } = await aFront();
  const answer = await fetch(front.url, {
    method: 'POST',
    headers: { authorization: 'AWS4-HMAC-SHA256 Credential=key/20261126/us-east-1/cloudformation/aws4_request' },
    body: 'Action=UpdateTerminationProtection&StackName=storage',
  });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('UpdateTerminationProtectionResult');
  expect(front.protections()).toBe(1);
  expect(asked).toEqual([]);
});
