// What stands below the tabs of a customer.
import type { Licence } from '../../lambdas/domain/licence.ts';
import type { CustomerPage, TimelineEntry } from '../../lambdas/flow/reads/read-customer-page.ts';
import { type Html, html } from '../../lambdas/pages/html.ts';
import { actLink } from '../parts/act-links.ts';
import { pill } from '../parts/pill.ts';
import { deliveryPill } from '../parts/status.ts';
import { type Cell, section, showTable, type Table } from '../parts/table.ts';
import { instant } from '../parts/time.ts';

export function licencesTable(licences: readonly Licence[], timeZone: string): Table {
  return {
    caption: 'Licences',
    columns: [{ name: 'Licence', kind: 'head' }, 'Metered as', { name: 'Region', kind: 'short' }, 'Held', 'End'],
    rows: licences
      .toReversed()
      .map((licence): Cell[] => [
        html`<code>${licence.licenceArn ?? licence.customerIdentifier ?? licence.licenceKey}</code>`,
        licence.identityStyle === 'licence' ? 'licence' : 'customer identifier',
        licence.meteringRegion,
        html`${licence.periods.map(({ from, to }) => html`${from === undefined ? '…' : instant(from, timeZone)} – ${to === undefined ? 'open' : instant(to, timeZone)}<br>`)}`,
        licence.ending ? html`announced ${instant(licence.ending.noticeAt, timeZone)}` : '–',
      ]),
    none: 'AWS has named no licence yet.',
  };
}

export function entitlementsPart({ entitlements }: CustomerPage, timeZone: string): Html {
  if (!entitlements || entitlements.licences.length === 0) {
    return html`<p class="none">No running contract: this customer pays for what is used, or has nothing.</p>`;
  }
  const age =
    entitlements.checkedAt === undefined
      ? 'AWS has not told of them yet.'
      : html`As AWS told ${instant(Date.parse(entitlements.checkedAt), timeZone)}.`;
  const licences = entitlements.licences.map((licence, index) => {
    const terms = showTable({
      caption: 'Used of what is included',
      columns: [
        { name: 'Dimension', kind: 'head' },
        'Term since',
        { name: 'Included', kind: 'number' },
        { name: 'Used', kind: 'number' },
        { name: 'Left', kind: 'number' },
        { name: 'Beyond', kind: 'number' },
      ],
      rows: licence.terms.map(({ dimension, termStart, included, used, left, overage }): Cell[] => [
        dimension,
        termStart,
        included,
        used,
        left,
        overage,
      ]),
      none: 'Nothing is counted against what is included.',
    });
    const values = showTable({
      caption: 'What the contract includes',
      columns: [{ name: 'Dimension', kind: 'head' }, { name: 'Value', kind: 'number' }, 'Until'],
      rows: licence.entitlements.map(({ dimension, value, expiresAt }): Cell[] => [
        dimension,
        typeof value === 'number' ? value : String(value),
        expiresAt === undefined ? '–' : instant(Date.parse(expiresAt), timeZone),
      ]),
      none: 'It includes nothing, or AWS has not said what.',
    });
    return section(
      `licence-${index}`,
      `Licence ${licence.licenceKey}`,
      html`<h3>Left of what is included</h3>`,
      terms,
      html`<h3>What the contract says</h3>`,
      values,
    );
  });
  return html`<p class="soft">${age} ${entitlements.isStale && pill('warn', 'old: AWS is asked again')}</p>${licences}`;
}

export function timelineTable({ timeline }: CustomerPage, timeZone: string): Table {
  return {
    name: 'timeline',
    caption: 'Timeline',
    columns: [{ name: 'When', kind: 'head' }, 'What', 'Of', 'Facts'],
    rows: timeline.map((entry): Cell[] => [instant(entry.at, timeZone), ...wordsOf(entry)]),
    none: 'AWS has told nothing of this customer yet.',
  };
}

function wordsOf(entry: TimelineEntry): [Cell, Cell, Cell] {
  if (entry.kind === 'event') {
    const { type, sequence, isTold } = entry;
    return [
      html`${pill('info', 'told')} ${type}`,
      `number ${sequence}`,
      isTold ? 'told to the product' : 'waits to be told',
    ];
  }
  const { type, kind, agreementId, status, intent, channel, offerId } = entry.notice;
  const known = [status, intent, offerId, channel === 'sns' ? 'by SNS' : undefined].filter(
    (each) => each !== undefined,
  );
  return [
    html`${pill('quiet', 'AWS')} ${type}`,
    html`<code>${agreementId ?? ''}</code>`,
    known.length === 0 ? kind : known.join(', '),
  ];
}

export function deliveriesTable({ deliveries, customerId }: CustomerPage, timeZone: string, url: URL): Table {
  return {
    name: 'webhooks',
    caption: 'Webhook deliveries',
    columns: [
      { name: 'Event', kind: 'head' },
      'Endpoint',
      'Status',
      { name: 'Tries', kind: 'number' },
      'Latest try',
      'Answer',
      'Next try',
      'Act',
    ],
    rows: deliveries.map((delivery): Cell[] => {
      const { endpoint, sequence, type, status, tries, attempts, nextTryAt } = delivery;
      const latest = attempts.at(-1);
      const resend =
        status !== 'pending' ? resendLink({ endpoint, customerId, sequence: String(sequence) }, url) : undefined;
      return [
        html`${sequence} ${type}`,
        endpoint,
        deliveryPill(status),
        tries,
        latest ? instant(latest.at, timeZone) : '–',
        latest?.outcome ?? '–',
        nextTryAt === undefined ? '–' : instant(nextTryAt, timeZone),
        resend ?? '',
      ];
    }),
    none: 'Nothing was posted to a webhook in the last thirty days.',
  };
}

function resendLink(given: Readonly<Record<string, string>>, { pathname }: URL): Html | undefined {
  return actLink('resend', given, pathname) ?? actLink('resendWebhook', given, pathname);
}
