// What needs a person: soonest to be lost first, with the time left, the units at stake and what mends it.
import {
  ATTENTION_KINDS,
  type AttentionEntry,
  type AttentionKind,
  byUrgency,
  MENDED_BY,
  type MendingAct,
} from '../../lambdas/domain/attention.ts';
import { type AttentionCount, type AttentionView, readAttention } from '../../lambdas/flow/reads/read-attention.ts';
import { type Html, html } from '../../lambdas/pages/html.ts';
import { actLink, hourFields } from '../parts/act-links.ts';
import { counted, units } from '../parts/amount.ts';
import { pill, type Tone } from '../parts/pill.ts';
import { duration, instant, timeLeft } from '../parts/time.ts';
import type { PageRequest, Reply } from '../reply.ts';
import type { Site } from '../site.ts';

interface KindWords {
  readonly name: string;
  readonly tone: Tone;
  /** What it means, and what happens if nobody does anything. */
  readonly meaning: string;
}

const WORDS: Readonly<Record<AttentionKind, KindWords>> = {
  missedRun: {
    name: 'Missed run',
    tone: 'bad',
    meaning: 'A schedule has not run when it should have: nothing that it does goes on.',
  },
  unbalanced: {
    name: 'Books do not balance',
    tone: 'bad',
    meaning: 'Units stand in no place, or in two. Nothing is changed by itself.',
  },
  heldGroup: {
    name: 'Group held back',
    tone: 'bad',
    meaning: 'AWS showed a fault on one record that others share: none of them is sent until the group is released.',
  },
  quarantined: {
    name: 'Quarantined',
    tone: 'warn',
    meaning: 'AWS refused the record itself. Mend the cause, then release it.',
  },
  held: { name: 'Held', tone: 'warn', meaning: 'AWS does not take it now; it is tried again until the deadline.' },
  aboutToExpire: {
    name: 'About to expire',
    tone: 'warn',
    meaning: 'It is still unsent, and AWS stops taking it soon.',
  },
  heldLate: {
    name: 'Late usage held',
    tone: 'warn',
    meaning: 'Usage came after its hour was sealed, and found no later hour to go into.',
  },
  disputed: {
    name: 'Disputed',
    tone: 'warn',
    meaning: 'AWS holds another record for the hour, and no attempt of ours explains it.',
  },
  uncertain: {
    name: 'Uncertain',
    tone: 'warn',
    meaning: 'It was sent, no answer came, and the deadline has passed. AWS’s own log decides.',
  },
  expired: {
    name: 'Expired',
    tone: 'bad',
    meaning: 'AWS never took it, and the deadline has passed: lost, unless it is carried on.',
  },
  presumed: {
    name: 'Not confirmed',
    tone: 'info',
    meaning: 'AWS holds a record that an attempt of ours explains; its log would confirm it.',
  },
  deadLetters: {
    name: 'Dead letters',
    tone: 'bad',
    meaning: 'Messages that could not be handled. Nothing becomes of them until they are redriven.',
  },
  refusedUsage: {
    name: 'Refused usage',
    tone: 'warn',
    meaning: 'The product reported usage that was not taken. It is not billed unless it is reported right.',
  },
  waitingNotice: {
    name: 'Notice waits',
    tone: 'warn',
    meaning: 'A notice of AWS about an agreement that is nobody’s yet.',
  },
  undelivered: {
    name: 'Webhook not delivered',
    tone: 'warn',
    meaning: 'The product’s endpoint has not taken an event, and it is not tried again.',
  },
  untoldEvents: { name: 'Events untold', tone: 'warn', meaning: 'The product was not told of changes for a while.' },
  unregisteredBuyer: {
    name: 'Buyer not registered',
    tone: 'info',
    meaning: 'Somebody has bought, and has not filled in the registration page.',
  },
};

