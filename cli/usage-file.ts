// A file of usage, read as a stream: rows of CSV or lines of JSON, each with the line on which it stands.
import { parseUsageEvent } from '../lambdas/contracts/usage-report.ts';
import { InvalidInput } from '../lambdas/domain/failure.ts';
import { CsvParser } from './csv.ts';
import { eventOf, readHeader } from './usage-columns.ts';

export const FORMATS = ['csv', 'jsonl'] as const;
export type Format = (typeof FORMATS)[number];

/** A row of the file: an event whose shape is right, as it was written, or what is wrong with it. */
export type FileRow = {
  readonly line: number;
} & (
  | { readonly kind: 'event'; readonly written: Readonly<Record<string, unknown>> }
  | { readonly kind: 'malformed'; readonly id: string; readonly message: string }
);

/** No event is that long; a quote that is never closed, or a file of another kind, is. */
const MAX_ROW_LENGTH = 100_000;

/** The rows of a stream of bytes. Throws InvalidInput where the file as a whole can't be read. */
export async function* readUsageFile(bytes: AsyncIterable<Uint8Array>, format: Format): AsyncGenerator<FileRow> {
  const reader = format === 'csv' ? new CsvReader() : new JsonLinesReader();
  for await (const text of decoded(bytes)) {
    yield* reader.push(text);
    if (reader.pendingLength > MAX_ROW_LENGTH) throw tooLong(reader.pendingLine);
  }
  yield* reader.end();
}

function tooLong(line: number): InvalidInput {
  return new InvalidInput(
    'RowTooLong',
    `The row that begins on line ${line} goes on for more than ${MAX_ROW_LENGTH} characters. A quote that is never closed reads like this.`,
  );
}

/** A byte order mark is taken off. Guessing at another encoding could change an id without anyone noticing. */
async function* decoded(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let taken = 0;
  try {
    for await (const chunk of bytes) {
      const text = decoder.decode(chunk, { stream: true });
      taken += chunk.length;
      yield text;
    }
    yield decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new InvalidInput(
      'FileNotUtf8',
      `The file is not UTF-8 text, somewhere after byte ${taken}. Save it as UTF-8.`,
    );
  }
}

interface RowReader {
  readonly pendingLength: number;
  readonly pendingLine: number;
  push(text: string): Iterable<FileRow>;
  end(): Iterable<FileRow>;
}

class CsvReader implements RowReader {
  readonly #parser = new CsvParser();
  #columns: readonly string[] | undefined;

  get pendingLength(): number {
    return this.#parser.pendingLength;
  }

  get pendingLine(): number {
    return this.#parser.pendingLine;
  }

  *push(text: string): Generator<FileRow> {
    yield* this.#rows(this.#parser.push(text));
  }

  *end(): Generator<FileRow> {
    yield* this.#rows(this.#parser.end());
  }

  *#rows(rows: ReturnType<CsvParser['push']>): Generator<FileRow> {
    for (const row of rows) {
      if (this.#columns === undefined) {
        this.#columns = readHeader(row);
        continue;
      }
      const read = eventOf(this.#columns, row);
      yield 'event' in read ? fileRow(row.line, read.event) : malformed(row.line, read.problem);
    }
  }
}

class JsonLinesReader implements RowReader {
  #pending = '';
  #line = 1;

  get pendingLength(): number {
    return this.#pending.length;
  }

  get pendingLine(): number {
    return this.#line;
  }

  *push(text: string): Generator<FileRow> {
    const lines = `${this.#pending}${text}`.split('\n');
    this.#pending = lines.pop() ?? '';
    for (const line of lines) yield* this.#take(line);
  }

  *end(): Generator<FileRow> {
    yield* this.#take(this.#pending);
  }

  *#take(text: string): Generator<FileRow> {
    const line = this.#line;
    this.#line += 1;
    // Blank lines hold no event; a carriage return before the line's end is white space to JSON.
    if (text.trim() !== '') yield fromJson(line, text);
  }
}

function fromJson(line: number, text: string): FileRow {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return malformed(line, 'The line is not JSON. Write one event a line: {"id":…,"licenseArn":…,"dimension":…}');
  }
  return fileRow(line, value);
}

function fileRow(line: number, value: unknown): FileRow {
  const entry = parseUsageEvent(value);
  if (entry.kind === 'malformed') return malformed(line, entry.message, entry.id);
  return { line, kind: 'event', written: value as Readonly<Record<string, unknown>> };
}

function malformed(line: number, message: string, id = ''): FileRow {
  return { line, kind: 'malformed', id, message };
}
