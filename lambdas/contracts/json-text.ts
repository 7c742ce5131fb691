// Files of JSON as tools write them: one value, or a value a line.
import * as v from 'valibot';
import { InvalidInput } from '../domain/failure.ts';

const Json = v.pipe(v.string(), v.parseJson());
export const Members = v.record(v.string(), v.unknown());

/** The values of a file: one JSON text, or JSON lines. Throws InvalidInput, naming the line that is none. */
export function jsonValues(text: string): readonly unknown[] {
  const whole = v.safeParse(Json, text);
  if (whole.success) return [whole.output];
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const value = v.safeParse(Json, line);
    if (value.success) return [value.output];
    throw new InvalidInput('FileMalformed', `Line ${index + 1} is not JSON. Expected is one JSON text, or one a line.`);
  });
}

/** The members of a list that stands alone, or under one of these names, in each value; else the value itself. */
export function listed(values: readonly unknown[], ...names: string[]): readonly unknown[] {
  return values.flatMap((value) => {
    if (Array.isArray(value)) return listed(value, ...names);
    const members = v.is(Members, value) ? names.map((name) => value[name]).find(Array.isArray) : undefined;
    return members ?? [value];
  });
}