export async function attentionPage(site: Site, { product }: PageRequest): Promise<Reply> {
  const view = await attentionOf(site);
  const entries = view.entries.filter((each) => product === undefined || (each.productCode ?? product) === product);
  const kinds = view.kinds;
  const isCalm = entries.length === 0;
  const main = html`<h1>Attention</h1>
<p class="lead">What needs a person, soonest to be lost first.</p>
<div id="attention" data-live data-said="${said(kinds)}">
${isCalm ? html`<div class="note good"><p><strong>Nothing needs you.</strong> Every hour that is over is sealed and on its way or billed, and every schedule runs.</p></div>` : html`${counts(kinds)}<ul class="troubles" role="list">${entries.map((entry) => trouble(site, entry, view.at))}</ul>`}
${more(kinds, entries)}
</div>`;
  return {
    kind: 'page',
    title: isCalm ? 'Attention' : `Attention (${total(kinds)})`,
    section: 'attention',
    main,
    isLive: true,
  };
}

/** The read, and the dead letters of the queues, which are no table's. */
async function attentionOf({ desk }: Site): Promise<AttentionView> {
  const [view, letters] = await Promise.all([
    readAttention(desk),
    Promise.all(Object.entries(desk.deadLetters).map(async ([name, queue]) => ({ name, count: await queue.count() }))),
  ]);
  const entries = letters
    .filter(({ count }) => count > 0)
    .map(({ name, count }): AttentionEntry => ({ kind: 'deadLetters', name, count, acts: MENDED_BY.deadLetters }));
  if (entries.length === 0) return view;
  const count = entries.reduce((sum, entry) => sum + (entry.count ?? 0), 0);
  const kind = { kind: 'deadLetters', count, isPartial: false, units: 0 } as const;
  return {
    ...view,
    entries: [...view.entries, ...entries].sort(byUrgency),
    kinds: [...view.kinds, kind].sort(
      (one, other) => ATTENTION_KINDS.indexOf(one.kind) - ATTENTION_KINDS.indexOf(other.kind),
    ),
  };
}

function total(kinds: readonly AttentionCount[]): number {
  return kinds.reduce((sum, { count }) => sum + count, 0);
}

/** Said aloud when it changes. */
function said(kinds: readonly AttentionCount[]): string {
  return kinds.length === 0
    ? 'Nothing needs you'
    : `Needs you: ${kinds.map(({ kind, count }) => `${count} ${WORDS[kind].name.toLowerCase()}`).join(', ')}`;
}

function counts(kinds: readonly AttentionCount[]): Html {
  const items = kinds.map(({ kind, count, isPartial, units: quantity }) => {
    const { name, tone } = WORDS[kind];
    const amount = quantity > 0 && html` <small>${units(quantity)} units</small>`;
    return html`<li>${pill(tone, name)}<br><strong>${units(count)}${isPartial ? '+' : ''}</strong>${amount}</li>`;
  });
  return html`<ul class="counts" role="list" aria-label="How many of each">${items}</ul>`;
}

function trouble(site: Site, entry: AttentionEntry, nowMs: number): Html {
  const { name, tone, meaning } = WORDS[entry.kind];
  return html`<li class="trouble" id="${idOf(entry)}">
<div><p>${pill(tone, name)}</p>${whenOf(entry, nowMs, site.timeZone)}</div>
<div><p>${whatOf(entry)}</p><p class="soft">${entry.reason !== undefined && html`${reasonText(entry.reason)} `}${meaning}</p></div>
<p class="buttons">${entry.acts.map((act) => actLink(act, givenTo(entry, act), '/'))}</p>
</li>`;
}

/** A code as a code, a sentence as a sentence. */
function reasonText(reason: string): Html {
  if (!reason.includes(' ')) return html`<span class="code">${reason}</span>.`;
  return html`${reason.charAt(0).toUpperCase()}${reason.slice(1)}${reason.endsWith('.') ? '' : '.'}`;
}

/** The same for one trouble from look to look, so that nothing moves under a reader's hand. */
function idOf({ kind, licenceKey, dimension, hour, customerId, agreementId, name, sequence }: AttentionEntry): string {
  const parts = [kind, licenceKey, dimension, hour, customerId, agreementId, name, sequence];
  return `t-${Buffer.from(parts.map((part) => part ?? '').join('\n')).toString('base64url')}`;
}

