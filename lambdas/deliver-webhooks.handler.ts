// The queue of webhooks: posts each event to its endpoint, and has it come again for as long as it is to be tried.
import { readDispatch } from './contracts/access-event.ts';
import { parseWebhookSecrets, parseWebhooks } from './contracts/webhook-settings.ts';
import { accessEventId } from './domain/delivery.ts';
import type { WebhookPoster } from './flow/access-ports.ts';
import { deliverWebhook } from './flow/deliver-webhook.ts';
import { clientSettings } from './runtime/aws-client.ts';
import { built, type Surroundings } from './runtime/handler.ts';
import { unmeasured } from './runtime/metric.ts';
import { queueHandler } from './runtime/queue.ts';
import { readSettings } from './runtime/settings.ts';
import { postWebhook, targetProblem } from './runtime/webhook-target.ts';
import { queueClient, SqsDeliveryQueue } from './stores/delivery-queue.ts';
import { DynamoDeliveryStore } from './stores/delivery-store.ts';
import { dynamoClient } from './stores/dynamo.ts';
import { secretsClient } from './stores/session-keys.ts';
import { WebhookSecrets } from './stores/webhook-secrets.ts';

/** `post` reaches no place inside of anybody's network, unless another is handed in. */
export function createDeliverWebhooksHandler(
  { environment, clock, log, measure = unmeasured }: Surroundings,
  post: WebhookPoster = postWebhook,
) {
  const settings = readSettings('deliver-webhooks', environment);
  const endpoints = parseWebhooks(settings.WEBHOOKS, targetProblem);
  const secrets = new WebhookSecrets({
    client: secretsClient(clientSettings(environment, 'SECRETS_MANAGER')),
    parse: parseWebhookSecrets,
    clock,
  });
  const queue = new SqsDeliveryQueue(queueClient(clientSettings(environment, 'SQS')), settings.WEBHOOKS_QUEUE);
  const ports = {
    deliveries: new DynamoDeliveryStore(
      dynamoClient(clientSettings(environment, 'DYNAMODB')),
      settings.DELIVERIES_TABLE,
    ),
    endpoints: new Map(endpoints.map((endpoint) => [endpoint.name, endpoint])),
    keys: (secretArn: string) => secrets.keys(secretArn),
    post,
    clock,
    chance: Math.random,
    log,
  };

  return queueHandler(log, 'WebhookTried', async ({ body, receiptHandle }) => {
    const reading = readDispatch(body);
    if (reading.kind === 'refused') return { kind: 'refused', facts: { reason: reading.reason } };
    const { dispatch } = reading;
    const delivered = await deliverWebhook(ports, dispatch);
    const { kind, ...rest } = delivered;
    const isGivenUp = delivered.kind === 'settled' && delivered.status !== 'delivered';
    measure('deliver-webhooks', { WebhooksGivenUp: isGivenUp ? 1 : 0 });
    const facts = { endpoint: dispatch.endpoint, eventId: accessEventId(dispatch), ...rest };
    if (kind === 'settled') return { kind: 'done', facts };
    await queue.hide(receiptHandle, delivered.inSeconds);
    return { kind: 'again', facts };
  });
}

export const handler = built(createDeliverWebhooksHandler);
