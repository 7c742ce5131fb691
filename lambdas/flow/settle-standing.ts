// Reads:       every notice of a customer's agreements, and how its last fold left it
// Writes:      starts and ends for metering; then the standing and the events of its change, in one transaction
// Once per:    fold: the count of folds that was read
// If it stops: the notice comes again and everything is folded anew; metering's notes join what stands
import { type AccessEvent, eventsOf } from '../domain/access-event.ts';
import { Unavailable } from '../domain/failure.ts';
import { type Fold, foldStanding, hasBegun, type Term } from '../domain/standing.ts';
import type { FoldedCustomer, NoticePorts } from './notice-ports.ts';

export type SettlePorts = Pick<NoticePorts, 'notices' | 'customers' | 'products'>;

/** A fold that is not written means that somebody else was faster; reading again then finds what they read. */
const ROUNDS = 8;

/** Folds what is known of a customer now; gives the events of the change. A repeat changes nothing. */
export async function settleStanding(
  ports: SettlePorts,
  customerId: string,
  nowMs: number,
): Promise<readonly AccessEvent[]> {
  const { notices, products } = ports;
  for (let round = 0; round < ROUNDS; round++) {
    // Before the notices: one that is kept while they are read is folded by whoever kept it, or by the next round.
    const read = await notices.folded(customerId);
    if (!read) return [];
    const threads = await Promise.all((await notices.threadsOfCustomer(customerId)).map((key) => notices.thread(key)));
    // A thread that has just moved on is no longer this customer's.
    const own = threads.filter((thread) => thread.customerId === customerId).flatMap((thread) => thread.notices);
    const fold = foldStanding(own, factsOf(read, products), nowMs);
    // Before the product is told: what it then reports has to find its licence running.
    await noteForMetering(ports, read, fold, nowMs);
    const { standing, changesAt } = fold;
    const events = eventsOf(read.standing, standing, { customerId, sequence: read.customer.sequence, at: nowMs });
    const told = await notices.tell(read, { standing, events, ...(changesAt === undefined ? {} : { changesAt }) });
    if (told) return events;
  }
  throw new Unavailable('StandingContended', `A customer's standing kept changing, ${ROUNDS} times.`, {
    facts: { customerId },
  });
}

function factsOf({ customer, joinedInto, entitlementsFoundAt }: FoldedCustomer, products: NoticePorts['products']) {
  const { registeredAt, productCode } = customer;
  return {
    isByLicence: products.get(productCode)?.identityStyle === 'licence',
    ...(registeredAt === undefined ? {} : { registeredAt }),
    ...(joinedInto === undefined ? {} : { joinedInto }),
    ...(entitlementsFoundAt === undefined ? {} : { entitlementsFoundAt }),
  };
}

async function noteForMetering(
  { customers }: SettlePorts,
  { customer }: FoldedCustomer,
  { terms }: Fold,
  nowMs: number,
): Promise<void> {
  // One customer identifier has one agreement at a time, and its own channel names none: time alone tells there.
  const legacyKeys = customer.licenceKeys.filter((key) => key.startsWith('c-'));
  for (const term of terms) {
    const { agreementId, startedAt, startsAt = startedAt, noticeAt = nowMs } = term;
    const agreement = agreementId === undefined ? {} : { agreementId };
    const licences = [
      ...legacyKeys.map((licenceKey) => ({ licenceKey, named: {} })),
      ...term.licenceKeys.map((licenceKey) => ({ licenceKey, named: agreement })),
    ];
    const ending = endingOf(term);
    for (const { licenceKey, named } of licences) {
      // What ended before its day never began: its day may come, and no end of it is told after that.
      if (startedAt !== undefined && startsAt !== undefined && hasBegun(term, Math.min(nowMs, noticeAt))) {
        await customers.noteStart(licenceKey, { ...named, from: startsAt });
      }
      if (ending) await customers.noteEnding(licenceKey, { ...named, ...ending });
    }
  }
}

function endingOf({ noticeAt, endedAt }: Term) {
  if (noticeAt === undefined) return undefined;
  return endedAt === undefined ? { noticeAt } : { noticeAt, revokedAt: endedAt, deprovisionedAt: endedAt };
}
