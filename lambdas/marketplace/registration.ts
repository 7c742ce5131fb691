// ResolveCustomer: turns the token that a buyer's browser brings into who the buyer is.
import {
  MarketplaceMeteringClient,
  type MarketplaceMeteringClientConfig,
  ResolveCustomerCommand,
  type ResolveCustomerResult,
} from '@aws-sdk/client-marketplace-metering';
import { Misconfigured, Unavailable } from '../domain/failure.ts';
import { SECOND_MS } from '../domain/hour.ts';
import type { RegistrationGateway, Resolution } from '../flow/ports.ts';

interface RegistrationClientSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials?: NonNullable<MarketplaceMeteringClientConfig['credentials']>;
}

/** A buyer waits in front of the page: three tries of 2.4 s and the pauses between them stay below 8 s. */
const TRY_MS = 2.4 * SECOND_MS;
const TRIES = 3;
const PATIENCE_MS = 7.8 * SECOND_MS;

/** A client for ResolveCustomer alone. It may repeat a call: a token gives the same answer until it expires. */
export function registrationClient(settings: RegistrationClientSettings): MarketplaceMeteringClient {
  return new MarketplaceMeteringClient({
    ...settings,
    maxAttempts: TRIES,
    // Without the flag the SDK only logs that the time is over, and waits on.
    requestHandler: { connectionTimeout: SECOND_MS, requestTimeout: TRY_MS, throwOnRequestTimeout: true },
  });
}

export class MarketplaceRegistration implements RegistrationGateway {
  readonly #client: MarketplaceMeteringClient;

  constructor(client: MarketplaceMeteringClient) {
    this.#client = client;
  }

  async resolve(token: string): Promise<Resolution> {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    try {
      const command = new ResolveCustomerCommand({ RegistrationToken: token });
      return fromResult(await this.#client.send(command, { abortSignal: patience }));
    } catch (error) {
      return fromError(error);
    }
  }
}

function fromResult(result: ResolveCustomerResult): Resolution {
  return {
    kind: 'resolved',
    buyer: {
      // A missing code is no product of ours, and is answered like one.
      productCode: result.ProductCode ?? '',
      ...(result.CustomerAWSAccountId ? { customerAwsAccountId: result.CustomerAWSAccountId } : {}),
      ...(result.LicenseArn ? { licenceArn: result.LicenseArn } : {}),
      ...(result.CustomerIdentifier ? { customerIdentifier: result.CustomerIdentifier } : {}),
    },
  };
}

/** Errors that say nothing about us or the token, under all the names that AWS's services give them. */
const TRANSIENT =
  /^(AbortError|TimeoutError|InternalService|ServiceUnavailable|InternalFailure)|throttl|too ?many ?requests/i;

// The SDK's error is handed on as the cause, whose name and frames alone are logged: its message may hold the token.
function fromError(error: unknown): Resolution {
  if (isAboutCredentials(error)) {
    // Lambda renews its credentials by itself, so this passes: the buyer's token is as good as before.
    throw new Unavailable('CredentialsExpired', 'AWS says that our credentials have expired.', { cause: error });
  }
  // By name: AWS's front answers from another namespace, where the SDK knows no classes.
  if (nameOf(error) === 'InvalidTokenException') return { kind: 'tokenInvalid' };
  if (nameOf(error) === 'ExpiredTokenException') return { kind: 'tokenExpired' };
  const facts = { awsError: nameOf(error), httpStatus: statusOf(error) };
  if (isTransient(error)) {
    throw new Unavailable('MarketplaceUnavailable', 'ResolveCustomer gave no answer in time.', { cause: error, facts });
  }
  throw new Misconfigured(
    'ResolveCustomerRefused',
    'AWS refuses our call of ResolveCustomer: check the role’s permission, the region and the seller account.',
    { cause: error, facts },
  );
}

/**
 * AWS's signature check and ResolveCustomer share the name ExpiredTokenException. The first speaks of "the security
 * token included in the request", the second of the registration token; nothing else tells them apart.
 */
function isAboutCredentials(error: unknown): boolean {
  const name = nameOf(error);
  if (name === 'ExpiredToken' || name === 'RequestExpired') return true;
  if (name !== 'ExpiredTokenException' && name !== 'InvalidTokenException') return false;
  return error instanceof Error && /security token/i.test(error.message);
}

function isTransient(error: unknown): boolean {
  const status = statusOf(error);
  // No status: no answer was read at all.
  return status === undefined || status >= 500 || status === 429 || TRANSIENT.test(nameOf(error));
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'Unknown';
}

function statusOf(error: unknown): number | undefined {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
