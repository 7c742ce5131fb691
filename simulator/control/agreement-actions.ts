// Control: what can be done to an agreement, by its name in the address. The pages' buttons do the same.
import type { Agreement } from '../world/agreements.ts';
import { amend, cancel, expire, setSuspended, subscribe } from '../world/lifecycle.ts';
import type { World } from '../world/world.ts';
import { LICENCE_ARN, productOf, readEntitlements, refuseShortTerm, running } from './agreement-input.ts';
import { ANNOUNCEMENTS } from './announcing.ts';
import { DELIVERY_MEMBERS, optionalDelivery } from './delivery.ts';
import {
  conflict,
  invalid,
  objectWith,
  optionalChoice,
  optionalFlag,
  optionalInstantMs,
  optionalText,
  optionalWhole,
  requiredText,
} from './input.ts';

type Action = (world: World, agreement: Agreement, body: unknown) => Agreement;

const YEAR_MS = 31_536_000_000;

/** Each answers the agreement that it leads to: a renewal's or replacement's is the new one. */
export const AGREEMENT_ACTIONS: Readonly<Record<string, Action>> = {
  amend: (world, agreement, body) => {
    const members = ['entitlements', 'endAt', 'autoRenew', 'offerId', 'renewalDisabledBy', ...DELIVERY_MEMBERS];
    const wanted = objectWith(body, members);
    const live = running(world, agreement);
    const endMs = optionalInstantMs(wanted, 'endAt');
    const autoRenew = optionalFlag(wanted, 'autoRenew');
    if (endMs !== undefined && endMs <= Math.max(world.now(), live.startsMs)) throw invalid('endAt must be to come.');
    if (autoRenew ?? live.autoRenew) refuseShortTerm(live.startsMs, endMs ?? live.termEndMs);
    return amend(world, live, {
      entitlements: readEntitlements(productOf(world, live), wanted['entitlements']),
      endMs,
      autoRenew,
      offerId: optionalText(wanted, 'offerId'),
      renewalDisabledBy: optionalChoice(wanted, 'renewalDisabledBy', ['ACCEPTOR', 'PROPOSER']),
      delivery: optionalDelivery(wanted),
    });
  },
  renew: (world, agreement, body) => follow(world, agreement, body, 'RENEW'),
  replace: (world, agreement, body) => follow(world, agreement, body, 'REPLACE'),
  cancel: (world, agreement, body) => {
    const wanted = objectWith(body, ['revokeAfterMs', 'status', ...DELIVERY_MEMBERS]);
    return cancel(world, agreement, {
      revokeAfterMs: optionalWhole(wanted, 'revokeAfterMs', 0, YEAR_MS),
      status: optionalChoice(wanted, 'status', ['CANCELLED', 'TERMINATED']),
      delivery: optionalDelivery(wanted),
    });
  },
  expire: (world, agreement, body) => {
    const delivery = optionalDelivery(objectWith(body, DELIVERY_MEMBERS));
    const live = running(world, agreement);
    if (live.termEndMs === undefined) {
      throw conflict(
        'NoAgreedEnd',
        'The agreement has no agreed end that could come: cancel it, or amend it with endAt.',
      );
    }
    if (live.startsMs > world.now()) throw conflict('NotStarted', 'The agreement has not started: cancel it instead.');
    return expire(world, live, delivery);
  },
  suspend: (world, agreement) => setSuspended(world, agreement, true),
  resume: (world, agreement) => setSuspended(world, agreement, false),
  announce: (world, agreement, body) => {
    const wanted = objectWith(body, ['event', ...DELIVERY_MEMBERS]);
    const name = requiredText(wanted, 'event');
    const announcement = ANNOUNCEMENTS.get(name);
    if (announcement === undefined) throw invalid(`event must be one of ${[...ANNOUNCEMENTS.keys()].join(', ')}.`);
    return announcement(world, agreement, optionalDelivery(wanted));
  },
};

/** A new agreement in the place of a running one, as long as that was to be unless something else is said. */
function follow(world: World, previous: Agreement, body: unknown, intent: 'RENEW' | 'REPLACE'): Agreement {
  const members = ['startAt', 'endAt', 'entitlements', 'autoRenew', 'offerId', 'licenceArn', ...DELIVERY_MEMBERS];
  const wanted = objectWith(body, members);
  const product = productOf(world, running(world, previous));
  const startMs = optionalInstantMs(wanted, 'startAt') ?? world.now();
  const { termEndMs, startsMs } = previous;
  const endMs =
    optionalInstantMs(wanted, 'endAt') ?? (termEndMs === undefined ? undefined : startMs + termEndMs - startsMs);
  const autoRenew = optionalFlag(wanted, 'autoRenew') ?? previous.autoRenew;
  if (startMs < previous.startsMs) throw invalid('startAt must not be earlier than the start of the one before.');
  if (endMs !== undefined && endMs <= startMs) throw invalid('endAt must be later than startAt.');
  if (autoRenew) refuseShortTerm(startMs, endMs);
  return subscribe(world, {
    product,
    previous,
    intent,
    startMs,
    endMs,
    autoRenew,
    entitlements: readEntitlements(product, wanted['entitlements']),
    offerId: optionalText(wanted, 'offerId'),
    licenceArn: optionalText(wanted, 'licenceArn', LICENCE_ARN),
    delivery: optionalDelivery(wanted),
  });
}
