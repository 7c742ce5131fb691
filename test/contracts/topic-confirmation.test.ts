// SNS's request for a confirmation as a queue brings it, and the setting that says which may be confirmed.
import { describe, expect, test } from 'vitest';
import { parseLegacyTopics, readConfirmation } from '../../lambdas/contracts/topic-confirmation.ts';
import { confirmationOf, TOKEN, TOPIC } from './topic-messages.ts';

describe('a message of SNS', () => {
  test('that asks for a confirmation is read by its topic and token, never by the address in it', () => {
    expect(readConfirmation(confirmationOf())).toEqual({ topicArn: TOPIC, token: TOKEN });
  });

  test.each([
    ['of another type', confirmationOf({ Type: 'Notification' })],
    ['that tells of a subscription’s end', confirmationOf({ Type: 'UnsubscribeConfirmation' })],
    ['without a token', confirmationOf({ Token: undefined })],
    ['with an empty token', confirmationOf({ Token: '' })],
    ['with an endless token', confirmationOf({ Token: 'a'.repeat(4_097) })],
    ['whose topic is no text', confirmationOf({ TopicArn: 7 })],
    ['that is no JSON', '{'],
    ['that is JSON’s null', 'null'],
  ])('%s asks for none', (_what, body) => {
    expect(readConfirmation(body)).toBeUndefined();
  });
});

describe('LEGACY_TOPICS', () => {
  test('is a list of topics, and empty where nothing is to be confirmed', () => {
    expect(parseLegacyTopics('[]')).toEqual([]);
    expect(parseLegacyTopics(JSON.stringify([TOPIC]))).toEqual([TOPIC]);
  });

  test.each(['', 'null', '["topic"]', '["arn:aws:sns:evil.example/:123456789012:a"]', '{}'])(
    'is refused as %j',
    (json) => {
      expect(() => parseLegacyTopics(json)).toThrow('LEGACY_TOPICS is no list of ARNs of SNS topics');
    },
  );
});
