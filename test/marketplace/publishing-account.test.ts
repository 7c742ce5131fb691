import { createServer, type IncomingMessage } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { MarketplaceMetering } from '../../lambdas/marketplace/metering.ts';
import { marketplaceSettings } from '../../lambdas/marketplace/publishing-account.ts';
import { MarketplaceRegistration, registrationClient } from '../../lambdas/marketplace/registration.ts';
import { bodyOf, closed, listening } from '../doubles/aws-services.ts';

const ACCESS = {
  roleArn: 'arn:aws:iam::111122223333:role/fulfillment-prod-BatchMeterUsage',
  externalId: 'x'.repeat(16),
};

/** AWS's STS and Metering in one: hands out keys that are numbered, and notes by which each call was signed. */
async function startAws({ isDenied = false, lifetimeMs = 3_600_000 } = {}) {
  const assumed: URLSearchParams[] = [];
  const signers: (string | undefined)[] = [];
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    if (request.headers['x-amz-target'] === undefined) {
      assumed.push(new URLSearchParams(body));
      response.writeHead(isDenied ? 403 : 200, { 'content-type': 'text/xml' });
      response.end(isDenied ? DENIED : credentials(assumed.length, lifetimeMs));
      return;
    }
    signers.push(signerOf(request));
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify({ ProductCode: 'code', Results: [], UnprocessedRecords: [] }));
  });
  const url = await listening(server);
  onTestFinished(() => closed(server));
  const environment = {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'AKIDHOME',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_ENDPOINT_URL_STS: url,
    AWS_ENDPOINT_URL_MARKETPLACE_METERING: url,
  };
  return { environment, assumed, signers };
}

const DENIED =
  '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>';

function credentials(number: number, lifetimeMs: number): string {
  const expiration = new Date(Date.now() + lifetimeMs).toISOString();
  return `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE${number}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>token-${number}</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
}

/** `key/token` */
function signerOf({ headers }: IncomingMessage): string {
  const key = /Credential=(\w+)\//.exec(headers.authorization ?? '')?.[1];
  return `${key}/${headers['x-amz-security-token'] ?? ''}`;
}

const BATCH = { productCode: 'code', identityStyle: 'licence', meteringRegion: 'us-east-1', records: [] } as const;

test('AWS Marketplace is called as the publishing account’s role, which is taken once while it lasts', async () => {
  const { environment, assumed, signers } = await startAws();
  const metering = new MarketplaceMetering(marketplaceSettings(environment, 'MARKETPLACE_METERING', ACCESS));

  await metering.send(BATCH);
  await metering.send(BATCH);

  expect(signers).toEqual(['ASIAROLE1/token-1', 'ASIAROLE1/token-1']);
  expect(assumed.map((each) => [each.get('Action'), each.get('RoleArn'), each.get('ExternalId')])).toEqual([
    ['AssumeRole', ACCESS.roleArn, ACCESS.externalId],
  ]);
});

test('the role is taken anew before its session ends, so that no call goes out with credentials that expire on the way', async () => {
  const { environment, signers } = await startAws({ lifetimeMs: 4 * 60_000 });
  const metering = new MarketplaceMetering(marketplaceSettings(environment, 'MARKETPLACE_METERING', ACCESS));

  await metering.send(BATCH);
  await metering.send(BATCH);

  expect(signers.at(-1)).not.toBe('ASIAROLE1/token-1');
});

test('a role that may not be taken leaves records open, and none of them as perhaps billed: nothing was called', async () => {
  const { environment, signers } = await startAws({ isDenied: true });
  const metering = new MarketplaceMetering(marketplaceSettings(environment, 'MARKETPLACE_METERING', ACCESS));

  expect(await metering.send(BATCH)).toEqual({ kind: 'refused', code: 'CredentialsProviderError', isThrottled: false });
  expect(signers).toEqual([]);
});

test('a buyer who comes meanwhile is asked to try again, and keeps the token', async () => {
  const { environment } = await startAws({ isDenied: true });
  const settings = marketplaceSettings(environment, 'MARKETPLACE_METERING', ACCESS);
  const registration = new MarketplaceRegistration(registrationClient({ ...settings, region: 'us-east-1' }));

  await expect(registration.resolve('token')).rejects.toMatchObject({
    code: 'MarketplaceUnavailable',
    retryable: true,
  });
});

test('without a role, calls are our own', async () => {
  const { environment, assumed, signers } = await startAws();

  await new MarketplaceMetering(marketplaceSettings(environment, 'MARKETPLACE_METERING', {})).send(BATCH);

  expect(signers).toEqual(['AKIDHOME/']);
  expect(assumed).toEqual([]);
});
