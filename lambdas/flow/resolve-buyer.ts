// Reads:       the buyer whom AWS resolves the token to
// Writes:      the customer and its licence, where they are new; marks waiting usage of the licence for a look; then
//              places the notices that waited for the buyer
// Once per:    licence, or account and product while AWS names no licence
// If it stops: the buyer presses "Set up your account" again; every step finds what stands and goes on
import type { Customer } from '../domain/customer.ts';
import { licenceKeyOf, licenceNameOf } from '../domain/licence.ts';
import type { Product } from '../domain/product.ts';
import type { RegistrationGateway, RegistrationHints, ResolvedBuyer } from './ports.ts';
import { expectRegistration, type RegistrationPorts, settleRegistration } from './settle-registration.ts';

export interface ResolveBuyerPorts extends RegistrationPorts {
  readonly registration: RegistrationGateway;
}

export type BuyerResolution =
  | {
      readonly kind: 'resolved';
      readonly isNew: boolean;
      readonly customer: Customer;
      readonly product: Product;
      readonly licenceArn?: string;
    }
  | { readonly kind: 'notOurProduct'; readonly productCode: string }
  | { readonly kind: 'tokenInvalid' }
  | { readonly kind: 'tokenExpired' };

/**
 * Redeems a registration token and makes sure that the buyer is a customer. The token goes to AWS and nowhere else.
 * A repeat finds the same customer and changes nothing. Throws Unavailable and Misconfigured of the ports.
 */
export async function resolveBuyer(
  ports: ResolveBuyerPorts,
  request: { readonly token: string; readonly hints: RegistrationHints },
  nowMs: number,
): Promise<BuyerResolution> {
  const resolution = await ports.registration.resolve(request.token);
  if (resolution.kind !== 'resolved') return resolution;
  const { buyer } = resolution;
  const product = ports.products.get(buyer.productCode);
  if (!product) return { kind: 'notOurProduct', productCode: buyer.productCode };

  const { kind, customer } = await enrolBuyer(ports, { buyer, product, hints: request.hints }, nowMs);
  const { licenceArn } = buyer;
  return { kind: 'resolved', isNew: kind === 'created', customer, product, ...(licenceArn ? { licenceArn } : {}) };
}

interface Enrolment {
  readonly buyer: ResolvedBuyer;
  readonly product: Product;
  readonly hints: RegistrationHints;
}

/** Makes sure that a buyer whom AWS has named is a customer, and that what waited for it goes on. */
export async function enrolBuyer(ports: RegistrationPorts, { buyer, product, hints }: Enrolment, nowMs: number) {
  const upserted = await ports.customers.upsert(buyer, product, nowMs, hints);
  // Known customers too: the run that made this one may have stopped before it came to this line.
  const name = licenceNameOf(product, buyer);
  if (name) await ports.work.releaseAwaiting(licenceKeyOf(name));
  const due = await expectRegistration(ports, upserted.customer.customerId, nowMs);
  await settleRegistration(ports, due, nowMs);
  return upserted;
}
