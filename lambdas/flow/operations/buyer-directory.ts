// Reads:       every licence, once
// Writes:      nothing
// Once per:    reconciliation
// If it stops: nothing is left behind
import { SHARD_COUNT } from '../../domain/keys.ts';
import type { Licence } from '../../domain/licence.ts';
import type { SubmittedBy } from '../../domain/operations/submitted-usage.ts';
import type { CustomerStore } from '../ports.ts';

/** Whom a record of AWS names. */
interface Named extends SubmittedBy {
  readonly agreementId?: string;
}

/** Finds the customer behind each name under which AWS's records speak of a buyer. */
export class BuyerDirectory {
  readonly #byLicence = new Map<string, string>();
  readonly #byAgreement = new Map<string, string>();
  readonly #byAccount = new Map<string, Set<string>>();
  readonly #accounts = new Map<string, string>();
  /** Accounts of several customers that some record names alone: their customers are compared as one. */
  readonly #merged = new Set<string>();

  /** A directory of all licences as they stand, for records that name buyers in these ways. */
  static async read(
    customers: Pick<CustomerStore, 'licencesOfShard'>,
    named: Iterable<Named>,
  ): Promise<BuyerDirectory> {
    const directory = new BuyerDirectory();
    for (let shard = 0; shard < SHARD_COUNT; shard++) {
      for await (const page of customers.licencesOfShard(shard)) for (const licence of page) directory.#add(licence);
    }
    for (const name of named) directory.#merge(name);
    return directory;
  }

  /** The customer, or the account where only that tells; a name that nobody here has is given back as it is. */
  whoIs(name: Named): string {
    const customerId = this.#customerOf(name);
    if (customerId !== undefined) return this.whoIsCustomer(customerId);
    const { agreementId, licenceKey, customerIdentifier, accountId } = name;
    if (accountId !== undefined && this.#merged.has(accountId)) return inAccount(accountId);
    return accountId ?? customerIdentifier ?? licenceKey ?? agreementId ?? 'unknown';
  }

  /** As `whoIs` calls the buyer of a customer of ours. */
  whoIsCustomer(customerId: string): string {
    const accountId = this.#accounts.get(customerId);
    return accountId !== undefined && this.#merged.has(accountId) ? inAccount(accountId) : customerId;
  }

  #customerOf({ licenceKey, agreementId, accountId }: Named): string | undefined {
    const known =
      (licenceKey === undefined ? undefined : this.#byLicence.get(licenceKey)) ??
      (agreementId === undefined ? undefined : this.#byAgreement.get(agreementId));
    if (known !== undefined) return known;
    const [only, ...others] = (accountId === undefined ? undefined : this.#byAccount.get(accountId)) ?? [];
    return others.length === 0 ? only : undefined;
  }

  #add({ licenceKey, customerId, customerAwsAccountId, periods }: Licence): void {
    this.#byLicence.set(licenceKey, customerId);
    for (const { agreementId } of periods) {
      if (agreementId !== undefined) this.#byAgreement.set(agreementId, customerId);
    }
    if (customerAwsAccountId === undefined) return;
    this.#accounts.set(customerId, customerAwsAccountId);
    const customers = this.#byAccount.get(customerAwsAccountId) ?? new Set();
    this.#byAccount.set(customerAwsAccountId, customers.add(customerId));
  }

  #merge(name: Named): void {
    const { accountId } = name;
    if (accountId === undefined || this.#customerOf(name) !== undefined) return;
    if ((this.#byAccount.get(accountId)?.size ?? 0) > 1) this.#merged.add(accountId);
  }
}

function inAccount(accountId: string): string {
  return `account ${accountId}`;
}
