// RegisterUsage: a paid container says that it runs, and gets a signed answer that it may.
import { constants, sign } from 'node:crypto';
import { isEntitled } from '../rules/standing.ts';
import { WireError } from '../wire-error.ts';
import { addRegistration, findCompute, isRegistered } from '../world/compute.ts';
import { licencesOfAccount } from '../world/licences.ts';
import { findProduct } from '../world/products.ts';
import { listSigningKeys } from '../world/signing-keys.ts';
import type { World } from '../world/world.ts';
import type { Caller } from './meter-usage.ts';
import { readRegisterUsage } from './request-shapes.ts';

const REGISTERING_PLATFORMS: readonly string[] = ['ecs', 'eks', 'fargate'];

interface RegisterUsageAnswer {
  readonly Signature: string;
  /** Epoch seconds. Only where the version of the key has expired. */
  readonly PublicKeyRotationTimestamp?: number;
}

/**
 * Registers a task or pod once and answers a JWT (PS256) over product, key version and nonce, signed with the key of
 * that version. A task that is registered is not refused later, even when the buyer unsubscribes.
 * (AWS: API reference RegisterUsage; "RegisterUsage Java integration example".)
 */
export function registerUsage(world: World, caller: Caller, body: unknown): RegisterUsageAnswer {
  const { productCode, publicKeyVersion, nonce } = readRegisterUsage(body);
  if (findProduct(world, productCode) === undefined) {
    throw new WireError('InvalidProductCodeException', 'There is no product with this code.');
  }
  const compute = findCompute(world, caller.accessKeyId);
  if (compute === undefined || !REGISTERING_PLATFORMS.includes(compute.platform)) {
    throw new WireError('PlatformNotSupportedException', 'Only Amazon ECS, Amazon EKS and Fargate are supported.');
  }
  if (compute.region !== caller.region) {
    throw new WireError('InvalidRegionException', 'RegisterUsage must be called in the Region of the task.');
  }
  const key = listSigningKeys(world).find(({ version }) => version === publicKeyVersion);
  if (key === undefined) throw new WireError('InvalidPublicKeyVersionException', 'Public Key version is invalid.');
  const licences = licencesOfAccount(world, productCode, compute.awsAccountId);
  const entitled = licences.some((licence) => isEntitled(licence, world.now()));
  if (!entitled && !isRegistered(world, productCode, compute.instanceId)) {
    throw new WireError('CustomerNotEntitledException', 'The customer has no valid subscription for the product.');
  }
  addRegistration(world, productCode, compute);

  const rotated = key.expiredMs === undefined ? undefined : Math.floor(key.expiredMs / 1000);
  const payload = {
    productCode,
    publicKeyVersion,
    ...(rotated !== undefined && { publicKeyRotationTimestamp: rotated }),
    iat: Math.floor(world.now() / 1000),
    ...(nonce !== undefined && { nonce }),
  };
  return {
    Signature: jwt(payload, key.privatePem),
    ...(rotated !== undefined && { PublicKeyRotationTimestamp: rotated }),
  };
}

function jwt(payload: Readonly<Record<string, unknown>>, privatePem: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'PS256', typ: 'JWT' })}.${part(payload)}`;
  // PS256: RSA-PSS with SHA-256 and a salt as long as the hash.
  const key = {
    key: privatePem,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  };
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}
