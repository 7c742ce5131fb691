// Comma-separated values after RFC 4180, read piece by piece.

export interface CsvRow {
  /** The line of the file on which the row begins; the first is 1. A quoted field may take several. */
  readonly line: number;
  readonly fields: readonly string[];
  /** What is wrong with the row's quoting; its fields can't be relied on then. */
  readonly problem?: string;
}

/**
 * Where in a field the next character stands: at its start, in plain text, between quotes, right after a quote that
 * ends the field or is the first of two, or after a carriage return that may belong to the row's end.
 */
type Place = 'start' | 'plain' | 'quoted' | 'afterQuote' | 'afterReturn';

const STRAY_QUOTE =
  'a quote stands inside a field that does not begin with one; put the field in quotes and double the quotes in it';
const TEXT_AFTER_QUOTE = 'text follows a closing quote; double the quotes that belong to the field';

/**
 * Takes the text in pieces of any size and gives back the rows that are complete. Rows end with CRLF or LF; a lone
 * carriage return is text. Blank lines are no rows. A byte order mark has to be gone already.
 */
export class CsvParser {
  #place: Place = 'start';
  #field = '';
  #fields: string[] = [];
  #problem: string | undefined;
  #isQuoted = false;
  #line = 1;
  #rowLine = 1;
  #rowLength = 0;

  /** The length of the row that is not complete yet, in characters: whoever reads bounds it. */
  get pendingLength(): number {
    return this.#rowLength;
  }

  /** The line on which that row begins. */
  get pendingLine(): number {
    return this.#rowLine;
  }

  push(text: string): CsvRow[] {
    const rows: CsvRow[] = [];
    for (const char of text) this.#take(char, rows);
    return rows;
  }

  /** The last row, where no line end closed it. */
  end(): CsvRow[] {
    const rows: CsvRow[] = [];
    if (this.#place === 'quoted') this.#problem ??= 'a quote is never closed';
    if (this.#rowLength > 0) this.#endRow(rows);
    return rows;
  }

  #take(char: string, rows: CsvRow[]): void {
    this.#rowLength += char.length;
    if (char === '\n') this.#line += 1;
    if (this.#place === 'quoted') {
      if (char === '"') this.#place = 'afterQuote';
      else this.#field += char;
      return;
    }
    if (this.#place === 'afterReturn' && char !== '\n') this.#addText('\r');
    switch (char) {
      case '\n':
        this.#endRow(rows);
        return;
      case '\r':
        this.#place = 'afterReturn';
        return;
      case ',':
        this.#endField();
        return;
      case '"':
        this.#takeQuote();
        return;
      default:
        this.#addText(char);
    }
  }

  #takeQuote(): void {
    if (this.#place === 'start') {
      this.#isQuoted = true;
    } else if (this.#place === 'afterQuote') {
      this.#field += '"';
    } else {
      this.#addText('"');
      this.#problem ??= STRAY_QUOTE;
      return;
    }
    this.#place = 'quoted';
  }

  #addText(text: string): void {
    if (this.#isQuoted) this.#problem ??= TEXT_AFTER_QUOTE;
    this.#field += text;
    this.#place = 'plain';
  }

  #endField(): void {
    this.#fields.push(this.#field);
    this.#field = '';
    this.#isQuoted = false;
    this.#place = 'start';
  }

  #endRow(rows: CsvRow[]): void {
    const isBlank = this.#fields.length === 0 && this.#field === '' && !this.#isQuoted;
    this.#endField();
    const problem = this.#problem;
    if (!isBlank) {
      rows.push({ line: this.#rowLine, fields: this.#fields, ...(problem === undefined ? {} : { problem }) });
    }
    this.#fields = [];
    this.#problem = undefined;
    this.#rowLine = this.#line;
    this.#rowLength = 0;
  }
}
