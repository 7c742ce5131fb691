// ResolveCustomer: a registration token becomes the buyer's identity.
import { WireError } from '../wire-error.ts';
import { findAgreement } from '../world/agreements.ts';
import { findProduct } from '../world/products.ts';
import { readToken, useToken } from '../world/tokens.ts';
import type { World } from '../world/world.ts';
import { readResolveCustomer } from './request-shapes.ts';

interface ResolveCustomerAnswer {
  readonly CustomerAWSAccountId: string;
  readonly LicenseArn?: string;
  readonly ProductCode: string;
  readonly CustomerIdentifier?: string;
}

/**
 * Answers who the buyer is; CustomerIdentifier only for legacy products. The same token answers the same until it
 * expires, unless the switch `tokenSingleUse` is on. (AWS: API reference ResolveCustomer; "SaaS product customer setup".)
 */
export function resolveCustomer(world: World, body: unknown): ResolveCustomerAnswer {
  const { registrationToken } = readResolveCustomer(body);
  const token = readToken(world, registrationToken);
  const agreement = token.kind === 'genuine' ? findAgreement(world, token.agreementId) : undefined;
  const product = agreement === undefined ? undefined : findProduct(world, agreement.productCode);
  if (token.kind === 'invalid' || agreement === undefined || product === undefined) {
    throw new WireError('InvalidTokenException', 'Registration token is invalid.');
  }
  if (world.now() >= token.expiresMs) {
    throw new WireError('ExpiredTokenException', 'The submitted registration token has expired.');
  }
  if (world.switches.tokenSingleUse && !useToken(world, registrationToken)) {
    throw new WireError('ExpiredTokenException', 'The submitted registration token was used before.');
  }
  const { customerIdentifier } = agreement;
  const legacy = product.identityStyle === 'legacy' && customerIdentifier !== undefined;
  return {
    CustomerAWSAccountId: agreement.awsAccountId,
    LicenseArn: agreement.licenceArn,
    ProductCode: agreement.productCode,
    ...(legacy && { CustomerIdentifier: customerIdentifier }),
  };
}
