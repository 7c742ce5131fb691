// What the seller's server sends: a hand-off to redeem, and what its buyer wrote on the seller's own sign-up page.
import * as v from 'valibot';
import { InvalidInput } from '../domain/failure.ts';
import type { RegistrationSettings } from '../domain/registration-settings.ts';
import { EMAIL_FIELD, formFields, readAnswers, type Submission } from './registration-form.ts';

/** A hand-off has some five hundred characters; nine fields of a thousand take less, in any alphabet. */
export const MAX_SIGN_UP_BYTES = 64 * 1024;

const Redemption = v.strictObject({
  handOff: v.pipe(v.string('has to be the text that the buyer brought'), v.nonEmpty(), v.maxLength(4_096)),
  redemptionId: v.pipe(v.string(), v.regex(/^[\w-]{16,64}$/, 'has to be 16 to 64 of letters, digits, - and _')),
});

const SignUp = v.strictObject({
  handOffId: v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, 'has to be the one that redeeming the hand-off told')),
  email: v.string('has to be text'),
  fields: v.optional(v.record(v.string(), v.string('has to be text')), {}),
});

/** Reads the body of POST /hand-offs. Throws InvalidInput, naming each member that is wrong, and repeating no value. */
export function parseRedemption(body: string): v.InferOutput<typeof Redemption> {
  return parsed(Redemption, body);
}

export interface SignUpReading {
  readonly handOffId: string;
  readonly submission: Submission;
}

/**
 * Reads the body of POST /customers/{customerId}/registration by the rules of our own form; a field that the settings
 * don't ask for is a problem, since it would be dropped. Throws InvalidInput where it is no such body at all.
 */
export function readSignUp(body: string, settings: RegistrationSettings): SignUpReading {
  const { handOffId, email, fields } = parsed(SignUp, body);
  const told = new Map([...Object.entries(fields), [EMAIL_FIELD, email]]);
  const known = new Set(formFields(settings).map(({ name }) => name));
  const unknown = Object.keys(fields)
    .filter((name) => !known.has(name) || name === EMAIL_FIELD)
    .map((name) => ({ name, message: `${name} is none of the fields that registration.fields asks for.` }));
  const submission = readAnswers((name) => told.get(name), settings);
  if (unknown.length === 0) return { handOffId, submission };
  const problems = [...(submission.kind === 'incomplete' ? submission.problems : []), ...unknown];
  return { handOffId, submission: { kind: 'incomplete', problems, answers: submission.answers } };
}

function parsed<S extends v.GenericSchema>(schema: S, body: string): v.InferOutput<S> {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), body);
  if (result.success) return result.output;
  // Without what was received: it may be personal data.
  const wrong = result.issues.map((issue) => {
    const isTyped = issue.kind === 'schema' && issue.message.startsWith('Invalid');
    return `${v.getDotPath(issue) ?? 'the body'}: ${isTyped ? `expected ${issue.expected}` : issue.message}`;
  });
  throw new InvalidInput('BodyMalformed', `The body has to be JSON of this request. ${wrong.join('; ').slice(0, 500)}`);
}