function whenOf({ timeLeftMs, deadlineAt, since }: AttentionEntry, nowMs: number, timeZone: string): Html {
  if (timeLeftMs !== undefined && deadlineAt !== undefined) {
    const late =
      timeLeftMs <= 0
        ? html`<p class="soft">${duration(-timeLeftMs)} past its deadline</p>`
        : html`<p class="when">${timeLeft(timeLeftMs)}</p>`;
    return html`${late}<p class="soft">${instant(deadlineAt, timeZone)}</p>`;
  }
  return since === undefined ? html`` : html`<p class="soft">for ${duration(nowMs - since)}</p>`;
}

const NOUNS: Readonly<Partial<Record<AttentionKind, string>>> = {
  untoldEvents: 'event',
  unbalanced: 'meter',
  deadLetters: 'message',
};

function whatOf({
  kind,
  units: quantity,
  dimension,
  hour,
  licenceKey,
  customerId,
  agreementId,
  name,
  count,
  sequence,
}: AttentionEntry): Html {
  const amount = quantity !== undefined && html`<strong>${units(quantity)} ${dimension ?? 'units'}</strong> `;
  const of =
    hour !== undefined && licenceKey !== undefined && dimension !== undefined
      ? html`of <a href="/explain?${new URLSearchParams({ hour, licence: licenceKey, dimension }).toString()}">${hour}</a> `
      : hour !== undefined && html`<a href="/hours/${hour}">${hour}</a> `;
  // A buyer whose notices wait has no records to link to.
  const waiting = kind === 'waitingNotice' ? (agreementId ?? licenceKey) : undefined;
  const title = name ?? waiting;
  const called = title !== undefined && html`<strong>${title}</strong> `;
  const times = count !== undefined && html`${counted(count, NOUNS[kind] ?? 'time')} `;
  const event = sequence !== undefined && html`event ${sequence} `;
  const whose = customerId !== undefined && html`<a href="/customers/${customerId}">${customerId}</a>`;
  return html`${called}${times}${amount}${of}${event}${whose}`;
}

/** What an act's form is filled in with; the form takes what it has fields for. */
function givenTo(entry: AttentionEntry, act: MendingAct): Record<string, string> {
  const { kind, hour, licenceKey, dimension, customerId, agreementId, name, sequence } = entry;
  const known = {
    ...(hour === undefined ? {} : hourFields(hour)),
    // A log of AWS is of all licences: what it says of the others is as welcome.
    licenceKey: act === 'confirm' ? undefined : licenceKey,
    dimension,
    customerId,
    agreementId,
    sequence: sequence?.toString(),
    ...(name === undefined ? {} : { [NAMED_BY[kind] ?? 'name']: name }),
  };
  return Object.fromEntries(
    Object.entries(known).flatMap(([field, value]) => (value === undefined ? [] : [[field, value]])),
  );
}

/** What the name of a trouble is to the act that mends it. */
const NAMED_BY: Readonly<Partial<Record<AttentionKind, string>>> = {
  heldGroup: 'group',
  deadLetters: 'queue',
  undelivered: 'endpoint',
};

/** Kinds of which more were counted than are listed. */
function more(kinds: readonly AttentionCount[], entries: readonly AttentionEntry[]): Html | undefined {
  const hidden = kinds.flatMap(({ kind, count, isPartial }) => {
    const listed = entries.filter((each) => each.kind === kind).reduce((sum, each) => sum + (each.count ?? 1), 0);
    return count > listed || isPartial
      ? [`${counted(count, 'time')}${isPartial ? ' or more' : ''} ${WORDS[kind].name.toLowerCase()}`]
      : [];
  });
  return hidden.length === 0
    ? undefined
    : html`<p class="soft">Not all are listed: ${hidden.join(', ')}. The most urgent of each are.</p>`;
}
