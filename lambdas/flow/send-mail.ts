// Reads:       how the customer stands now, the buyer's address, and what is known of the mail
// Writes:      the intent of each try before its call, and after it what SES answered
// Once per:    event and kind of mail, but for a try of which nothing is known: that one is made once more
// If it stops: the queue brings the event again; what was sent and noted is not sent again
import type { BuyerDetails } from '../domain/buyer-details.ts';
import type { Delivery, DeliveryStatus } from '../domain/delivery.ts';
import type { SafeFacts } from '../domain/failure.ts';
import { SECOND_MS } from '../domain/hour.ts';
import {
  answered,
  dropped,
  hasToldOfAccess,
  intended,
  isUncertain,
  MAIL_KINDS,
  type MailFacts,
  type MailKind,
  type MailTemplateName,
  mailEndpoint,
  mailName,
  mailsOn,
  uncertain,
  withdrawn,
} from '../domain/mail.ts';
import { hasAccess } from '../domain/standing.ts';
import type { DeliveryStore } from './access-ports.ts';
import type { MailComposer, MailEvent, Mailer } from './mail-ports.ts';
import type { NoticeStore } from './notice-ports.ts';
import type { BuyerStore } from './ports.ts';

export interface SendMailPorts {
  readonly deliveries: Pick<DeliveryStore, 'begin' | 'noteTry' | 'delivery' | 'ofCustomer'>;
  readonly standing: Pick<NoticeStore, 'folded'>;
  readonly buyers: Pick<BuyerStore, 'details'>;
  readonly mailer: Mailer;
  readonly compose: MailComposer;
  readonly wanted: readonly MailKind[];
  /** Where mail to the seller goes. */
  readonly sellerAddress?: string;
  readonly clock: () => number;
  /** From 0 to 1: spreads the waits. */
  readonly chance: () => number;
  readonly log: { error(code: string, facts?: SafeFacts): void };
}

export type Mailed =
  /** By this try; or before it, of which nothing is told again. */
  | {
      readonly kind: 'settled' | 'settledBefore';
      readonly mail: MailKind;
      readonly status: Exclude<DeliveryStatus, 'pending'>;
    }
  | { readonly kind: 'again'; readonly mail: MailKind }
  /** It would say what is not so, or there is nobody to send it to. */
  | { readonly kind: 'notDue'; readonly mail: MailKind; readonly reason: NotDue };

type NotDue = 'customerUnknown' | 'buyerUnknown' | 'sellerUnknown' | 'overtaken' | 'joined' | 'toldAlready';

/** What a queue may bring too early without its mail having to wait for the next time. */
const EARLY_MS = SECOND_MS;

/**
 * Sends the mails that an event causes, each by itself. A fault of ours keeps no other mail from going; it is thrown at
 * the end: Misconfigured where SES does not let us send, Unavailable of the stores.
 */
export async function sendMails(ports: SendMailPorts, event: MailEvent): Promise<readonly Mailed[]> {
  const mailed: Mailed[] = [];
  const faults: unknown[] = [];
  for (const kind of mailsOn(event.type, ports.wanted)) {
    try {
      mailed.push(await sendMail(ports, kind, event));
    } catch (fault) {
      faults.push(fault);
    }
  }
  if (faults.length > 0) throw faults[0];
  return mailed;
}

async function sendMail(ports: SendMailPorts, kind: MailKind, event: MailEvent): Promise<Mailed> {
  const { deliveries, clock } = ports;
  const name = mailName(kind, event);
  const due = await dueMail(ports, kind, event);
  if (due.kind === 'notDue') {
    const kept = await deliveries.delivery(name);
    if (kept?.status === 'pending') await deliveries.noteTry(kept, dropped(kept, due.reason, clock()));
    return { ...due, mail: kind };
  }
  const { type, body } = event;
  const read = await deliveries.begin({
    ...name,
    type,
    body,
    status: 'pending',
    since: clock(),
    tries: 0,
    attempts: [],
  });
  if (read.status !== 'pending') return { kind: 'settledBefore', mail: kind, status: read.status };
  const earlyMs = (read.nextTryAt ?? 0) - clock();
  if (earlyMs > EARLY_MS) return { kind: 'again', mail: kind };
  return isUncertain(read) ? noted(ports, kind, read, uncertain(read)) : tried(ports, kind, read, due);
}

