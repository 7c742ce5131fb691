// Reads:       the buyer whom AWS resolves the token to
// Writes:      the customer and its licence, where they are new; marks waiting usage of the licence for a look
// Once per:    licence, or account and product while AWS names no licence
// If it stops: the buyer presses "Set up your account" again; every step finds what stands and goes on
import type { Customer } from '../domain/customer.ts';
import { licenceKeyOf, licenceNameOf } from '../domain/licence.ts';
import type { Product, Products } from '../domain/product.ts';
import type { CustomerStore, RegistrationGateway, RegistrationHints, WorkStore } from './ports.ts';

export interface ResolveBuyerPorts {
  readonly registration: RegistrationGateway;
  readonly customers: Pick<CustomerStore, 'upsert'>;
  readonly work: Pick<WorkStore, 'releaseAwaiting'>;
}

export type BuyerResolution =
  | { readonly kind: 'resolved'; readonly isNew: boolean; readonly customer: Customer; readonly product: Product }
  | { readonly kind: 'notOurProduct'; readonly productCode: string }
  | { readonly kind: 'tokenInvalid' }
  | { readonly kind: 'tokenExpired' };

/**
 * Redeems a registration token and makes sure that the buyer is a customer. The token goes to AWS and nowhere else.
 * A repeat finds the same customer and changes nothing. Throws Unavailable and Misconfigured of the ports.
 */
export async function resolveBuyer(
  ports: ResolveBuyerPorts,
  products: Products,
  request: { readonly token: string; readonly hints: RegistrationHints },
  nowMs: number,
): Promise<BuyerResolution> {
  const resolution = await ports.registration.resolve(request.token);
  if (resolution.kind !== 'resolved') return resolution;
  const { buyer } = resolution;
  const product = products.get(buyer.productCode);
  if (!product) return { kind: 'notOurProduct', productCode: buyer.productCode };

  const { kind, customer } = await ports.customers.upsert(buyer, product, nowMs, request.hints);
  // Known customers too: the run that made this one may have stopped before it came to this line.
  const name = licenceNameOf(product, buyer);
  if (name) await ports.work.releaseAwaiting(licenceKeyOf(name));
  return { kind: 'resolved', isNew: kind === 'created', customer, product };
}
