// Reads:       what is known of an event's delivery to one endpoint, and the endpoint's secrets
// Writes:      the delivery before its first try; after each, what it came to
// Once per:    event and endpoint, at least: its id stays; a delivery that is settled is not tried again
// If it stops: the queue brings the event again; a try that was made and not noted is made again
import {
  accessEventId,
  afterTry,
  type Delivery,
  type DeliveryName,
  type DeliveryStatus,
  type PostOutcome,
} from '../domain/delivery.ts';
import type { SafeFacts } from '../domain/failure.ts';
import { SECOND_MS } from '../domain/hour.ts';
import { signWebhook } from '../domain/webhook.ts';
import type { DeliveryStore, WebhookEndpoint, WebhookKeys, WebhookPoster } from './access-ports.ts';

export interface DeliverPorts {
  readonly deliveries: Pick<DeliveryStore, 'begin' | 'noteTry'>;
  readonly endpoints: ReadonlyMap<string, WebhookEndpoint>;
  readonly keys: WebhookKeys;
  readonly post: WebhookPoster;
  readonly clock: () => number;
  /** From 0 to 1: spreads the waits. */
  readonly chance: () => number;
  readonly log: { error(code: string, facts?: SafeFacts): void };
}

/** An event that is to be posted to an endpoint. */
export interface Dispatch extends DeliveryName {
  readonly type: string;
  readonly body: string;
}

export type Delivered =
  /** Nothing is left to do. */
  | { readonly kind: 'settled'; readonly status: Exclude<DeliveryStatus, 'pending'>; readonly tries: number }
  | { readonly kind: 'again'; readonly inSeconds: number; readonly tries: number; readonly outcome?: string };

/** What a receiver is given to answer in; it should note the event and do its work afterwards. */
const POST_TIMEOUT_MS = 8 * SECOND_MS;

/** Another worker is at the same delivery: long enough for its try to be noted. */
const OTHERS_TRY_SECONDS = 10;

/** What a queue may bring too early without being sent away again. */
const EARLY_MS = SECOND_MS;

/**
 * Posts an event to an endpoint, signed with each of its secrets, and notes what came of it. Throws Misconfigured or
 * Unavailable where the secrets can't be read: a fault of ours is no try.
 */
export async function deliverWebhook(ports: DeliverPorts, dispatch: Dispatch): Promise<Delivered> {
  const { deliveries, endpoints, clock, chance } = ports;
  const beganAt = clock();
  const read = await deliveries.begin({ ...dispatch, status: 'pending', since: beganAt, tries: 0, attempts: [] });
  if (read.status !== 'pending') return { kind: 'settled', status: read.status, tries: read.tries };
  const earlyMs = (read.nextTryAt ?? 0) - beganAt;
  // A second message of the same event: the pace is the delivery's, not the queue's.
  if (earlyMs > EARLY_MS) return { kind: 'again', inSeconds: Math.ceil(earlyMs / SECOND_MS), tries: read.tries };

  const endpoint = endpoints.get(dispatch.endpoint);
  // Taken out of the settings; or new in them, and its first events are faster than the deployment of this function.
  const outcome: PostOutcome = endpoint
    ? await posted(ports, endpoint, read)
    : { kind: 'failed', reason: 'endpointUnknown' };
  const after = afterTry(read, outcome, clock(), chance());
  const isNoted = await deliveries.noteTry(read, after);
  if (!isNoted) return { kind: 'again', inSeconds: OTHERS_TRY_SECONDS, tries: read.tries };
  tellTrouble(ports, after);
  if (after.status !== 'pending') return { kind: 'settled', status: after.status, tries: after.tries };
  const waitMs = (after.nextTryAt ?? 0) - clock();
  const said = after.attempts.at(-1)?.outcome;
  return {
    kind: 'again',
    inSeconds: Math.max(0, Math.ceil(waitMs / SECOND_MS)),
    tries: after.tries,
    ...(said === undefined ? {} : { outcome: said }),
  };
}

async function posted(
  { keys, post, clock }: DeliverPorts,
  endpoint: WebhookEndpoint,
  delivery: Delivery,
): Promise<PostOutcome> {
  const { body } = delivery;
  const signed = signWebhook(accessEventId(delivery), clock(), body, await keys(endpoint.secretArn));
  return post({ url: endpoint.url, headers: { ...signed }, body, timeoutMs: POST_TIMEOUT_MS });
}

/** What ends without having been delivered is for people to see. */
function tellTrouble({ log }: DeliverPorts, after: Delivery): void {
  const { endpoint, status, tries } = after;
  const facts = { endpoint, eventId: accessEventId(after), tries, outcome: after.attempts.at(-1)?.outcome };
  if (status === 'stopped') log.error('WebhookStopped', facts);
  if (status === 'givenUp') log.error('WebhookGivenUp', facts);
}
