// AWS's notices as a queue brings them: EventBridge events, and the messages of the legacy SNS topics.
import * as v from 'valibot';
import { type Notice, type NoticeKind, rawMessageId } from '../domain/notice.ts';

/** `source` of AWS's events about agreements and licences. */
export const NOTICE_SOURCE = 'aws.agreement-marketplace';

/** A notice, and it as received, without personal data; or which members are wrong, never what stands in them. */
export type NoticeReading =
  | { readonly kind: 'notice'; readonly notice: Notice; readonly received: string }
  | { readonly kind: 'refused'; readonly code: RefusedNotice; readonly reason: string };

type RefusedNotice = 'notJson' | 'notANotice' | 'foreignSource' | 'memberMissing';

/** When and as what the queue took the message: all that a raw delivery tells of its time. */
export interface Delivery {
  readonly sentAtMs: number;
}

/** A member that AWS may leave out, or write in a way that nobody foresaw: it counts as missing then. */
function maybe<S extends v.GenericSchema>(schema: S) {
  return v.optional(v.fallback(v.union([schema, v.undefined()]), undefined));
}

const Text = v.pipe(v.string(), v.trim(), v.nonEmpty());
const Instant = v.pipe(
  Text,
  v.transform((text) => Date.parse(text)),
  v.check((atMs) => !Number.isNaN(atMs)),
);
const Flag = v.union([
  v.boolean(),
  v.pipe(
    Text,
    v.toLowerCase(),
    v.picklist(['true', 'false']),
    v.transform((text) => text === 'true'),
  ),
]);
const Account = v.union([
  Text,
  v.pipe(
    v.number(),
    v.integer(),
    v.transform((id) => String(id).padStart(12, '0')),
  ),
]);

const EventBridgeEvent = v.object({
  id: Text,
  'detail-type': Text,
  source: Text,
  time: Instant,
  resources: maybe(v.array(v.string())),
  detail: maybe(
    v.object({
      agreement: maybe(
        v.object({
          id: maybe(Text),
          intent: maybe(Text),
          status: maybe(Text),
          startTime: maybe(Instant),
          endTime: maybe(Instant),
          previousAgreementId: maybe(Text),
          acceptorId: maybe(Account),
        }),
      ),
      product: maybe(v.object({ code: maybe(Text) })),
      license: maybe(v.object({ arn: maybe(Text) })),
      acceptor: maybe(v.object({ accountId: maybe(Account) })),
      offer: maybe(v.object({ id: maybe(Text) })),
    }),
  ),
});

const SnsEnvelope = v.object({
  Type: v.literal('Notification'),
  MessageId: Text,
  Timestamp: Instant,
  Message: v.string(),
});

const SnsMessage = v.object({
  action: Text,
  'customer-identifier': Text,
  'product-code': Text,
  'offer-identifier': maybe(Text),
  isFreeTrialTermPresent: maybe(Flag),
});

/** Detail-types without their suffix: a direct sale has the Proposer's copy, one of a channel partner the Manufacturer's. */
const EVENT_KINDS: Readonly<Record<string, NoticeKind>> = {
  'purchase agreement created': 'agreementCreated',
  'purchase agreement amended': 'agreementAmended',
  'purchase agreement ended': 'agreementEnded',
  'license updated': 'licenceUpdated',
  'license deprovisioned': 'licenceDeprovisioned',
  'purchase agreement advisory issued': 'advisoryIssued',
  'purchase agreement advisory resolved': 'advisoryResolved',
  'agreement cancellation request pending approval': 'cancellationRequested',
  'agreement cancellation request rejected': 'cancellationDropped',
  'agreement cancellation request cancelled': 'cancellationDropped',
  'agreement cancellation request validation failed': 'cancellationDropped',
};

const ACTION_KINDS: Readonly<Record<string, NoticeKind>> = {
  'subscribe-success': 'subscribed',
  'subscribe-fail': 'subscribeFailed',
  'unsubscribe-pending': 'unsubscribePending',
  'unsubscribe-success': 'unsubscribed',
  'entitlement-updated': 'entitlementsUpdated',
};

/** An agreement that ends because another takes its place. */
const SUCCEEDED: ReadonlySet<string> = new Set(['RENEWED', 'REPLACED']);

/** Agreements without an end carry one in the year 9999. */
const NO_END_MS = Date.UTC(9000, 0, 1);

/** Reads the body of a queue's message. Never throws; types and members that AWS adds later are kept. */
export function parseNotice(body: string, delivery: Delivery): NoticeReading {
  const json = readLeniently(body);
  if (json === undefined) return refused('notJson', 'The message is no JSON object.');
  if ('detail-type' in json) return readEvent(json);
  if ('Message' in json) return readEnvelope(json);
  if ('action' in json) return readMessage(json, rawMessageId(body, delivery.sentAtMs), delivery.sentAtMs, {});
  return refused('notANotice', 'The message is neither an event of EventBridge nor a message of a topic.');
}

