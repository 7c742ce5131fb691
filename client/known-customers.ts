// Customers and licences as one call of the recorder knows them: each is looked up once, however many events name it.
import type { Customer } from '../lambdas/domain/customer.ts';
import type { Licence } from '../lambdas/domain/licence.ts';
import type { CustomerStore } from '../lambdas/flow/ports.ts';

type Customers = Pick<CustomerStore, 'customer' | 'licence'>;

/** For a recorder without the customers table: every licence is one that nobody has told us of yet. */
export const NO_CUSTOMERS: Customers = {
  customer: async () => undefined,
  licence: async () => undefined,
};

/**
 * For one call and no longer, like the door: a customer remembered past a renewal would have its usage recorded
 * under the licence that ended.
 */
export class KnownCustomers implements Customers {
  readonly #store: Customers;
  readonly #customers = new Map<string, Promise<Customer | undefined>>();
  readonly #licences = new Map<string, Promise<Licence | undefined>>();

  constructor(store: Customers) {
    this.#store = store;
  }

  customer(customerId: string): Promise<Customer | undefined> {
    return recall(this.#customers, customerId, () => this.#store.customer(customerId));
  }

  licence(licenceKey: string): Promise<Licence | undefined> {
    return recall(this.#licences, licenceKey, () => this.#store.licence(licenceKey));
  }
}

function recall<T>(memory: Map<string, Promise<T>>, key: string, look: () => Promise<T>): Promise<T> {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const found = look();
  memory.set(key, found);
  // A look that failed is made again by the event's next attempt.
  found.catch(() => memory.delete(key));
  return found;
}
