// Tables of numbers for wide screens, which become lists of labelled values on narrow ones, and files for spreadsheets.
import { type Html, html } from '../../lambdas/pages/html.ts';
import { units } from './amount.ts';

/** A number is shown with its thousands parted, and stands plain in a file. */
export type Cell = string | number | Html;

export interface Column {
  readonly name: string;
  /** `head`: names the row. `number`: stands right, digit under digit. `short`: stays on one line. */
  readonly kind?: 'head' | 'number' | 'short';
}

export interface Table {
  /** What a screen reader calls it. */
  readonly caption: string;
  /** What its file is called; a table without one can't be downloaded. */
  readonly name?: string;
  readonly columns: readonly (Column | string)[];
  readonly rows: readonly (readonly Cell[])[];
  /** Said where there are no rows. */
  readonly none: string;
  /** Sums, below the rows. */
  readonly foot?: readonly Cell[];
}

/**
 * The roles keep it a table for screen readers where its layout is a list, and a keyboard can scroll what is too wide.
 * `url` is the page's own, for a table that can be downloaded.
 */
export function showTable(table: Table, url?: URL): Html {
  const { caption, rows, none, foot, name } = table;
  if (rows.length === 0) return html`<p class="none">${none}</p>`;
  const columns = columnsOf(table);
  const heads = columns.map(
    (column) => html`<th scope="col" role="columnheader" class="${column.kind ?? ''}">${column.name}</th>`,
  );
  const body = rows.map((row) => html`<tr role="row">${cellsOf(row, columns)}</tr>`);
  const footer = foot && html`<tfoot role="rowgroup"><tr role="row">${cellsOf(foot, columns)}</tr></tfoot>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table: ${caption}">
<table role="table" class="folds"><thead role="rowgroup"><tr role="row">${heads}</tr></thead>
<tbody role="rowgroup">${body}</tbody>${footer}</table></div>
${url && name !== undefined && html`<p class="csv"><a href="${csvLink(url, name)}">Download “${caption}” as CSV</a></p>`}`;
}

export function columnsOf({ columns }: Table): readonly Column[] {
  return columns.map((column) => (typeof column === 'string' ? { name: column } : column));
}

function csvLink(url: URL, name: string): string {
  const query = new URLSearchParams(url.searchParams);
  query.set('csv', name);
  return `${url.pathname}?${query.toString()}`;
}

function cellsOf(cells: readonly Cell[], columns: readonly Column[]): Html[] {
  return cells.map((cell, index) => {
    const { name = '', kind } = columns[index] ?? {};
    const content = html`<span>${typeof cell === 'number' ? units(cell) : cell}</span>`;
    return kind === 'head'
      ? html`<th scope="row" role="rowheader" data-label="${name}">${content}</th>`
      : html`<td role="cell" class="${kind ?? ''}${cell === 0 || cell === '' ? ' zero' : ''}" data-label="${name}">${content}</td>`;
  });
}

/** Facts of one thing, name by name. What is undefined is left out. */
export function facts(rows: readonly (readonly [name: string, value: Cell | undefined])[]): Html {
  const shown = rows.flatMap(([name, value]) =>
    value === undefined || value === ''
      ? []
      : [html`<div><dt>${name}</dt><dd>${typeof value === 'number' ? units(value) : value}</dd></div>`],
  );
  return html`<dl class="facts">${shown}</dl>`;
}

/** A part of a page under a heading of its own. */
export function section(id: string, title: string, ...content: readonly (Html | undefined)[]): Html {
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
${content}</section>`;
}
