// Reads the members of a request as AWS's model declares them, and says what is wrong in AWS's words.
import { isJsonObject, type JsonObject } from './json.ts';
import { WireError } from './wire-error.ts';

/** One structure of the request: where it stands, and the list of problems that all structures of the request share. */
export interface Members {
  readonly source: JsonObject;
  readonly path: string;
  readonly problems: string[];
}

interface StringLimits {
  readonly min: number;
  readonly max: number;
  readonly pattern?: RegExp;
}

// As many as a person can use; a request may hold thousands of faulty members.
const REPORTED_PROBLEMS = 10;
const ECHOED_CHARACTERS = 80;

/** The whole request. Refuses a body that is no JSON object at all. */
export function requestMembers(body: unknown): Members {
  if (!isJsonObject(body))
    throw new WireError('SerializationException', 'Start of structure or map found where not expected.');
  return { source: body, path: '', problems: [] };
}

/**
 * Throws the ValidationException, or what the service has in its place, that names every problem found so far; does
 * nothing where there is none.
 */
export function refuseProblems(members: Members, code = 'ValidationException'): void {
  const { problems } = members;
  if (problems.length === 0) return;
  const errors = problems.length === 1 ? '1 validation error' : `${problems.length} validation errors`;
  throw new WireError(code, `${errors} detected: ${problems.slice(0, REPORTED_PROBLEMS).join('; ')}`);
}

/** A string within its limits (length in UTF-16 units), or undefined where it is absent or not a string at all. */
export function optionalString(members: Members, name: string, limits: StringLimits): string | undefined {
  const value = present(members, name);
  if (value === undefined) return undefined;
  if (typeof value !== 'string') return wrong(members, name, value, 'Member must be a string');
  if (value.length < limits.min) {
    wrong(members, name, value, `Member must have length greater than or equal to ${limits.min}`);
  }
  if (value.length > limits.max) {
    wrong(members, name, value, `Member must have length less than or equal to ${limits.max}`);
  }
  if (limits.pattern !== undefined && !limits.pattern.test(value)) {
    wrong(members, name, value, `Member must satisfy regular expression pattern: ${limits.pattern.source}`);
  }
  return value;
}

/** As optionalString; an absent one is a problem and reads as empty, so that reading can go on to find the others. */
export function requiredString(members: Members, name: string, limits: StringLimits): string {
  demand(members, name);
  return optionalString(members, name, limits) ?? '';
}

/**
 * A whole number within its range, or undefined. Fractions and digits in quotes are problems, never rounded or read.
 */
export function optionalInteger(members: Members, name: string, min: number, max: number): number | undefined {
  const value = present(members, name);
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    return wrong(members, name, value, 'Member must be an integer');
  }
  if (value < min) wrong(members, name, value, `Member must have value greater than or equal to ${min}`);
  if (value > max) wrong(members, name, value, `Member must have value less than or equal to ${max}`);
  // Never minus zero: it would be echoed as another text than was sent.
  return value + 0;
}

/** As optionalInteger; an absent one is a problem. */
export function requiredInteger(members: Members, name: string, min: number, max: number): number {
  demand(members, name);
  return optionalInteger(members, name, min, max) ?? min;
}

/** A boolean, or undefined where it is absent. Words such as "true" are problems. */
export function optionalBoolean(members: Members, name: string): boolean | undefined {
  const value = present(members, name);
  if (value === undefined || typeof value === 'boolean') return value;
  return wrong(members, name, value, 'Member must be a boolean');
}

/** A timestamp of JSON 1.1: epoch seconds, fractions allowed. Answers epoch milliseconds. */
export function requiredTimestampMs(members: Members, name: string): number {
  demand(members, name);
  const value = present(members, name);
  if (value === undefined) return 0;
  if (typeof value === 'number') return Math.round(value * 1000);
  return wrong(members, name, value, 'Member must be a timestamp in epoch seconds') ?? 0;
}

/** The structures of a list, or undefined where the list is absent. */
export function optionalStructures(members: Members, name: string, min: number, max: number): Members[] | undefined {
  const value = present(members, name);
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) return wrong(members, name, value, 'Member must be a list');
  if (value.length < min) {
    wrong(members, name, value, `Member must have length greater than or equal to ${min}`);
  }
  if (value.length > max) {
    // Its members are not walked: a list without limit would cost without limit.
    return wrong(members, name, value, `Member must have length less than or equal to ${max}`);
  }
  const list: Members[] = [];
  for (const [index, entry] of value.entries()) {
    const path = `${pathTo(members, name)}.${index + 1}.member`;
    if (isJsonObject(entry)) list.push({ source: entry, path, problems: members.problems });
    else members.problems.push(problem(entry, path, entry === null ? NOT_NULL : 'Member must be a structure'));
  }
  return list;
}

/** As optionalStructures; an absent list is a problem and reads as empty. */
export function requiredStructures(members: Members, name: string, min: number, max: number): Members[] {
  demand(members, name);
  return optionalStructures(members, name, min, max) ?? [];
}

/** A map of text lists, such as a filter; a key that is not known, an empty list and a null are problems. */
export function optionalTextLists<Key extends string>(
  members: Members,
  name: string,
  keys: readonly Key[],
): ReadonlyMap<Key, readonly string[]> {
  const value = present(members, name);
  const lists = new Map<Key, readonly string[]>();
  if (value === undefined) return lists;
  if (!isJsonObject(value)) wrong(members, name, value, 'Member must be a map');
  for (const [entryName, list] of isJsonObject(value) ? Object.entries(value) : []) {
    const key = keys.find((known) => known === entryName);
    const path = `${name}.${entryName.slice(0, ECHOED_CHARACTERS)}`;
    if (key === undefined)
      wrong(members, path, entryName, `Map keys must satisfy enum value set: [${keys.join(', ')}]`);
    else if (!isTextList(list)) wrong(members, path, list, 'Member must be a list of strings');
    else if (list.length === 0) wrong(members, path, list, 'Member must have length greater than or equal to 1');
    else lists.set(key, list);
  }
  return lists;
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

const NOT_NULL = 'Member must not be null';

/** In JSON 1.1 a null member is an absent one; only the body's own members count, never those of Object.prototype. */
function present(members: Members, name: string): unknown {
  return Object.hasOwn(members.source, name) ? (members.source[name] ?? undefined) : undefined;
}

function demand(members: Members, name: string): void {
  if (present(members, name) === undefined) members.problems.push(problem(null, pathTo(members, name), NOT_NULL));
}

function wrong(members: Members, name: string, value: unknown, constraint: string): undefined {
  members.problems.push(problem(value, pathTo(members, name), constraint));
}

function pathTo(members: Members, name: string): string {
  const lowered = `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
  return members.path === '' ? lowered : `${members.path}.${lowered}`;
}

function problem(value: unknown, path: string, constraint: string): string {
  const shown = value === null ? 'null' : `'${echo(value)}'`;
  return `Value ${shown} at '${path}' failed to satisfy constraint: ${constraint}`;
}

function echo(value: unknown): string {
  // Never spelled out: what is nested may be nested deeper than it can be written.
  if (Array.isArray(value)) return `[${value.length} members]`;
  if (typeof value === 'object') return '{...}';
  const text = String(value);
  return text.length > ECHOED_CHARACTERS ? `${text.slice(0, ECHOED_CHARACTERS)}...` : text;
}
