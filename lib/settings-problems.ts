// What is wrong with settings, in words that say what to do. Valibot stops at the first unknown key of an object; a
// person who corrects a file wants them all.
import * as v from 'valibot';

/** One sentence for each unknown key, each missing one and each value that is wrong; none where all is well. */
export function problemsOf(schema: v.GenericSchema, value: unknown): string[] {
  const { issues = [] } = v.safeParse(schema, value);
  const others = issues.flatMap((issue) => {
    const isUnknownKey = issue.type === 'strict_object' && issue.expected === 'never';
    return isUnknownKey ? [] : [sentenceOf(issue)];
  });
  return [...unknownKeys(schema, value, []), ...others];
}

function sentenceOf(issue: v.BaseIssue<unknown>): string {
  const place = v.getDotPath(issue) ?? 'the whole';
  const isMissing = issue.received === 'undefined' && issue.kind === 'schema';
  return isMissing ? `${place} is missing: add it` : `${place}: ${issue.message}`;
}

function unknownKeys(schema: object, value: unknown, path: readonly string[]): string[] {
  const { pipe, wrapped, item, entries }: Inside = schema;
  const inner = pipe?.[0] ?? wrapped;
  if (inner) return unknownKeys(inner, value, path);
  if (item && Array.isArray(value)) {
    return value.flatMap((each, index) => unknownKeys(item, each, [...path, String(index)]));
  }
  if (!entries || typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    const known = entries[key];
    if (known) return unknownKeys(known, member, [...path, key]);
    const names = Object.keys(entries).join(', ');
    return [`${[...path, key].join('.')} is unknown: remove it or correct its spelling (known here: ${names})`];
  });
}

/** The members of valibot's schemas that hold other schemas. */
interface Inside {
  readonly pipe?: readonly object[];
  readonly wrapped?: object;
  readonly item?: object;
  readonly entries?: Readonly<Record<string, object>>;
}
