// A table that becomes a list of labelled values on a narrow screen.
import { type Html, html } from './html.ts';

const NUMBERS = ['Records', 'Quantity', 'Amount'];

type Cell = string | number | Html;

/**
 * On a narrow screen every row becomes a list of labelled values. The roles keep it a table for screen readers there,
 * who would otherwise lose it with its layout.
 */
export function table(
  columns: readonly string[],
  headColumn: string,
  rows: readonly (readonly Cell[])[],
  none: string,
): Html {
  if (rows.length === 0) return html`<p class="soft">${none}</p>`;
  const kindOf = (column: string) => (NUMBERS.includes(column) ? 'number' : '');
  const heads = columns.map(
    (column) => html`<th scope="col" role="columnheader" class="${kindOf(column)}">${column}</th>`,
  );
  const cellOf = (cell: Cell, index: number) => {
    const column = columns[index] ?? '';
    const content = html`<span>${cell}</span>`;
    return column === headColumn
      ? html`<th scope="row" role="rowheader" data-label="${column}">${content}</th>`
      : html`<td role="cell" class="${kindOf(column)}" data-label="${column}">${content}</td>`;
  };
  const body = rows.map((row) => html`<tr role="row">${row.map(cellOf)}</tr>`);
  // Focusable, so that a keyboard can scroll a table that is wider than the screen.
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table: ${columns[0] ?? ''}"><table role="table"><thead role="rowgroup"><tr role="row">${heads}</tr></thead><tbody role="rowgroup">${body}</tbody></table></div>`;
}
