// Reads:       SNS's request to confirm a subscription of the queue of notices, and the topics of the settings
// Writes:      the subscription, at SNS
// Once per:    token: SNS answers one that was used as it did the first time
// If it stops: the queue delivers the request again
import type { ConfirmationRequest, TopicSubscriptions } from './notice-ports.ts';

export interface ConfirmTopicPorts {
  readonly subscriptions: TopicSubscriptions;
  /** The topics to which the publishing account subscribes the queue. */
  readonly legacyTopics: readonly string[];
}

export type TopicConfirmed =
  | { readonly kind: 'confirmed' }
  /** Not one of ours: SNS is not asked. */
  | { readonly kind: 'foreignTopic' }
  /** SNS said no, as it does of a token that is too old. */
  | { readonly kind: 'refused'; readonly code: string };

/** Confirms the subscription to a topic that the settings name, and to no other. A repeat changes nothing. */
export async function confirmTopic(
  { subscriptions, legacyTopics }: ConfirmTopicPorts,
  request: ConfirmationRequest,
): Promise<TopicConfirmed> {
  if (!legacyTopics.includes(request.topicArn)) return { kind: 'foreignTopic' };
  return subscriptions.confirm(request);
}
