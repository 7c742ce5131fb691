import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CsvParser } from '../../cli/csv.ts';

function read(...pieces: readonly string[]) {
  const parser = new CsvParser();
  return [...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()];
}

function written(field: string, isAlwaysQuoted: boolean): string {
  return isAlwaysQuoted || /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

const field = fc.oneof(
  fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', 'a', ' ') }),
  fc.string({ unit: 'grapheme' }),
);

describe('reading CSV', () => {
  test('gives back what was written, cut into pieces anywhere, with either line end', () => {
    const rows = fc.array(fc.tuple(fc.array(field, { minLength: 1, maxLength: 4 }), fc.boolean()), { maxLength: 6 });
    const cuts = fc.array(fc.nat(200), { maxLength: 8 });
    fc.assert(
      fc.property(rows, cuts, fc.constantFrom('\n', '\r\n'), fc.boolean(), (table, at, lineEnd, endsWithLine) => {
        // A row of one empty field can only be told from a blank line by its quotes.
        const lines = table.map(([fields, quoted]) =>
          fields.map((each) => written(each, quoted || fields.length === 1)).join(','),
        );
        const text = lines.join(lineEnd) + (endsWithLine ? lineEnd : '');
        const points = [0, ...at.map((each) => Math.min(each, text.length)).sort((a, b) => a - b), text.length];
        const pieces = points.slice(1).map((point, index) => text.slice(points[index], point));

        const found = read(...pieces);

        expect(found.map(({ fields }) => fields)).toEqual(table.map(([fields]) => fields));
        expect(found.every(({ problem }) => problem === undefined)).toBe(true);
        const breaksBefore = (index: number) =>
          lines.slice(0, index).reduce((sum, line) => sum + line.split('\n').length, 1);
        expect(found.map(({ line }) => line)).toEqual(table.map((_, index) => breaksBefore(index)));
      }),
    );
  });

  test('never throws and loses no row, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', 'a') }), (text) => {
        const rows = read(text);

        expect(rows.map(({ line }) => line)).toEqual([...rows.map(({ line }) => line)].sort((a, b) => a - b));
        expect(read(...text)).toEqual(rows);
      }),
    );
  });

  test.each([
    [
      'blank lines are no rows',
      'a,b\n\n\r\nc,d\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['a quoted empty field alone is a row', '""\n', [['']]],
    ['empty fields are fields', ',\n', [['', '']]],
    ['a lone carriage return is text', 'a\rb,c\n', [['a\rb', 'c']]],
    ['a quoted line end belongs to its field', '"a\r\nb",c', [['a\r\nb', 'c']]],
  ])('holds to the rule that %s', (_, text, fields) => {
    expect(read(text).map((row) => row.fields)).toEqual(fields);
  });

  test.each([
    ['a quote inside a plain field', 'x\na"b,c\ny\n', 'a quote stands inside'],
    ['text after a closing quote', 'x\n"a"b,c\ny\n', 'text follows a closing quote'],
    ['a carriage return after a closing quote', 'x\n"a"\rb\ny\n', 'text follows a closing quote'],
  ])('says that a row is wrong by %s, and reads on', (_, text, problem) => {
    const rows = read(text);

    expect(rows.map(({ line }) => line)).toEqual([1, 2, 3]);
    expect(rows[1]?.problem).toContain(problem);
    expect(rows[2]).toEqual({ line: 3, fields: ['y'] });
  });

  test('says where the quote begins that is never closed', () => {
    expect(read('a\n"b\nc\n').at(-1)).toMatchObject({ line: 2, problem: 'a quote is never closed' });
  });
});
