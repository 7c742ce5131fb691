// Under what a customer is listed for people: its state, or that its buyer is still to register.
import type { Standing } from './standing.ts';

export const CUSTOMER_LISTINGS = [
  'unregistered',
  'awaitingLicence',
  'scheduled',
  'active',
  'ending',
  'ended',
  'failed',
  'joined',
] as const;

export type CustomerListing = (typeof CUSTOMER_LISTINGS)[number];

/** A buyer who never filled in the page is looked for while there is anything to register for. */
export function listingOf({
  state,
  registeredAt,
  joinedInto,
}: Pick<Standing, 'state' | 'registeredAt' | 'joinedInto'>): CustomerListing {
  if (joinedInto !== undefined) return 'joined';
  if (state === 'ended' || state === 'failed') return state;
  return registeredAt === undefined ? 'unregistered' : state;
}
