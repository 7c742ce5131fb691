// The options of a command as a table: read, explained and completed from it.
import { parseArgs } from 'node:util';
import { UsageMistake } from './exit.ts';

interface Flag {
  readonly kind: 'flag';
  readonly help: string;
}

interface Value {
  readonly kind: 'value';
  /** What stands for the value in the help: `REGION`. */
  readonly placeholder: string;
  readonly help: string;
  readonly choices?: readonly string[];
}

type Option = Flag | Value;
export type Options = Readonly<Record<string, Option>>;

export type ValuesOf<O extends Options> = {
  readonly [K in keyof O]: O[K] extends { readonly kind: 'flag' } ? boolean : string | undefined;
};

export function flag(help: string): Flag {
  return { kind: 'flag', help };
}

export function value(placeholder: string, help: string, choices?: readonly string[]): Value {
  return { kind: 'value', placeholder, help, ...(choices === undefined ? {} : { choices }) };
}

/** Throws UsageMistake, which names the option that was meant. */
export function readOptions<O extends Options>(
  options: O,
  args: readonly string[],
): { readonly values: ValuesOf<O>; readonly positionals: readonly string[] } {
  const config = Object.entries(options).map(([name, { kind }]) => [
    name,
    { type: kind === 'flag' ? ('boolean' as const) : ('string' as const) },
  ]);
  const { values, positionals } = parsed(args, Object.fromEntries(config), Object.keys(options));
  for (const [name, option] of Object.entries(options)) {
    const given = values[name];
    if (option.kind === 'flag' || !option.choices || given === undefined) continue;
    if (!option.choices.includes(String(given)))
      throw new UsageMistake(`--${name} is one of ${option.choices.join(', ')}.`);
  }
  const flags = Object.entries(options).filter(([, { kind }]) => kind === 'flag');
  const all = { ...Object.fromEntries(flags.map(([name]) => [name, false])), ...values };
  return { values: all as ValuesOf<O>, positionals };
}

type ParseConfig = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

function parsed(args: readonly string[], options: ParseConfig, names: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { values: values as Readonly<Record<string, unknown>>, positionals };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const [, unknown] = /^Unknown option '--?([^']+)'/.exec(error.message) ?? [];
    if (unknown === undefined) throw new UsageMistake(error.message);
    const near = nearest(unknown, names);
    throw new UsageMistake(`There is no option --${unknown}.${near === undefined ? '' : ` Did you mean --${near}?`}`);
  }
}

const WIDTH = 118;
const WIDEST_NAME = 32;

/** The options in lines: name, placeholder, help. */
export function optionLines(options: Options): string[] {
  const named = Object.entries(options).map(([name, option]) => ({
    left: option.kind === 'flag' ? `--${name}` : `--${name} ${option.choices?.join('|') ?? option.placeholder}`,
    help: option.help,
  }));
  const width = Math.min(WIDEST_NAME, Math.max(...named.map(({ left }) => left.length)));
  return named.flatMap(({ left, help }) => {
    const [first = '', ...more] = wrapped(help, WIDTH - width - 4);
    const indented = more.map((line) => `  ${' '.repeat(width)}  ${line}`);
    if (left.length <= width) return [`  ${left.padEnd(width)}  ${first}`, ...indented];
    return [`  ${left}`, `  ${' '.repeat(width)}  ${first}`, ...indented];
  });
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

/** What somebody who typed a word may have meant: the nearest of the words, where one is near. */
export function nearest(typed: string, words: readonly string[]): string | undefined {
  const [best] = words
    .map((word) => ({ word, distance: distanceOf(typed, word) }))
    .filter(({ word, distance }) => distance <= Math.max(1, Math.floor(word.length / 3)))
    .sort((one, other) => one.distance - other.distance);
  return best?.word;
}

/** How many letters have to be put in, taken out, replaced or swapped with the next. */
function distanceOf(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1];
      const isSwapped = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      row[j] = Math.min(
        (rows[i - 1]?.[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (rows[i - 1]?.[j - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (rows[i - 2]?.[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    rows.push(row);
  }
  return rows.at(-1)?.at(-1) ?? 0;
}
