// Confirms subscriptions to AWS Marketplace's topics. Unsigned, as SNS lets everybody who holds the token: a signed call
// would have to be allowed by the policy of the topic too, which is AWS's (docs/decisions/0028).
import { Unavailable } from '../domain/failure.ts';
import { SECOND_MS } from '../domain/hour.ts';
import type { ConfirmationRequest, TopicSubscriptions } from '../flow/notice-ports.ts';

const TIMEOUT_MS = 5 * SECOND_MS;

const TOO_MANY_REQUESTS = 429;

interface Answer {
  readonly status: number;
  /** SNS's own name of an error. */
  readonly code: string;
}

export class SnsTopicSubscriptions implements TopicSubscriptions {
  readonly #endpoint: string | undefined;

  /** `endpoint` is set where SNS is not AWS's own. */
  constructor(endpoint?: string) {
    this.#endpoint = endpoint;
  }

  async confirm({ topicArn, token }: ConfirmationRequest): ReturnType<TopicSubscriptions['confirm']> {
    const { status, code } = await asked(confirmationUrl({ topicArn, token }, this.#endpoint), topicArn);
    if (status >= 200 && status < 300) return { kind: 'confirmed' };
    const isFinal = status >= 400 && status < 500 && status !== TOO_MANY_REQUESTS && !code.startsWith('Throttl');
    if (isFinal) return { kind: 'refused', code };
    throw unconfirmed({ topicArn, status, answer: code });
  }
}

/** At SNS in the region of the topic, which the settings name: what the message calls the place is not looked at. */
export function confirmationUrl({ topicArn, token }: ConfirmationRequest, endpoint?: string): URL {
  const [, , , region = ''] = topicArn.split(':');
  const url = new URL(endpoint ?? `https://sns.${region}.amazonaws.com/`);
  url.search = new URLSearchParams({
    Action: 'ConfirmSubscription',
    Version: '2010-03-31',
    TopicArn: topicArn,
    Token: token,
  }).toString();
  return url;
}

async function asked(url: URL, topicArn: string): Promise<Answer> {
  try {
    const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await answer.text();
    return { status: answer.status, code: /<Code>(\w{1,80})<\/Code>/.exec(text)?.[1] ?? `http${answer.status}` };
  } catch (cause) {
    throw unconfirmed({ topicArn }, cause);
  }
}

function unconfirmed(facts: Unavailable['facts'], cause?: unknown): Unavailable {
  return new Unavailable('SubscriptionUnconfirmed', 'SNS did not say whether the subscription is confirmed.', {
    cause,
    facts,
  });
}
