// Reads:       AWS's answer for a licence, and what is known of it; for a scheduled run, the licences of every shard
// Writes:      what AWS said, with when; marks for the hours that waited for it; the shard with which the next run goes on
// Once per:    licence and state that was read; a scheduled run asks for each licence at most once an hour
// If one fails: its last answer stands and shows how old it is; the other licences go on
// If it stops: licences that were not asked for are still due, and the next run begins where this one stopped
import { accessEndsAt } from '../domain/deadline.ts';
import { hasContract, type LicenceEntitlements, withAnswer } from '../domain/entitlement.ts';
import { asFailure, Unavailable } from '../domain/failure.ts';
import { HOUR_MS, hourOf } from '../domain/hour.ts';
import { SHARD_COUNT } from '../domain/keys.ts';
import type { Licence } from '../domain/licence.ts';
import { DEFAULT_METERING_POLICY } from '../domain/metering-policy.ts';
import type { Products } from '../domain/product.ts';
import type { EntitlementAnswer, EntitlementGateway, EntitlementStore, RefreshProgress } from './entitlement-ports.ts';
import type { CustomerStore, WorkStore } from './ports.ts';

export interface RefreshPorts {
  readonly customers: Pick<CustomerStore, 'licence'>;
  readonly marketplace: EntitlementGateway;
  readonly entitlements: Pick<EntitlementStore, 'entitlements' | 'write'>;
  readonly work: Pick<WorkStore, 'releaseAwaiting'>;
  readonly products: Products;
  readonly clock: () => number;
}

export type Refreshed =
  | { readonly kind: 'changed'; readonly before: LicenceEntitlements | undefined; readonly after: LicenceEntitlements }
  | { readonly kind: 'unchanged' }
  /** The product is no contract, so that there is nothing to ask. */
  | { readonly kind: 'noContract' }
  | { readonly kind: 'unknownLicence' }
  | Exclude<EntitlementAnswer, { readonly kind: 'answered' }>;

/** A write is refused where another answer was written since; looking again then finds that one. */
const ROUNDS = 5;

/**
 * Asks AWS what a licence is entitled to and writes it down. A repeat finds nothing new and changes only when it was
 * checked. What was known stays where AWS refuses the question, and where this throws: Unavailable and Misconfigured of
 * the gateway, Unavailable where other answers keep coming in between.
 */
export async function refreshEntitlements(ports: RefreshPorts, licenceKey: string): Promise<Refreshed> {
  const licence = await ports.customers.licence(licenceKey);
  if (!licence) return { kind: 'unknownLicence' };
  return hasContract(licence, ports.products) ? refreshed(ports, licence) : { kind: 'noContract' };
}

/**
 * Asks AWS for each contract of a customer that is not long over: to be called where a notice says that its entitlements
 * may have changed. Gives how many were asked for. A fault or a refusal is in the log and is made good by the schedule,
 * and so is what there was no time for.
 */
export async function refreshCustomer(
  ports: RefreshPorts & {
    readonly customers: Pick<CustomerStore, 'customer'>;
    readonly log: RefreshAllPorts['log'];
  },
  customerId: string,
  hasTime: () => boolean,
): Promise<number> {
  const { customers, products, clock, log } = ports;
  let asked = 0;
  for (const licenceKey of (await customers.customer(customerId))?.licenceKeys ?? []) {
    if (!hasTime()) break;
    const licence = await customers.licence(licenceKey);
    if (!licence || !hasContract(licence, products) || isLongOver(licence, clock())) continue;
    const { productCode } = licence;
    asked += 1;
    try {
      const answer = await refreshed(ports, licence);
      const { kind } = answer;
      if (kind === 'refused')
        log.error('EntitlementsNotRefreshed', { licenceKey, productCode, awsCode: answer.awsCode });
    } catch (error) {
      log.error('EntitlementsNotRefreshed', { licenceKey, productCode, failureCode: asFailure(error).code });
    }
  }
  return asked;
}

type Asking = Pick<RefreshPorts, 'marketplace' | 'entitlements' | 'work' | 'clock'>;

async function refreshed(ports: Asking, licence: Licence): Promise<Refreshed> {
  const { askedAt, answer } = await asked(ports, licence);
  if (answer.kind !== 'answered') return answer;
  for (let round = 0; round < ROUNDS; round++) {
    const before = await ports.entitlements.entitlements(licence.licenceKey);
    const after = withAnswer(before, licence.licenceKey, answer.entitlements, askedAt);
    if (after === before) return { kind: 'unchanged' };
    if ((await ports.entitlements.write({ licence, before, after })) === 'moved') continue;
    // Hours that could not be counted while AWS had not answered.
    await ports.work.releaseAwaiting(licence.licenceKey);
    return before?.versions === after.versions ? { kind: 'unchanged' } : { kind: 'changed', before, after };
  }
  throw new Unavailable('EntitlementsContended', `A licence's entitlements kept changing, ${ROUNDS} times.`, {
    facts: { licenceKey: licence.licenceKey },
  });
}

/** An answer counts from the hour in which it was asked for. One that came after it would change an hour that is over. */
async function asked({ marketplace, clock }: Asking, licence: Licence) {
  const askedAt = clock();
  const answer = await marketplace.ask(licence);
  if (hourOf(clock()) === hourOf(askedAt)) return { askedAt, answer };
  const againAt = clock();
  return { askedAt: againAt, answer: await marketplace.ask(licence) };
}

