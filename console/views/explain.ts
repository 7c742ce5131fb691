// One sealed hour, down to its events, its attempts and what AWS said to each.
import { type HourStart, parseHour } from '../../lambdas/domain/hour.ts';
import { type SealedHour, standingQuantity } from '../../lambdas/domain/ledger.ts';
import { explain } from '../../lambdas/flow/operations/explain.ts';
import { type Html, html } from '../../lambdas/pages/html.ts';
import { actsFor } from '../parts/act-links.ts';
import { counted, units } from '../parts/amount.ts';
import { auditTable } from '../parts/audit-lines.ts';
import { recordPill } from '../parts/status.ts';
import { type Cell, facts, section, showTable } from '../parts/table.ts';
import { hourInstant, instant, timeLeft } from '../parts/time.ts';
import type { PageRequest, Reply } from '../reply.ts';
import type { Site } from '../site.ts';

type Explanation = Awaited<ReturnType<typeof explain>>;

/** `?hour=&dimension=` and `licence=`, or `customer=` for whichever of a customer's licences it was. */
export async function explainPage(site: Site, { url }: PageRequest): Promise<Reply> {
  const query = url.searchParams;
  const hour = parseHour(query.get('hour') ?? '');
  const dimension = query.get('dimension') ?? '';
  const licenceKeys = await licencesOf(site, query);
  if (!hour || dimension === '' || licenceKeys.length === 0) return notNamed();
  const all = await Promise.all(licenceKeys.map((licenceKey) => explain(site.desk, { hour, licenceKey, dimension })));
  const told = all.filter(isAnything);
  const shown = told.length > 0 ? told : all.slice(0, 1);
  const main = html`<p class="crumbs"><a href="/hours/${hour}">Hour ${hour}</a></p>
<h1>${dimension}, ${hour}</h1>
<p class="lead">${hourInstant(hour, site.timeZone)}</p>
<div id="explained" data-live>${shown.map((each) => explanation(site, each, `${url.pathname}${url.search}`))}</div>`;
  return { kind: 'page', title: `${dimension}, ${hour}`, section: 'metering', main, isLive: true };
}

async function licencesOf({ desk }: Site, query: URLSearchParams): Promise<readonly string[]> {
  const licenceKey = query.get('licence');
  if (licenceKey) return [licenceKey];
  const customerId = query.get('customer');
  return (customerId && (await desk.customers.customer(customerId))?.licenceKeys) || [];
}

function isAnything({ sealed, events, carriesIn }: Explanation): boolean {
  return sealed !== undefined || events.count > 0 || carriesIn.length > 0;
}

function notNamed(): Reply {
  return {
    kind: 'page',
    status: 404,
    title: 'No such hour',
    section: 'metering',
    main: html`<h1>No such hour</h1><p>An hour is explained for a licence or customer, a dimension and an hour such as 2026-11-23T07, all of which the links to this page name.</p>`,
  };
}

function explanation(site: Site, told: Explanation, path: string): Html {
  const { sealed, licenceKey, books, credit } = told;
  const head = sealed
    ? html`${recordPill(sealed.status)} ${sealed.reason ?? ''}`
    : html`<span class="soft">Not sealed yet: the hour is open, or nothing of it is to be billed.</span>`;
  return html`<p class="title"><strong>Licence <code>${licenceKey}</code></strong> ${head}</p>
${sealed && sealedFacts(sealed, told.timeLeftMs, site)}
${sealed && html`<p class="buttons">${actsFor(sealed, path)}</p>`}
${section('books', 'Books of the hour', booksTable(books))}
${credit && html`<p>Credit left: ${units(credit.granted - credit.applied)} of ${units(credit.granted)} units.</p>`}
${sealed && section('attempts', 'Attempts, and what AWS said', attemptsTable(sealed, site))}
${section('events', `Usage events (${told.events.count > told.events.shown.length ? `the first ${told.events.shown.length} of ${units(told.events.count)}` : units(told.events.count)})`, eventsTable(told, site))}
${section('carries', 'Carried', carriesTable(told))}
${section('acts', 'What people did', auditTable(told.audit, site.timeZone, 'Nobody has done anything to this hour.'))}`;
}

function sealedFacts(sealed: SealedHour, timeLeftMs: number | undefined, { timeZone }: Site): Html {
  const { record } = sealed;
  const isOver = sealed.settledAt !== undefined;
  return facts([
    ['Units in record', units(record.quantity)],
    ['Taken as billed', standingQuantity(sealed) === record.quantity ? undefined : units(standingQuantity(sealed))],
    ['Customer', html`<a href="/customers/${sealed.customerId}"><code>${sealed.customerId}</code></a>`],
    ['Product', sealed.productCode],
    ['AWS record id', sealed.meteringRecordId && html`<code>${sealed.meteringRecordId}</code>`],
    ['Sent as', html`<code>${record.licenceArn ?? record.customerIdentifier ?? ''}</code>`],
    ['Sealed', instant(sealed.sealedAt, timeZone)],
    ['Settled', sealed.settledAt === undefined ? undefined : instant(sealed.settledAt, timeZone)],
    [
      'Deadline',
      html`${instant(sealed.deadlineAt, timeZone)}${!isOver && timeLeftMs !== undefined && html` <strong>${timeLeft(timeLeftMs)}</strong>`}`,
    ],
    [
      'Next attempt',
      sealed.nextAttemptAt === undefined || isOver ? undefined : instant(sealed.nextAttemptAt, timeZone),
    ],
    ['Region', sealed.meteringRegion],
    ['Rehearsal', sealed.rehearsal],
    ['Withheld', numberOf(sealed.withheldQuantity)],
    ['Credited', numberOf(sealed.creditedQuantity)],
    ['Held late', sealed.heldLate > 0 ? `${units(sealed.heldLate)} (${sealed.heldReasons.join(', ')})` : undefined],
    ['Entitlement', entitlementText(sealed)],
    ['Allocations', record.allocations === undefined ? undefined : counted(record.allocations.length, 'set')],
  ]);
}