function readEvent(json: object): NoticeReading {
  const event = v.safeParse(EventBridgeEvent, json);
  if (!event.success) return missing(event.issues);
  const { id, source, time, detail = {}, resources = [] } = event.output;
  const type = event.output['detail-type'];
  if (source !== NOTICE_SOURCE) return refused('foreignSource', `The event's source is not ${NOTICE_SOURCE}.`);
  const { agreement = {}, product, license, acceptor, offer } = detail;
  const kind = eventKind(type, agreement.status);
  const agreementId = agreement.id ?? resources.map(agreementOf).find((each) => each !== undefined);
  if (kind !== 'recorded' && agreementId === undefined) return refused('memberMissing', 'detail.agreement.id');
  const isOfLicence = kind === 'licenceUpdated' || kind === 'licenceDeprovisioned';
  if (isOfLicence && license?.arn === undefined) return refused('memberMissing', 'detail.license.arn');
  const { previousAgreementId, intent, status, startTime, endTime, acceptorId } = agreement;
  const notice = present({
    agreementId,
    previousAgreementId,
    intent,
    status,
    startsAt: startTime,
    endsAt: endTime !== undefined && endTime < NO_END_MS ? endTime : undefined,
    licenceArn: license?.arn,
    productCode: product?.code,
    customerAwsAccountId: acceptor?.accountId ?? acceptorId,
    offerId: offer?.id,
  });
  return {
    kind: 'notice',
    notice: { ...notice, noticeId: `eb-${id}`, channel: 'eventBridge', kind, type, atMs: time },
    received: withoutPersonalData(json),
  };
}

function eventKind(type: string, status: string | undefined): NoticeKind {
  const name = type.replace(/ +- +(proposer|manufacturer|acceptor)$/i, '').toLowerCase();
  const kind = EVENT_KINDS[name];
  if (kind === 'agreementEnded' && SUCCEEDED.has(status?.toUpperCase() ?? '')) return 'agreementSucceeded';
  if (kind) return kind;
  // AWS documents these two by name only, and not by their whole name.
  if (name.endsWith('vet failed')) return 'spendVetFailed';
  return name.endsWith('vet succeeded') ? 'spendVetPassed' : 'recorded';
}

function agreementOf(resource: string): string | undefined {
  return /:agreement[:/](agmt-[^:/\s]+)$/.exec(resource)?.[1];
}

function readEnvelope(json: object): NoticeReading {
  const envelope = v.safeParse(SnsEnvelope, json);
  if (!envelope.success) return missing(envelope.issues);
  const { MessageId, Timestamp, Message } = envelope.output;
  const message = readLeniently(Message);
  if (message === undefined) return refused('notJson', 'Message is no JSON object.');
  const kept = { MessageId, Timestamp: new Date(Timestamp).toISOString() };
  return readMessage(message, MessageId, Timestamp, kept);
}

function readMessage(json: object, id: string, atMs: number, kept: object): NoticeReading {
  const message = v.safeParse(SnsMessage, json);
  if (!message.success) return missing(message.issues);
  const { action, isFreeTrialTermPresent } = message.output;
  const notice = present({ offerId: message.output['offer-identifier'], isFreeTrial: isFreeTrialTermPresent });
  return {
    kind: 'notice',
    notice: {
      ...notice,
      noticeId: `sns-${id}`,
      channel: 'sns',
      kind: ACTION_KINDS[action.toLowerCase()] ?? 'recorded',
      type: action,
      atMs,
      productCode: message.output['product-code'],
      customerIdentifier: message.output['customer-identifier'],
    },
    received: withoutPersonalData({ ...kept, Message: json }),
  };
}

/** AWS's own samples end lists of members with a comma, and begin with blanks. */
function readLeniently(text: string): object | undefined {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  for (const candidate of [trimmed, withoutTrailingCommas(trimmed)]) {
    try {
      const value: unknown = JSON.parse(candidate);
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
    } catch {
      // The next candidate may be JSON; where none is, the notice is refused with its reason.
    }
  }
  return undefined;
}

function withoutTrailingCommas(json: string): string {
  return json.replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_all, text: string | undefined) => text ?? '');
}

/** Names of people and companies, ways to reach them, and free text, in which both may stand. */
const PERSONAL = /^(.*name|.*(e-?mail|phone|address|contact).*|(reason|status)message|description|comments?|notes?)$/i;

/** Wherever it stands. */
const MAIL_ADDRESS = /[^\s@]@[^\s@]+\.[^\s@]/;

function withoutPersonalData(json: object): string {
  const isPersonal = (name: string, value: unknown) =>
    PERSONAL.test(name) || (typeof value === 'string' && MAIL_ADDRESS.test(value));
  try {
    return JSON.stringify(json, (name, value: unknown) => (isPersonal(name, value) ? undefined : value));
  } catch {
    // Nested too deep to be written down again; what was read from it is kept.
    return '';
  }
}

function missing(issues: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): NoticeReading {
  return refused('memberMissing', issues.map((issue) => v.getDotPath(issue) ?? 'the whole').join(', '));
}

function refused(code: RefusedNotice, reason: string): NoticeReading {
  return { kind: 'refused', code, reason };
}

function present<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
