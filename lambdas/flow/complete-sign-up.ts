// Reads:       the hand-off by which the buyer came, as redeemed
// Writes:      as register-customer does
// Once per:    customer, as register-customer says
// If it stops: the seller's server tells it again
import type { BuyerDetails } from '../domain/buyer-details.ts';
import type { HandOffStore } from './hand-off-ports.ts';
import { type RegisterCustomerPorts, type Registered, registerCustomer } from './register-customer.ts';

export interface CompleteSignUpPorts extends RegisterCustomerPorts {
  readonly handOffs: Pick<HandOffStore, 'redeemed'>;
}

/**
 * Registers a buyer who signed up on the seller's own page. `'notRedeemed'` where no hand-off of this customer was
 * redeemed under that id, or it was too long ago: whoever forgets to redeem registers nobody.
 */
export async function completeSignUp(
  ports: CompleteSignUpPorts,
  handOffId: string,
  details: BuyerDetails,
): Promise<Registered | 'notRedeemed'> {
  const redeemed = await ports.handOffs.redeemed(handOffId);
  const isOfCustomer = redeemed?.customerId === details.customerId;
  if (!isOfCustomer || redeemed.registersUntil <= details.submittedAt) return 'notRedeemed';
  return registerCustomer(ports, details);
}
