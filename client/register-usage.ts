// For a paid container that AWS meters by the hour: says at its start that it runs, and proves that AWS said it may.
import { constants, createPublicKey, type KeyObject, randomUUID, verify } from 'node:crypto';
import {
  MarketplaceMeteringClient,
  RegisterUsageCommand,
  type RegisterUsageCommandOutput,
} from '@aws-sdk/client-marketplace-metering';
import { Misconfigured } from '../lambdas/domain/failure.ts';
import { MINUTE_MS } from '../lambdas/domain/hour.ts';
import { codeOf, type Patience, type Stop, stopOf, type Unanswered, untilAnswered } from './container-answer.ts';
import { CALL_TIMEOUT_MS } from './container-limits.ts';

export interface RegisterUsageOptions extends Partial<Patience> {
  /** As the listing shows it. */
  readonly productCode: string;
  /** The version of the public key that AWS Marketplace gave for the product, 1 or more. */
  readonly publicKeyVersion: number;
  /** That key, as PEM. Bake it into the image: a key that is fetched at run time can be replaced by whoever runs it. */
  readonly publicKey: string;
  /** Yours to close. Without it, one is made for the Region in which the software runs. */
  readonly client?: MarketplaceMeteringClient;
}

/** What came of it: go on, go on and ask again, or stop and tell the buyer why. */
export type Registration =
  | {
      readonly kind: 'registered';
      /** Epoch ms. The key's version was rotated then: the signature still holds, the next release needs the new key. */
      readonly keyRotatedAt?: number;
    }
  | Unanswered
  | Stop;

/**
 * Registers this task or pod once: AWS meters it from then on by itself. A repeat registers nothing twice. The answer's
 * signature (JWT, PS256) is verified against the public key, and its product, key version and nonce are compared
 * with what was asked, so that an answer from anybody but AWS counts as none.
 *
 * Throttles, faults and silence are asked again for `retryForMs`, a minute where absent; then `unanswered`: go on, and
 * call again later, since AWS vouches for the metering of a container only where it was registered within its first
 * six hours. Throws Misconfigured where the public key is none.
 * (API reference RegisterUsage; seller guide, RegisterUsage Java integration example.)
 */
export async function registerUsage(options: RegisterUsageOptions): Promise<Registration> {
  const { client: given, retryForMs = MINUTE_MS, signal } = options;
  const key = publicKeyOf(options.publicKey);
  const client = given ?? new MarketplaceMeteringClient({ maxAttempts: 1 });
  try {
    return await untilAnswered(() => registerOnce(client, options, key), { retryForMs, signal });
  } finally {
    if (!given) client.destroy();
  }
}

async function registerOnce(
  client: MarketplaceMeteringClient,
  { productCode, publicKeyVersion }: RegisterUsageOptions,
  key: KeyObject,
): Promise<Registration> {
  // A new one for each call: an answer that was recorded earlier fits none.
  const nonce = randomUUID();
  try {
    const output = await client.send(
      new RegisterUsageCommand({ ProductCode: productCode, PublicKeyVersion: publicKeyVersion, Nonce: nonce }),
      { abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) },
    );
    const problem = problemOf(output, { productCode, publicKeyVersion, nonce }, key);
    if (problem !== undefined) return forged(problem);
    const rotatedAt = output.PublicKeyRotationTimestamp?.getTime();
    return { kind: 'registered', ...(rotatedAt === undefined ? {} : { keyRotatedAt: rotatedAt }) };
  } catch (fault) {
    const code = codeOf(fault);
    return stopOf(code) ?? { kind: 'unanswered', code };
  }
}

function publicKeyOf(pem: string): KeyObject {
  try {
    const key = createPublicKey(pem);
    // Any other verifies nothing, and would leave each start unanswered.
    if (key.asymmetricKeyType === 'rsa' || key.asymmetricKeyType === 'rsa-pss') return key;
    throw new Error(`The key is of type ${key.asymmetricKeyType}.`);
  } catch (cause) {
    throw new Misconfigured(
      'PublicKeyMalformed',
      'The public key is no PEM of a public RSA key. Use the one that AWS Marketplace gave for the product, whole, with its first and last line.',
      { cause },
    );
  }
}

function forged(code: string): Stop {
  const tellBuyer =
    'The answer to the registration of usage was not signed by AWS Marketplace. Let the software reach the metering endpoint of its Region directly.';
  return { kind: 'stop', code, tellBuyer };
}

interface Asked {
  readonly productCode: string;
  readonly publicKeyVersion: number;
  readonly nonce: string;
}

/** RSASSA-PSS with SHA-256 has a salt as long as the hash (RFC 7518, section 3.5). */
const SALT_LENGTH = 32;

/** What is wrong with an answer, as a code; undefined where AWS signed it for this very call. */
function problemOf(
  { Signature: jwt = '' }: RegisterUsageCommandOutput,
  asked: Asked,
  key: KeyObject,
): string | undefined {
  const [head = '', body = '', signature = '', ...more] = jwt.split('.');
  // The token does not get to choose how it is verified: no other algorithm is looked at.
  if (more.length > 0 || membersOf(head)['alg'] !== 'PS256') return 'SignatureMalformed';
  const pss = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: SALT_LENGTH };
  if (!verify('sha256', Buffer.from(`${head}.${body}`), pss, Buffer.from(signature, 'base64url'))) {
    return 'SignatureInvalid';
  }
  const said = membersOf(body);
  // The nonce is new for each call, so that a recorded answer fits none: no need to believe this machine's clock.
  const isOurs =
    said['productCode'] === asked.productCode &&
    String(said['publicKeyVersion']) === String(asked.publicKeyVersion) &&
    said['nonce'] === asked.nonce;
  return isOurs ? undefined : 'SignatureOfAnotherCall';
}

function membersOf(part: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    // No JSON: whatever is asked of it is not there.
    return {};
  }
}
