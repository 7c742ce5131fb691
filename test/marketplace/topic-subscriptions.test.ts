// Where a confirmation goes where SNS is AWS's own.
import { expect, test } from 'vitest';
import { confirmationUrl } from '../../lambdas/marketplace/topic-subscriptions.ts';
import { TOKEN, TOPIC } from '../contracts/topic-messages.ts';

test('a confirmation goes to SNS in the topic’s region, with what it confirms and nothing else', () => {
  const url = confirmationUrl({ topicArn: TOPIC, token: `${TOKEN}&Action=Publish` });

  expect(url.origin).toBe('https://sns.us-east-1.amazonaws.com');
  expect([...url.searchParams]).toEqual([
    ['Action', 'ConfirmSubscription'],
    ['Version', '2010-03-31'],
    ['TopicArn', TOPIC],
    ['Token', `${TOKEN}&Action=Publish`],
  ]);
});