interface DueMail {
  readonly kind: 'due';
  readonly to: string;
  readonly template: MailTemplateName;
  readonly facts: MailFacts;
}

/** What a mail says has to be so when it goes out: the event that caused it may be hours old. */
async function dueMail(
  ports: SendMailPorts,
  kind: MailKind,
  { customerId, at, usage }: MailEvent,
): Promise<DueMail | { readonly kind: 'notDue'; readonly reason: NotDue }> {
  const notDue = (reason: NotDue) => ({ kind: 'notDue', reason }) as const;
  const read = await ports.standing.folded(customerId);
  if (!read) return notDue('customerUnknown');
  const buyer = await ports.buyers.details(customerId);
  const facts = { customer: read.customer, ...(buyer ? { buyer } : {}), ...(usage ? { usage } : {}) };
  if (MAIL_KINDS[kind].to === 'seller') {
    const to = ports.sellerAddress;
    return to === undefined ? notDue('sellerUnknown') : { kind: 'due', to, template: kind, facts };
  }
  if (!buyer) return notDue('buyerUnknown');
  // The buyer goes on as another customer, whose mails are its own.
  if (read.joinedInto !== undefined) return notDue('joined');
  const isOpen = hasAccess(read.standing);
  if (kind === 'buyerRegistered') return dueTo(buyer, isOpen ? 'buyerRegisteredActive' : kind, facts);
  if (isOpen !== (kind === 'buyerGranted')) return notDue('overtaken');
  // The confirmation said so: nobody needs two mails about one grant.
  const isTold = kind === 'buyerGranted' && hasToldOfAccess(await ports.deliveries.ofCustomer(customerId), at);
  return isTold ? notDue('toldAlready') : dueTo(buyer, kind, facts);
}

function dueTo({ email }: BuyerDetails, template: MailTemplateName, facts: MailFacts): DueMail {
  return { kind: 'due', to: email, template, facts };
}

async function tried(ports: SendMailPorts, kind: MailKind, read: Delivery, due: DueMail): Promise<Mailed> {
  const { deliveries, mailer, compose, clock, chance } = ports;
  const { to, template, facts } = due;
  const mail = { to, ...compose(template, facts) };
  const intent = intended(read, clock());
  // Another worker is at the same mail.
  if (!(await deliveries.noteTry(read, intent))) return { kind: 'again', mail: kind };
  const outcome = await mailer.send(mail).catch(async (fault: unknown) => {
    await deliveries.noteTry(intent, withdrawn(read, intent));
    throw fault;
  });
  return noted(ports, kind, intent, answered(intent, outcome, template, clock(), chance()));
}

async function noted(ports: SendMailPorts, kind: MailKind, read: Delivery, after: Delivery): Promise<Mailed> {
  const isNoted = after === read || (await ports.deliveries.noteTry(read, after));
  if (!isNoted || after.status === 'pending') return { kind: 'again', mail: kind };
  tellTrouble(ports, kind, after);
  return { kind: 'settled', mail: kind, status: after.status };
}

/** What ends without having been taken is for people to see. */
function tellTrouble({ log }: SendMailPorts, kind: MailKind, after: Delivery): void {
  const { customerId, sequence, tries } = after;
  const outcome = after.attempts.at(-1)?.outcome;
  const facts = { endpoint: mailEndpoint(kind), customerId, sequence, tries, outcome };
  if (after.status === 'givenUp') log.error('MailGivenUp', facts);
  else if (after.status === 'stopped' && isUncertain(after)) log.error('MailUncertain', facts);
  else if (after.status === 'stopped') log.error('MailRefused', facts);
}
