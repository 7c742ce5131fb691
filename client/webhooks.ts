// Verifies the webhooks of this backend. Any library of the Standard Webhooks convention does as well.
import { InvalidInput } from '../lambdas/domain/failure.ts';
import { judgeWebhook, type WebhookHeaders, type WebhookVerdict, webhookKey } from '../lambdas/domain/webhook.ts';

export type { WebhookVerdict } from '../lambdas/domain/webhook.ts';

/** Headers as Node's `request.headers` or as `Object.fromEntries(request.headers)` has them: names in lower case. */
export type ReceivedHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Whether a request is genuine: signed with one of the secrets (`whsec_…`), within five minutes of now. `body` has to be
 * the text as it was received, not JSON that was parsed and written again. A repeat is genuine, too: drop what you have
 * seen by its `webhook-id`. Throws InvalidInput where a secret is none.
 */
export function verifyWebhook(
  headers: ReceivedHeaders,
  body: string,
  secrets: readonly string[],
  nowMs: number = Date.now(),
): WebhookVerdict {
  const keys = secrets.map(webhookKey).filter((key) => key !== undefined);
  if (keys.length === 0 || keys.length < secrets.length) {
    throw new InvalidInput(
      'WebhookSecretMalformed',
      'A webhook secret is whsec_ and base64 of 24 to 64 bytes, as it stands in the secret of the deployment.',
    );
  }
  const text = (name: keyof WebhookHeaders) => {
    const value = headers[name];
    return typeof value === 'string' ? value : value?.[0];
  };
  const signed = {
    'webhook-id': text('webhook-id'),
    'webhook-timestamp': text('webhook-timestamp'),
    'webhook-signature': text('webhook-signature'),
  };
  return judgeWebhook(signed, body, keys, nowMs);
}
