// The law of conservation, month by month: every unit that was recorded stands in exactly one place.
import { type BooksView, readBooks } from '../../lambdas/flow/reads/read-books.ts';
import { type Html, html } from '../../lambdas/pages/html.ts';
import { counted } from '../parts/amount.ts';
import { pill } from '../parts/pill.ts';
import { type Cell, type Column, section, showTable, type Table } from '../parts/table.ts';
import { ago, monthName, otherMonth, parseMonth } from '../parts/time.ts';
import type { PageRequest, Reply } from '../reply.ts';
import type { Site } from '../site.ts';

export async function booksPage({ desk }: Site, { url, product }: PageRequest): Promise<Reply> {
  const nowMs = desk.clock();
  const month = parseMonth(url.searchParams.get('month')) ?? new Date(nowMs).toISOString().slice(0, 7);
  const books = await readBooks(desk, month);
  const table = linesTable(books, product, desk.products);
  const main = html`<h1>Books</h1>
<p class="lead">Recorded and carried in is what stands in all the other places together, for each product and dimension. Units of late usage are carried between hours; over all time the carries cancel.</p>
<p class="pager"><strong>${monthName(month)}</strong> <a href="/books?month=${otherMonth(month, -1)}">‹ Month before</a> <a href="/books?month=${otherMonth(month, 1)}">Month after ›</a></p>
<div id="books" data-live data-said="${books.balanced ? 'The books balance' : 'The books do not balance'}">
${verdict(books, nowMs)}
${showTable(table, url)}
${books.differences.length > 0 && section('differences', 'Hours that do not balance', showTable(differencesTable(books)))}
</div>
${section(
  'files',
  'Files',
  html`<ul>
<li><a href="/export/ledger.csv?month=${month}">Ledger of ${monthName(month)} as CSV</a>: every sealed hour and carry</li>
<li><a href="/export/audit.csv?month=${month}">Audit of ${monthName(month)} as CSV</a>: every act</li>
</ul>`,
)}`;
  return { kind: 'page', title: 'Books', section: 'books', main, isLive: true, tables: [table] };
}

function verdict({ balanced, hoursCounted, unbalanced, oldestAsOf }: BooksView, nowMs: number): Html {
  const counting =
    oldestAsOf === undefined ? '' : ` The one that was counted longest ago was counted ${ago(oldestAsOf, nowMs)}.`;
  const hours = `${counted(hoursCounted, 'hour')} with usage were counted.${counting}`;
  if (balanced) return html`<div class="note good"><p>${pill('good', 'Balanced')} ${hours}</p></div>`;
  return html`<div class="note bad"><p>${pill('bad', 'Does not balance')} ${counted(unbalanced, 'meter')} in the hours below. ${hours} Nothing is changed by itself; the runbook says what to do.</p></div>`;
}

const NUMBERS = [
  ['Recorded', 'recorded'],
  ['Carried in', 'carriedIn'],
  ['Billed', 'billed'],
  ['On its way', 'pending'],
  ['At stake', 'atStake'],
  ['Lost', 'lost'],
  ['Withheld', 'withheld'],
  ['Credited', 'credited'],
  ['Rejected', 'rejected'],
  ['Carried on', 'carriedOut'],
] as const;

function linesTable({ lines }: BooksView, product: string | undefined, products: Site['desk']['products']): Table {
  const columns: readonly (Column | string)[] = [
    { name: 'Product', kind: 'head' },
    'Dimension',
    ...NUMBERS.map(([name]) => ({ name, kind: 'number' as const })),
    { name: 'Difference', kind: 'number' },
  ];
  return {
    name: 'books',
    caption: 'Units by product and dimension',
    columns,
    rows: lines
      .filter(({ productCode }) => product === undefined || productCode === product)
      .map(({ productCode, dimension, amounts, difference }): Cell[] => [
        products.get(productCode)?.title ?? (productCode || 'licence not known yet'),
        dimension,
        ...NUMBERS.map(([, member]) => amounts[member]),
        difference,
      ]),
    none: 'Nothing was used in this month.',
  };
}

function differencesTable({ differences }: BooksView): Table {
  return {
    caption: 'Hours that do not balance',
    columns: [{ name: 'Hour', kind: 'head' }, 'Licence', 'Dimension', { name: 'Difference', kind: 'number' }],
    rows: differences.map(({ hour, licenceKey, dimension, difference }): Cell[] => [
      html`<a href="/explain?${new URLSearchParams({ hour, licence: licenceKey, dimension }).toString()}">${hour}</a>`,
      html`<code>${licenceKey}</code>`,
      dimension,
      difference,
    ]),
    none: '',
  };
}
