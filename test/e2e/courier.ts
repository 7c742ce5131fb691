// AWS's side of notices: each one that the simulator sends goes onto the account's default bus, or to its SNS topic.
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { ControlClient } from '../../operator/control-client.ts';
import type { Aws } from './aws.ts';
import { ACCOUNT, CREDENTIALS, REGION } from './emulator.ts';

interface SentNotice {
  readonly channel: 'eventbridge' | 'sns';
  readonly body: string;
}

export const legacyTopic = (topic: 'subscription' | 'entitlement', productCode: string) =>
  `aws-mp-${topic}-notification-${productCode}`;

export const topicArn = (name: string) => `arn:aws:sns:${REGION}:${ACCOUNT}:${name}`;

export class Courier {
  readonly #control: Pick<ControlClient, 'get'>;
  readonly #aws: Aws;
  readonly #bus: EventBridgeClient;
  #after = 0;

  constructor(control: Pick<ControlClient, 'get'>, aws: Aws, endpoint: string) {
    this.#control = control;
    this.#aws = aws;
    this.#bus = new EventBridgeClient({ region: REGION, endpoint, credentials: CREDENTIALS });
  }

  /** Brings what is new, in order; gives how many notices went by each channel. */
  async carry(): Promise<Readonly<Record<SentNotice['channel'], number>>> {
    const carried = { eventbridge: 0, sns: 0 };
    for (;;) {
      const path = `/control/notices?after=${this.#after}`;
      const { notices, next } = await this.#control.get<{ notices: SentNotice[]; next: number }>(path);
      if (notices.length === 0) return carried;
      for (const notice of notices) {
        await (notice.channel === 'sns' ? this.#publish(notice.body) : this.#put(notice.body));
        carried[notice.channel]++;
      }
      this.#after = next;
    }
  }

  close(): void {
    this.#bus.destroy();
  }

  async #put(body: string): Promise<void> {
    const event = JSON.parse(body);
    const { FailedEntryCount, Entries } = await this.#bus.send(
      new PutEventsCommand({
        Entries: [
          {
            Source: event.source,
            DetailType: event['detail-type'],
            Detail: JSON.stringify(event.detail),
            Resources: event.resources,
            Time: new Date(event.time),
          },
        ],
      }),
    );
    if (FailedEntryCount !== 0) throw new Error(`The bus refused a notice: ${JSON.stringify(Entries)}`);
  }

  /** The topic is AWS's, in an account of AWS; here it stands in the only account that there is. */
  async #publish(body: string): Promise<void> {
    const { TopicArn, Message } = JSON.parse(body) as { readonly TopicArn: string; readonly Message: string };
    const name = TopicArn.split(':').at(-1) ?? '';
    const answer = await this.#aws.query('sns', 'Publish', { TopicArn: topicArn(name), Message });
    if (!answer.includes('<MessageId>')) throw new Error(`The topic ${name} refused a notice: ${answer}`);
  }
}
