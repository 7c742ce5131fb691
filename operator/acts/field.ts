// What an act is told: each field read from text, as an option of the CLI or a form of the console gives it.
import { type HourStart, parseHour } from '../../lambdas/domain/hour.ts';
import { LICENCE_ARN_PATTERN, LICENCE_KEY_PATTERN, licenceKeyOf } from '../../lambdas/domain/licence.ts';

type Read<T> = { readonly kind: 'read'; readonly value: T } | { readonly kind: 'wrong'; readonly message: string };

export interface Field<T> {
  /** One line, for a form and for the help of a command. */
  readonly help: string;
  /** What a person may copy. */
  readonly example: string;
  readonly isRequired: boolean;
  /** What may be chosen, where it is not free. */
  readonly choices?: readonly string[];
  readonly isFlag?: boolean;
  /** What is given is a file's text: an option names the file, a form takes it. */
  readonly isFile?: boolean;
  /** Undefined where nothing was given. */
  read(text: string | undefined): Read<T>;
}

// biome-ignore lint/suspicious/noExplicitAny: a table of fields holds fields of every type, and each reads its own.
export type Fields = Readonly<Record<string, Field<any>>>;

export type InputOf<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

export type RawInput = Readonly<Record<string, string | undefined>>;

/** What is wrong with what was given, by field; nothing was looked at, and nothing was done. */
export interface Mistaken {
  readonly kind: 'mistaken';
  readonly problems: readonly { readonly field: string; readonly message: string }[];
}

/** Reads all fields, or tells everything that is wrong with them. */
export function readFields<F extends Fields>(
  fields: F,
  raw: RawInput,
): { readonly kind: 'read'; readonly input: InputOf<F> } | Mistaken {
  const input: Record<string, unknown> = {};
  const problems: Mistaken['problems'][number][] = [];
  for (const [name, field] of Object.entries(fields)) {
    const text = raw[name]?.trim();
    const read = field.read(text === '' ? undefined : text);
    if (read.kind === 'read') input[name] = read.value;
    else problems.push({ field: name, message: read.message });
  }
  for (const name of Object.keys(raw)) {
    if (!(name in fields)) problems.push({ field: name, message: 'is no field of this act' });
  }
  return problems.length > 0 ? { kind: 'mistaken', problems } : { kind: 'read', input: input as InputOf<F> };
}

/** Makes a field that may be left out of one that may not. */
export function optional<T>(field: Field<T>): Field<T | undefined> {
  return {
    ...field,
    isRequired: false,
    read: (text) => (text === undefined ? { kind: 'read', value: undefined } : field.read(text)),
  };
}

export function textField(help: string, example: string): Field<string> {
  return needed({ help, example }, (text) => ({ kind: 'read', value: text }));
}

export function hourField(help: string): Field<HourStart> {
  return needed({ help, example: '2026-11-23T07' }, (text) => {
    const hour = parseHour(text);
    return hour ? { kind: 'read', value: hour } : wrong('has to be a UTC hour such as 2026-11-23T07');
  });
}

/** The key by which tables name a licence, or AWS's ARN of it. Gives the key. */
export function licenceField(help: string): Field<string> {
  return needed({ help, example: 'l-0123456789abcdef0123456789abcdef' }, (text) => {
    if (LICENCE_KEY_PATTERN.test(text)) return { kind: 'read', value: text };
    if (LICENCE_ARN_PATTERN.test(text)) {
      return { kind: 'read', value: licenceKeyOf({ style: 'licence', licenceArn: text }) };
    }
    return wrong('has to be the key of a licence, such as l-0123456789abcdef0123456789abcdef, or its ARN');
  });
}

const MOST_UNITS = 2_147_483_647;

/** Whole units, as AWS counts them. */
export function unitsField(help: string): Field<number> {
  return needed({ help, example: '120' }, (text) => {
    const units = Number(text);
    const isWhole = /^\d+$/.test(text) && units >= 1 && units <= MOST_UNITS;
    return isWhole ? { kind: 'read', value: units } : wrong(`has to be a whole number from 1 to ${MOST_UNITS}`);
  });
}

/** The same, and none at all. */
export function amountField(help: string): Field<number> {
  const { read } = unitsField(help);
  return needed({ help, example: '0' }, (text) => (text === '0' ? { kind: 'read', value: 0 } : read(text)));
}

export function choiceField<const C extends string>(help: string, choices: readonly C[]): Field<C> {
  return needed({ help, example: choices[0] ?? '', choices }, (text) => {
    const choice = choices.find((each) => each === text);
    return choice === undefined ? wrong(`has to be ${choices.join(' or ')}`) : { kind: 'read', value: choice };
  });
}

export function flagField(help: string): Field<boolean> {
  return {
    help,
    example: 'yes',
    isRequired: false,
    isFlag: true,
    read: (text) => {
      if (text === undefined || text === 'no') return { kind: 'read', value: false };
      return text === 'yes' ? { kind: 'read', value: true } : wrong('has to be yes or no');
    },
  };
}

/** Epoch milliseconds. */
export function instantField(help: string): Field<number> {
  return needed({ help, example: '2026-11-23T07:00:00Z' }, (text) => {
    const atMs = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
    return Number.isNaN(atMs)
      ? wrong('has to be an instant with its zone, such as 2026-11-23T07:00:00Z')
      : { kind: 'read', value: atMs };
  });
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

/** The text of a file. */
export function fileField(help: string): Field<string> {
  const field = needed<string>({ help, example: 'FILE' }, (text) => ({ kind: 'read', value: text }));
  return { ...field, isFile: true };
}

function needed<T>(about: Pick<Field<T>, 'help' | 'example' | 'choices'>, read: (text: string) => Read<T>): Field<T> {
  return { ...about, isRequired: true, read: (text) => (text === undefined ? wrong('is missing') : read(text)) };
}

function wrong(message: string): { readonly kind: 'wrong'; readonly message: string } {
  return { kind: 'wrong', message };
}
