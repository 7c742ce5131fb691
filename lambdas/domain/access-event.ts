// What the seller's product is told of a customer.
import { hasAccess, type Standing } from './standing.ts';

/** Told when a standing changes. Grants and revokes of one customer alternate. */
type StandingEventType =
  | 'customerRegistered'
  | 'accessGranted'
  | 'accessChanged'
  | 'accessEnding'
  | 'accessRevoked'
  | 'entitlementsChanged';

/** Told when metering needs somebody; the standing is as it was. */
type MeteringEventType = 'usageHeld' | 'usageAboutToExpire';

export interface AccessEvent {
  readonly type: StandingEventType | MeteringEventType;
  readonly customerId: string;
  /** Counts the events of a customer from 1; who has seen a higher one drops this. */
  readonly sequence: number;
  readonly at: number;
  /** The whole of it after this event and those told with it. */
  readonly standing: Standing;
}

/** The events of a change, in order; none where nothing changed. Every change is told. */
export function eventsOf(
  before: Standing,
  after: Standing,
  told: Pick<AccessEvent, 'customerId' | 'sequence' | 'at'>,
): readonly AccessEvent[] {
  return typesOf(before, after).map((type, index) => ({
    type,
    customerId: told.customerId,
    sequence: told.sequence + index + 1,
    at: told.at,
    standing: after,
  }));
}

/**
 * The event of entitlements that changed at `foundAt` though no notice told of it; undefined where the product has
 * nothing to read anew: a customer without access reads them when it is granted.
 */
export function entitlementsFound(
  standing: Standing,
  told: Pick<AccessEvent, 'customerId' | 'sequence'>,
  foundAt: number,
): AccessEvent | undefined {
  if (!hasAccess(standing)) return undefined;
  // The standing says so as well: this event may be overtaken by a later one, and dropped.
  const entitlementsAsOf = Math.max(foundAt, standing.entitlementsAsOf ?? 0);
  return {
    type: 'entitlementsChanged',
    customerId: told.customerId,
    sequence: told.sequence + 1,
    at: foundAt,
    standing: { ...standing, entitlementsAsOf },
  };
}

function typesOf(before: Standing, after: Standing): readonly StandingEventType[] {
  if (isSameStanding(before, after)) return [];
  const types: StandingEventType[] = [];
  if (before.registeredAt === undefined && after.registeredAt !== undefined) types.push('customerRegistered');
  if (hasAccess(after) && !hasAccess(before)) types.push('accessGranted');
  else if (!hasAccess(after) && hasAccess(before)) types.push('accessRevoked');
  else if (after.state === 'ending' && before.state !== 'ending') types.push('accessEnding');
  else if (hasAccess(after) && (after.entitlementsAsOf ?? 0) > (before.entitlementsAsOf ?? 0)) {
    types.push('entitlementsChanged');
  }
  return types.length > 0 ? types : ['accessChanged'];
}

/** Both sides write their members in one order, whichever were stored in between. */
function isSameStanding(one: Standing, other: Standing): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, sorted(member)]),
  );
}