function numberOf(quantity: number | undefined): string | undefined {
  return quantity === undefined || quantity === 0 ? undefined : units(quantity);
}

function entitlementText({ entitlement }: SealedHour): string | undefined {
  if (!entitlement) return undefined;
  const { basis, entitledQuantity, usedBefore } = entitlement;
  return `${units(entitledQuantity)} ${basis}, ${units(usedBefore)} used before this hour`;
}

function booksTable(books: Explanation['books']): Html {
  const { recorded, carriedIn, byStatus, difference } = books;
  const places: readonly (readonly [string, number])[] = [
    ['Not sealed yet', books.notYetSealed],
    ...Object.entries(byStatus).map(([status, quantity]) => [`Record ${status}`, quantity] as const),
    ['Held as late', books.heldLate],
    ['Credited', books.credited],
    ['Rejected at close', books.rejectedAtClose],
    ['Carried on', books.carriedOut],
  ];
  return showTable({
    caption: 'Where the units of the hour stand',
    columns: [
      { name: 'Units', kind: 'head' },
      { name: 'In', kind: 'number' },
      { name: 'Standing', kind: 'number' },
    ],
    rows: [
      ['Recorded', recorded, ''],
      ['Carried in', carriedIn, ''],
      ...places.filter(([, quantity]) => quantity !== 0).map(([name, quantity]): Cell[] => [name, '', quantity]),
    ],
    none: '',
    foot: [
      difference === 0 ? 'Balanced' : `Does not balance by ${units(difference)}`,
      recorded + carriedIn,
      recorded + carriedIn - difference,
    ],
  });
}

function attemptsTable(sealed: SealedHour, { timeZone }: Site): Html {
  const { attempts, refusals, status, meteringRecordId } = sealed;
  const made = Object.entries(attempts).map(([id, { at }]) => ({ at, id, said: saidTo(status, meteringRecordId) }));
  const refused = refusals.map(({ at, code, requestId }) => ({ at, id: requestId ?? '', said: `refused: ${code}` }));
  const rows = [...made, ...refused]
    .sort((one, other) => one.at - other.at)
    .map(({ at, id, said }): Cell[] => [instant(at, timeZone), said, html`<code>${id}</code>`]);
  return showTable({
    caption: 'Attempts',
    columns: [{ name: 'When', kind: 'head' }, 'AWS said', 'Attempt or request'],
    rows,
    none: 'It was not sent yet.',
  });
}

/** What is known of an attempt that AWS may have: the record's outcome, since one answer settles them all. */
function saidTo(status: SealedHour['status'], meteringRecordId: string | undefined): string {
  if (meteringRecordId !== undefined) return 'Success';
  return status === 'presumed' || status === 'disputed' ? 'DuplicateRecord' : 'no final answer';
}

function eventsTable({ events }: Explanation, { timeZone }: Site): Html {
  return showTable({
    caption: 'Usage events',
    columns: [{ name: 'Event', kind: 'head' }, 'Time', { name: 'Quantity', kind: 'number' }, 'Read as'],
    rows: events.shown.map((row): Cell[] => [
      html`<code>${row.sortKey.split('#').at(-1) ?? ''}</code>`,
      row.kind === 'good' ? instant(row.atMs, timeZone) : '–',
      row.quantity,
      row.kind === 'good'
        ? row.tagSet === '[]' || row.tagSet === ''
          ? 'untagged'
          : html`<code>${row.tagSet}</code>`
        : html`rejected: ${row.code}`,
    ]),
    none: 'No usage was recorded in this hour; what it holds was carried in.',
  });
}

function carriesTable(told: Explanation): Html {
  const { carriesIn, carriesOut, carriedOutElsewhere, licenceKey, dimension } = told;
  const link = (hour: HourStart) =>
    html`<a href="/explain?${new URLSearchParams({ hour, licence: licenceKey, dimension }).toString()}">${hour}</a>`;
  return showTable({
    caption: 'Carried in and on',
    columns: [{ name: 'Way', kind: 'head' }, 'Hour', { name: 'Units', kind: 'number' }, 'By'],
    rows: [
      ...carriesIn.map((carry): Cell[] => [
        'in from',
        link(carry.originHour),
        carry.quantity,
        carry.actionId ?? 'late usage',
      ]),
      ...carriesOut.map((carry): Cell[] => [
        'on into',
        link(carry.hour),
        carry.quantity,
        carry.actionId ?? 'late usage',
      ]),
      ...(carriedOutElsewhere > 0 ? [['on, elsewhere', '', carriedOutElsewhere, ''] as Cell[]] : []),
    ],
    none: 'Nothing was carried in or on.',
  });
}
