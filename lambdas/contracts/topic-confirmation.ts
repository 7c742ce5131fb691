// SNS's question whether a queue wants what a topic publishes: put into the queue where its owner did not subscribe it.
import * as v from 'valibot';
import { Misconfigured } from '../domain/failure.ts';
import type { ConfirmationRequest } from '../flow/notice-ports.ts';

/** Where its `SubscribeURL` leads is the sender's choice: it is never read. */
const ConfirmationSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    Type: v.literal('SubscriptionConfirmation'),
    TopicArn: v.pipe(v.string(), v.nonEmpty()),
    Token: v.pipe(v.string(), v.nonEmpty(), v.maxLength(4_096)),
  }),
);

const LegacyTopicsSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.array(v.pipe(v.string(), v.regex(/^arn:aws:sns:[a-z0-9-]+:\d{12}:[\w-]+$/))),
);

/** Reads the body of a queue's message: `undefined` where it asks for no confirmation, or not as SNS does. */
export function readConfirmation(body: string): ConfirmationRequest | undefined {
  const { success, output } = v.safeParse(ConfirmationSchema, body);
  return success ? { topicArn: output.TopicArn, token: output.Token } : undefined;
}

/** Reads the LEGACY_TOPICS setting: the topics whose subscriptions are to be confirmed. Throws Misconfigured. */
export function parseLegacyTopics(json: string): readonly string[] {
  const parsed = v.safeParse(LegacyTopicsSchema, json);
  if (parsed.success) return parsed.output;
  throw new Misconfigured(
    'SettingMalformed',
    'LEGACY_TOPICS is no list of ARNs of SNS topics: deploy the function through its stack, which supplies it.',
    { facts: { setting: 'LEGACY_TOPICS' } },
  );
}
