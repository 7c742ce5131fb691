// Reads what the control API is sent. Every refusal says what was wrong, what is expected and so what to do.
import { parseInstant } from '../clock.ts';
import { isJsonObject, type JsonObject } from '../json.ts';

/** A refusal of the control API. */
export class ControlError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'ControlError';
    this.status = status;
    this.code = code;
  }
}

/** The refusal of something that the sender can correct. */
export function invalid(message: string): ControlError {
  return new ControlError(400, 'InvalidInput', message);
}

/** The refusal of something that the state of the world does not allow. */
export function conflict(code: string, message: string): ControlError {
  return new ControlError(409, code, message);
}

/** The body as an object that has no other members than the known ones: a misspelt member is an error, not a default. */
export function objectWith(value: unknown, known: readonly string[]): JsonObject {
  const body = value ?? {};
  if (!isJsonObject(body)) throw invalid('The body must be a JSON object.');
  const stranger = Object.keys(body).find((name) => !known.includes(name));
  if (stranger !== undefined) throw invalid(`There is no member ${stranger} here; there are ${known.join(', ')}.`);
  return body;
}

/** Text of the given form, or undefined where it is absent or null. */
export function optionalText(body: JsonObject, name: string, pattern = /^[\s\S]{1,255}$/): string | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw invalid(`${name} must be text of the form ${pattern.source}.`);
}

export function requiredText(body: JsonObject, name: string, pattern?: RegExp): string {
  const value = optionalText(body, name, pattern);
  if (value === undefined) throw invalid(`${name} is missing: send it as text.`);
  return value;
}

export function optionalChoice<Choice extends string>(
  body: JsonObject,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined) return undefined;
  const choice = choices.find((known) => known === value);
  if (choice === undefined) throw invalid(`${name} must be one of ${choices.join(', ')}.`);
  return choice;
}

export function optionalFlag(body: JsonObject, name: string): boolean | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined || typeof value === 'boolean') return value;
  throw invalid(`${name} must be true or false.`);
}

/** A whole number within its range, or undefined where it is absent or null. */
export function optionalWhole(body: JsonObject, name: string, least: number, most: number): number | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalid(`${name} must be a whole number from ${least} to ${most}.`);
}

/** Epoch milliseconds of an ISO instant. */
export function optionalInstantMs(body: JsonObject, name: string): number | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined) return undefined;
  const ms = typeof value === 'string' ? parseInstant(value) : undefined;
  if (ms === undefined) throw invalid(`${name} must be an instant with a zone, such as 2026-09-21T14:00:00Z.`);
  return ms;
}

/** An http or https URL in its normal form: nothing else may become the target of a form. */
export function optionalHttpUrl(body: JsonObject, name: string): string | undefined {
  const value = optionalText(body, name, /^\S{1,2048}$/);
  if (value === undefined) return undefined;
  const url = URL.parse(value);
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url.href;
  throw invalid(`${name} must be an http or https URL.`);
}

/** A whole number from the query string. */
export function queryWhole(query: URLSearchParams, name: string, fallback: number, most: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  if (/^\d{1,15}$/.test(text) && Number(text) <= most) return Number(text);
  throw invalid(`${name} must be a whole number from 0 to ${most}.`);
}

export function queryInstantMs(query: URLSearchParams, name: string): number | undefined {
  return optionalInstantMs({ [name]: query.get(name) ?? undefined }, name);
}
