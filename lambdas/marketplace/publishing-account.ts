// As whom AWS Marketplace is called: it answers the account that published the product and no other.
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { SECOND_MS } from '../domain/hour.ts';
import { type ClientSettings, clientSettings } from '../runtime/aws-client.ts';

/** Our own credentials, or what gives those of the publishing account's role and renews them before they expire. */
export interface MarketplaceClientSettings extends Omit<ClientSettings, 'credentials'> {
  readonly credentials: ClientSettings['credentials'] | (() => Promise<RoleCredentials>);
}

interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** The SDK's clients ask again five minutes before it. */
  readonly expiration: Date;
}

interface Access {
  readonly roleArn?: string;
  readonly externalId?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** An hour, the most that AWS gives where one role takes another. */
const SESSION_SECONDS = 3_600;

const TRY_MS = 2 * SECOND_MS;

/** The settings of a client of AWS Marketplace. With a role, calls are made as that role of the publishing account. */
export function marketplaceSettings(
  environment: Environment,
  service: 'MARKETPLACE_METERING' | 'MARKETPLACE_ENTITLEMENT_SERVICE',
  { roleArn, externalId }: Access,
): MarketplaceClientSettings {
  const own = clientSettings(environment, service);
  if (roleArn === undefined) return own;
  const sts = new STSClient({
    ...clientSettings(environment, 'STS'),
    maxAttempts: 2,
    requestHandler: { connectionTimeout: SECOND_MS, requestTimeout: TRY_MS, throwOnRequestTimeout: true },
  });
  const command = new AssumeRoleCommand({
    RoleArn: roleArn,
    // Names the deployment in the publishing account's CloudTrail.
    RoleSessionName: 'fulfillment',
    ExternalId: externalId,
    DurationSeconds: SESSION_SECONDS,
  });
  return { ...own, credentials: () => assumed(sts, command) };
}

async function assumed(sts: STSClient, command: AssumeRoleCommand): Promise<RoleCredentials> {
  try {
    const { Credentials } = await sts.send(command);
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '', Expiration } = Credentials ?? {};
    if (Expiration === undefined) throw new Error('AssumeRole answered without credentials.');
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
      expiration: Expiration,
    };
  } catch (cause) {
    throw new RoleNotAssumed(cause);
  }
}

/** Under the name that the SDK gives missing credentials: whoever judges a call knows that it never left. */
class RoleNotAssumed extends Error {
  override readonly name = 'CredentialsProviderError';

  constructor(cause: unknown) {
    super('The role of the publishing account could not be taken.', { cause });
  }
}
