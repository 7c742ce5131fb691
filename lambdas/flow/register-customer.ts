// Reads:       the customer that the session names
// Writes:      what the buyer told, then the time of registration, then the standing that says so
// Once per:    customer
// If it stops: submitting again finds the details and sets the time; the standing follows on a schedule
import type { BuyerDetails } from '../domain/buyer-details.ts';
import type { BuyerStore, CustomerStore } from './ports.ts';
import { expectRegistration, type RegistrationPorts, settleRegistration } from './settle-registration.ts';

export interface RegisterCustomerPorts extends RegistrationPorts {
  readonly customers: RegistrationPorts['customers'] & Pick<CustomerStore, 'customer' | 'markRegistered'>;
  readonly buyers: Pick<BuyerStore, 'put' | 'details'>;
}

export type Registered = 'registered' | 'already' | 'alreadyOtherwise' | 'unknownCustomer';

/**
 * Keeps a buyer's details. A repeat is `'already'` and changes nothing; `'alreadyOtherwise'` where it tells something
 * else, which is not kept and must not be thanked for.
 */
export async function registerCustomer(ports: RegisterCustomerPorts, details: BuyerDetails): Promise<Registered> {
  const customer = await ports.customers.customer(details.customerId);
  if (!customer) return 'unknownCustomer';
  // Also where erased details stand no more: a registration that is over is not opened by a page from before it.
  if (customer.registeredAt !== undefined) return asKept(ports, details);
  const { customerId, submittedAt } = details;
  const due = await expectRegistration(ports, customerId, submittedAt);
  const put = await ports.buyers.put(details);
  await ports.customers.markRegistered(customerId, submittedAt);
  await settleRegistration(ports, due, submittedAt);
  return put === 'recorded' ? 'registered' : asKept(ports, details);
}

async function asKept({ buyers }: Pick<RegisterCustomerPorts, 'buyers'>, told: BuyerDetails): Promise<Registered> {
  const kept = await buyers.details(told.customerId);
  return kept && isSame(kept, told) ? 'already' : 'alreadyOtherwise';
}

function isSame(kept: BuyerDetails, told: BuyerDetails): boolean {
  const names = new Set([...Object.keys(kept.fields), ...Object.keys(told.fields)]);
  return kept.email === told.email && [...names].every((name) => kept.fields[name] === told.fields[name]);
}
