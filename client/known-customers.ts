// Customers and licences as a reporting process remembers them: a read now and then instead of one an event.
import type { Customer } from '../lambdas/domain/customer.ts';
import type { Licence } from '../lambdas/domain/licence.ts';
import type { CustomerStore } from '../lambdas/flow/ports.ts';

type Customers = Pick<CustomerStore, 'customer' | 'licence'>;

/** For a recorder without the customers table: every licence is one that nobody has told us of yet. */
export const NO_CUSTOMERS: Customers = {
  customer: async () => undefined,
  licence: async () => undefined,
};

/** Short, because an ended licence is to be refused soon. */
const REMEMBERED_MS = 30_000;

/** Above this many, all are forgotten: memory must not grow with the number of customers. */
const REMEMBERED_AT_MOST = 20_000;

export class KnownCustomers implements Customers {
  readonly #store: Customers;
  readonly #customers = new Map<string, Remembered<Customer>>();
  readonly #licences = new Map<string, Remembered<Licence>>();

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

interface Remembered<T> {
  readonly found: Promise<T | undefined>;
  readonly untilMs: number;
}

function recall<T>(
  memory: Map<string, Remembered<T>>,
  key: string,
  look: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const known = memory.get(key);
  if (known && performance.now() < known.untilMs) return known.found;
  if (memory.size >= REMEMBERED_AT_MOST) memory.clear();
  const found = look();
  memory.set(key, { found, untilMs: performance.now() + REMEMBERED_MS });
  const forget = () => {
    if (memory.get(key)?.found === found) memory.delete(key);
  };
  // What is not there may be there in a moment: a buyer who registers now reports now.
  found.then((value) => value === undefined && forget(), forget);
  return found;
}
