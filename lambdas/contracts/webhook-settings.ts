// The WEBHOOKS and USAGE_WARNING_HOURS settings, and the secrets that webhooks are signed with.
import * as v from 'valibot';
import { Misconfigured } from '../domain/failure.ts';
import { EVENT_TYPES } from '../domain/usage-trouble.ts';
import { webhookKey } from '../domain/webhook.ts';

const MAX_ENDPOINTS = 10;

const EventType = v.picklist(EVENT_TYPES, 'has to be a type of event in docs/access-events.md');

/** `targetProblem` says why an address can't be a target, as far as its text tells. */
export function webhooksSchema(targetProblem: (url: string) => string | undefined) {
  const Url = v.pipe(
    v.string(),
    v.maxLength(500),
    v.rawCheck(({ dataset, addIssue }) => {
      const problem = dataset.typed ? targetProblem(dataset.value) : undefined;
      if (problem) addIssue({ message: problem });
    }),
  );
  const Endpoint = v.strictObject({
    /** Ours and the operator's: it stands in logs, keys and rules. */
    name: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,31}$/, 'has to be 1 to 32 of a-z, 0-9 and -, a letter first')),
    url: Url,
    secretArn: v.pipe(
      v.string(),
      v.regex(/^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+$/, 'has to be the ARN of a secret'),
    ),
    /** Absent for all. */
    types: v.exactOptional(
      v.pipe(
        v.array(EventType),
        v.minLength(1, 'has to name a type; leave it out for all'),
        v.check((types) => new Set(types).size === types.length, 'names a type twice'),
      ),
    ),
  });
  return v.pipe(
    v.array(Endpoint),
    v.maxLength(MAX_ENDPOINTS, `takes ${MAX_ENDPOINTS} endpoints`),
    v.check((endpoints) => new Set(endpoints.map(({ name }) => name)).size === endpoints.length, 'has a name twice'),
  );
}

export type WebhookSettings = v.InferOutput<ReturnType<typeof webhooksSchema>>;

/** Reads the WEBHOOKS setting. Throws Misconfigured, naming each member that is wrong. */
export function parseWebhooks(json: string, targetProblem: (url: string) => string | undefined): WebhookSettings {
  return parsed('WEBHOOKS', webhooksSchema(targetProblem), json);
}

export const UsageWarningHoursSchema = v.pipe(
  v.array(v.pipe(v.number(), v.minValue(0.25), v.maxValue(24))),
  v.maxLength(6),
  v.check((hours) => new Set(hours).size === hours.length, 'names a number twice'),
);

/** Reads the USAGE_WARNING_HOURS setting. Throws Misconfigured. */
export function parseUsageWarningHours(json: string): readonly number[] {
  return parsed('USAGE_WARNING_HOURS', UsageWarningHoursSchema, json);
}

/** Enough for a change from one secret to another. */
const MOST_SECRETS = 5;

/** Reads the text of a secret: one `whsec_…`, or several parted by white space. Throws Misconfigured. */
export function parseWebhookSecrets(secretArn: string, text: string): readonly Buffer[] {
  const secrets = text.split(/\s+/).filter((secret) => secret !== '');
  const keys = secrets.map(webhookKey).filter((key) => key !== undefined);
  if (keys.length > 0 && keys.length === secrets.length && keys.length <= MOST_SECRETS) return keys;
  throw new Misconfigured(
    'WebhookSecretMalformed',
    `The secret has to hold 1 to ${MOST_SECRETS} of whsec_ and base64 of 24 to 64 bytes, parted by white space.`,
    { facts: { secretArn } },
  );
}

function parsed<S extends v.GenericSchema>(setting: string, schema: S, json: string): v.InferOutput<S> {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), json);
  if (result.success) return result.output;
  const wrong = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`).join('; ');
  throw new Misconfigured('SettingMalformed', `The setting ${setting} is wrong. ${wrong}`, { facts: { setting } });
}
