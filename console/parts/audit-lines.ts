// Lines of the audit as a table.
import type { AuditEntry } from '../../lambdas/domain/amendment.ts';
import { type Html, html } from '../../lambdas/pages/html.ts';
import { type Cell, showTable } from './table.ts';
import { instant } from './time.ts';

export function auditTable(lines: readonly AuditEntry[], timeZone: string, none: string): Html {
  return showTable({
    caption: 'Audit',
    columns: [{ name: 'When', kind: 'head' }, 'Who', 'Did', 'To', 'Why', 'Facts'],
    rows: lines.map((line): Cell[] => [
      instant(line.at, timeZone),
      line.who,
      line.action,
      targetOf(line),
      line.why,
      Object.entries(line.facts)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    ]),
    none,
  });
}

function targetOf({ licenceKey, dimension, hour }: AuditEntry): Cell {
  if (licenceKey === undefined) return dimension ?? '';
  if (dimension === undefined || hour === undefined) return html`<code>${licenceKey}</code> ${dimension ?? ''}`;
  const query = new URLSearchParams({ hour, licence: licenceKey, dimension });
  return html`<a href="/explain?${query.toString()}">${dimension}, ${hour}</a>`;
}
