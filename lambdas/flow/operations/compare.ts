// Reads:       the ledger of a range of hours, the licences that the other side names, and its usage as handed in
// Writes:      nothing
// Once per:    customer, dimension and hour
// If it stops: nothing is left behind

import { addHours, hoursBetween } from '../../domain/hour.ts';
import type { Refused } from '../../domain/operations/act.ts';
import { billableHere, type ComparedAmount, type Comparison, compareAmounts } from '../../domain/operations/compare.ts';
import type { SubmittedBy, SubmittedUsage } from '../../domain/operations/submitted-usage.ts';
import type { CustomerStore, LedgerStore } from '../ports.ts';
import { type HourRange, rangeProblem, sealedHoursOf } from './ledger-range.ts';

interface ComparePorts {
  readonly ledger: Pick<LedgerStore, 'entries'>;
  readonly customers: Pick<CustomerStore, 'licence'>;
}

export type CompareOutcome =
  | Refused
  | (Comparison & {
      readonly kind: 'compared';
      /** Units that the other pipeline has not submitted yet, and those that it failed to. */
      readonly unitsPending: number;
      readonly unitsFailed: number;
    });

const MOST_HOURS = 744;

/** What is billed here, or would be were it not rehearsed, against what another pipeline submitted for the same hours. */
export async function compare(
  ports: ComparePorts,
  range: HourRange,
  submitted: readonly SubmittedUsage[],
): Promise<CompareOutcome> {
  const problem = rangeProblem(range, MOST_HOURS);
  if (problem) return problem;
  const names = new CustomerNames(ports);
  const byHour = Map.groupBy(
    submitted.filter((usage) => isWithin(range, usage)),
    ({ hour }) => hour,
  );
  let sum = NOTHING_COMPARED;
  let [unitsPending, unitsFailed] = [0, 0];
  for (const hour of hoursBetween(range.first, range.end)) {
    const here = await amountsHere(ports, { ...range, first: hour, end: addHours(hour, 1) }, names);
    const there: ComparedAmount[] = [];
    for (const usage of byHour.get(hour) ?? []) {
      const { dimension, quantity, state } = usage;
      if (state === 'pending') unitsPending += quantity;
      else if (state === 'failed') unitsFailed += quantity;
      else there.push({ customer: await names.of(usage), dimension, hour, quantity });
    }
    sum = added(sum, compareAmounts(here, there));
  }
  return { kind: 'compared', ...sum, unitsPending, unitsFailed };
}

async function amountsHere({ ledger }: ComparePorts, hour: HourRange, names: CustomerNames): Promise<ComparedAmount[]> {
  const here: ComparedAmount[] = [];
  for await (const sealed of sealedHoursOf(ledger, hour)) {
    const { customerId: customer, dimension, record } = sealed;
    here.push({ customer, dimension, hour: sealed.hour, quantity: billableHere(sealed) });
    if (record.customerAwsAccountId !== undefined) names.noteAccount(record.customerAwsAccountId, customer);
  }
  return here;
}

/** How many differences are listed; the totals count all of them. */
const DIFFERENCES_SHOWN = 10_000;

const NOTHING_COMPARED = compareAmounts([], []);

function added(sum: Comparison, more: Comparison): Comparison {
  const names = Object.keys(sum.totals) as (keyof Comparison['totals'])[];
  const totals = Object.fromEntries(names.map((name) => [name, sum.totals[name] + more.totals[name]]));
  return {
    differences: [...sum.differences, ...more.differences].slice(0, DIFFERENCES_SHOWN),
    totals: { ...sum.totals, ...totals },
  };
}

function isWithin({ first, end, licenceKey, dimension }: HourRange, usage: SubmittedUsage): boolean {
  const isNamed = licenceKey === undefined || usage.licenceKey === licenceKey;
  return isNamed && usage.hour >= first && usage.hour < end && (dimension ?? usage.dimension) === usage.dimension;
}

/** Finds the customer behind each name of the other side, once. */
class CustomerNames {
  readonly #ports: Pick<ComparePorts, 'customers'>;
  readonly #byAccount = new Map<string, Set<string>>();
  readonly #byLicence = new Map<string, string | undefined>();

  constructor(ports: Pick<ComparePorts, 'customers'>) {
    this.#ports = ports;
  }

  noteAccount(accountId: string, customer: string): void {
    this.#byAccount.set(accountId, (this.#byAccount.get(accountId) ?? new Set()).add(customer));
  }

  async of({ licenceKey, customerIdentifier, accountId }: SubmittedBy): Promise<string> {
    const known = licenceKey === undefined ? undefined : await this.#customerOf(licenceKey);
    if (known !== undefined) return known;
    // An account of several customers does not tell whose usage it is.
    const [only, ...others] = (accountId !== undefined && this.#byAccount.get(accountId)) || [];
    if (only !== undefined && others.length === 0) return only;
    return customerIdentifier ?? licenceKey ?? accountId ?? 'unknown';
  }

  async #customerOf(licenceKey: string): Promise<string | undefined> {
    if (!this.#byLicence.has(licenceKey)) {
      this.#byLicence.set(licenceKey, (await this.#ports.customers.licence(licenceKey))?.customerId);
    }
    return this.#byLicence.get(licenceKey);
  }
}
