// What people did, month by month, newest first.
import type { AuditEntry } from '../../lambdas/domain/amendment.ts';
import { html } from '../../lambdas/pages/html.ts';
import { units } from '../parts/amount.ts';
import { auditTable } from '../parts/audit-lines.ts';
import { monthName, otherMonth, parseMonth } from '../parts/time.ts';
import type { PageRequest, Reply } from '../reply.ts';
import type { Site } from '../site.ts';

/** As many of a month's lines as a person would look through; the download has all. */
const LINES_SHOWN = 500;

export async function auditPage({ desk, timeZone }: Site, { url }: PageRequest): Promise<Reply> {
  const month = parseMonth(url.searchParams.get('month')) ?? new Date(desk.clock()).toISOString().slice(0, 7);
  let latest: AuditEntry[] = [];
  let count = 0;
  for await (const page of desk.ledger.audit(month)) {
    count += page.length;
    latest = [...latest, ...page].slice(-LINES_SHOWN);
  }
  const lines = latest.toReversed();
  const main = html`<h1>Audit</h1>
<p class="lead">Every act on this deployment, with who did it and why. Lines stay for ever and can’t be changed.</p>
<p class="pager"><strong>${monthName(month)}</strong> <a href="/audit?month=${otherMonth(month, -1)}">‹ Month before</a> <a href="/audit?month=${otherMonth(month, 1)}">Month after ›</a> <a href="/export/audit.csv?month=${month}">Download as CSV</a></p>
<div id="audit" data-live>${auditTable(lines, timeZone, `Nobody did anything in ${monthName(month)}.`)}
${count > lines.length && html`<p class="soft">The latest ${units(lines.length)} of ${units(count)}.</p>`}</div>`;
  return { kind: 'page', title: 'Audit', section: 'audit', main, isLive: true };
}
