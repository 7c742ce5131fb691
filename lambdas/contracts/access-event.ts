// What the seller's product is told, as it is written on the bus and in webhooks. The versions only ever gain members.
import * as v from 'valibot';
import type { AccessEvent } from '../domain/access-event.ts';
import { accessEventId } from '../domain/delivery.ts';
import { hasAccess, type Standing, type StandingAgreement } from '../domain/standing.ts';
import type { ToldEvent, TroubledUsage } from '../domain/usage-trouble.ts';
import type { Dispatch } from '../flow/deliver-webhook.ts';

const VERSION = 1;

/** `source` on the bus, where `detail-type` is the type. AWS keeps names that begin with `aws.` for itself. */
export const ACCESS_EVENT_SOURCE = 'marketplace-fulfillment';

/** ISO 8601 in UTC with milliseconds, `2026-11-23T07:15:00.000Z`. */
type Instant = string;

/** One event. Who has seen a higher `sequence` of the customer drops it. */
export interface AccessEventEnvelope {
  readonly version: typeof VERSION;
  /** The same for every repeat. Also `webhook-id`. */
  readonly id: string;
  readonly type: AccessEvent['type'];
  readonly customerId: string;
  /** Counts the customer's events from 1, without a gap. */
  readonly sequence: number;
  readonly at: Instant;
  readonly data: {
    /** The whole standing, after this event. */
    readonly standing: WireStanding;
    /** With `usageHeld` and `usageAboutToExpire`: what it is about. */
    readonly usage?: WireUsage;
  };
}

interface WireStanding extends Pick<Standing, 'state' | 'marks' | 'joinedInto'> {
  /** Whether the customer may use the product now: what most products need, and all that they need. */
  readonly hasAccess: boolean;
  readonly agreements: readonly WireAgreement[];
  readonly registeredAt?: Instant;
  readonly entitlementsAsOf?: Instant;
}

interface WireAgreement extends Pick<StandingAgreement, 'agreementId' | 'state' | 'licenceKeys' | 'offerId'> {
  readonly startsAt?: Instant;
  readonly endsAt?: Instant;
}

interface WireUsage extends Pick<TroubledUsage, 'licenceKey' | 'dimension' | 'quantity' | 'status' | 'reason'> {
  /** When the hour began in which the units were used. */
  readonly hour: Instant;
  readonly deadlineAt: Instant;
}

export function toEnvelope(event: ToldEvent): AccessEventEnvelope {
  const { type, customerId, sequence, at, standing, usage } = event;
  return {
    version: VERSION,
    id: accessEventId(event),
    type,
    customerId,
    sequence,
    at: instant(at),
    data: { standing: toWireStanding(standing), ...(usage ? { usage: toWireUsage(usage) } : {}) },
  };
}

/** The envelope as an entry of the bus. */
export function toBusEntry(event: ToldEvent) {
  return { source: ACCESS_EVENT_SOURCE, detailType: event.type, detail: JSON.stringify(toEnvelope(event)) };
}

function toWireStanding(standing: Standing): WireStanding {
  const { state, marks, agreements, registeredAt, entitlementsAsOf, joinedInto } = standing;
  return {
    hasAccess: hasAccess(standing),
    state,
    marks,
    agreements: agreements.map(({ startsAt, endsAt, ...agreement }) => ({
      ...agreement,
      ...(startsAt === undefined ? {} : { startsAt: instant(startsAt) }),
      ...(endsAt === undefined ? {} : { endsAt: instant(endsAt) }),
    })),
    ...(registeredAt === undefined ? {} : { registeredAt: instant(registeredAt) }),
    ...(entitlementsAsOf === undefined ? {} : { entitlementsAsOf: instant(entitlementsAsOf) }),
    ...(joinedInto === undefined ? {} : { joinedInto }),
  };
}

function toWireUsage({ hour, deadlineAt, ...usage }: TroubledUsage): WireUsage {
  return { hour: `${hour}:00:00.000Z`, ...usage, deadlineAt: instant(deadlineAt) };
}

function instant(atMs: number): Instant {
  return new Date(atMs).toISOString();
}

const Name = v.pipe(v.string(), v.regex(/^[\w-]{1,200}$/));

/** What a rule of the bus, or an operator who wants an event again, puts into the queue of webhooks. */
const DispatchSchema = v.object({
  endpoint: Name,
  // In the envelope's order, so that what is posted reads as what is on the bus.
  event: v.looseObject({
    version: v.literal(VERSION),
    id: Name,
    type: Name,
    customerId: Name,
    sequence: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  }),
});

export type DispatchReading =
  | { readonly kind: 'read'; readonly dispatch: Dispatch }
  | { readonly kind: 'refused'; readonly reason: string };

/** Reads a message of the queue of webhooks; the `body` to post is the envelope with all its members. */
export function readDispatch(body: string): DispatchReading {
  const read = v.safeParse(v.pipe(v.string(), v.parseJson(), DispatchSchema), body);
  if (!read.success) {
    const wrong = read.issues.map((issue) => `${v.getDotPath(issue) ?? 'the whole'}: ${issue.type}`).join('; ');
    return { kind: 'refused', reason: wrong.slice(0, 500) };
  }
  const { endpoint, event } = read.output;
  const { customerId, sequence, type } = event;
  return { kind: 'read', dispatch: { endpoint, customerId, sequence, type, body: JSON.stringify(event) } };
}