export interface RefreshAllPorts extends Asking {
  readonly customers: Pick<CustomerStore, 'licencesOfShard'>;
  readonly entitlements: EntitlementStore;
  readonly progress: RefreshProgress;
  readonly products: Products;
  /** Bounds the licences under way. */
  readonly limit: <T>(task: () => Promise<T>) => Promise<T>;
  readonly log: { error(code: string, facts?: Readonly<Record<string, string | number>>): void };
}

export interface RefreshResult {
  asked: number;
  changed: number;
  /** Not asked for, since AWS has not told their name. */
  unnamed: number;
  /** Licences and shards that failed, each named in the log. */
  failed: number;
  /** Whether time, or AWS, left some for the next run. */
  isUnfinished: boolean;
}

/** After this many faults in a row that are no licence's own, a run leaves AWS alone until the next. */
const FAULTS_IN_A_ROW = 5;

/**
 * Asks AWS for every licence of a contract that is due. Stops early when time runs out or AWS does not answer. Throws
 * Unavailable at the end where something failed, so that somebody is woken.
 */
export async function refreshAllEntitlements(ports: RefreshAllPorts, hasTime: () => boolean): Promise<RefreshResult> {
  const run = new RefreshRun(ports, hasTime);
  const first = await ports.progress.nextShard();
  for (let step = 0; step < SHARD_COUNT; step++) {
    const shard = (first + step) % SHARD_COUNT;
    await run.shard(shard);
    if (run.mayGoOn()) continue;
    run.result.isUnfinished = true;
    // Not with the same shard: one on which AWS fails each time would keep the others waiting for ever.
    await ports.progress.noteNextShard(run.isAwsDown() ? (shard + 1) % SHARD_COUNT : shard);
    break;
  }
  if (run.result.failed === 0) return run.result;
  throw new Unavailable('RefreshIncomplete', 'Some entitlements could not be refreshed; the log names each.', {
    facts: { ...run.result },
  });
}

class RefreshRun {
  readonly result: RefreshResult = { asked: 0, changed: 0, unnamed: 0, failed: 0, isUnfinished: false };
  readonly #ports: RefreshAllPorts;
  readonly #hasTime: () => boolean;
  #faultsInARow = 0;

  constructor(ports: RefreshAllPorts, hasTime: () => boolean) {
    this.#ports = ports;
    this.#hasTime = hasTime;
  }

  isAwsDown(): boolean {
    return this.#faultsInARow >= FAULTS_IN_A_ROW;
  }

  mayGoOn(): boolean {
    return this.#hasTime() && !this.isAwsDown();
  }

  async shard(shard: number): Promise<void> {
    const { customers, entitlements, limit } = this.#ports;
    await this.#contained({ shard }, async () => {
      const dueTimes = await entitlements.dueTimes(shard);
      const noteUnreadable = (licenceKey: string, fault: unknown) => this.#noteFault({ licenceKey }, fault);
      for await (const page of customers.licencesOfShard(shard, noteUnreadable)) {
        const due = page.filter((licence) => this.#isDue(licence, dueTimes.get(licence.licenceKey)));
        await Promise.all(due.map((licence) => limit(() => this.#licence(licence))));
        if (!this.mayGoOn()) return;
      }
    });
  }

  #isDue(licence: Licence, dueAt = Number.NEGATIVE_INFINITY): boolean {
    const nowMs = this.#ports.clock();
    return nowMs >= dueAt && hasContract(licence, this.#ports.products) && !isLongOver(licence, nowMs);
  }

  async #licence(licence: Licence): Promise<void> {
    if (!this.mayGoOn()) return;
    const { licenceKey, productCode } = licence;
    await this.#contained({ licenceKey, productCode }, async () => {
      const answer = await refreshed(this.#ports, licence);
      this.#faultsInARow = 0;
      if (answer.kind === 'unnamed') {
        this.result.unnamed += 1;
        return;
      }
      this.result.asked += 1;
      if (answer.kind === 'changed') this.result.changed += 1;
      if (answer.kind !== 'refused') return;
      this.result.failed += 1;
      const { awsCode } = answer;
      this.#ports.log.error('EntitlementsNotRefreshed', { licenceKey, productCode, awsCode });
    });
  }

  async #contained(facts: Readonly<Record<string, string | number>>, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.#faultsInARow += 1;
      this.#noteFault(facts, error);
    }
  }

  #noteFault(facts: Readonly<Record<string, string | number>>, error: unknown): void {
    this.result.failed += 1;
    const fault = error instanceof Error ? error.name : 'Unknown';
    this.#ports.log.error('EntitlementsNotRefreshed', { ...facts, failureCode: asFailure(error).code, fault });
  }
}

/** A day after its end nothing is billed by a licence any more; AWS has told of the end by then. */
const ASKED_AFTER_END_MS = 24 * HOUR_MS;

function isLongOver({ ending }: Licence, nowMs: number): boolean {
  return ending !== undefined && nowMs >= accessEndsAt(ending, DEFAULT_METERING_POLICY) + ASKED_AFTER_END_MS;
}
