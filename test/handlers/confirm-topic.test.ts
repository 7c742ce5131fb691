// The queue of notices where another account subscribed it to AWS's topics: SNS over the wire, and what is asked of it.
import { createServer } from 'node:http';
import type { SQSEvent } from 'aws-lambda';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createApplyNoticeHandler } from '../../lambdas/apply-notice.handler.ts';
import type { SafeFacts } from '../../lambdas/domain/failure.ts';
import { confirmationOf, TOKEN, TOPIC } from '../contracts/topic-messages.ts';
import { closed, listening } from '../doubles/aws-services.ts';

/** Nothing listens there: a confirmation asks for nothing but SNS. */
const NOWHERE = 'http://127.0.0.1:1';

interface Answer {
  readonly status: number;
  readonly code?: string;
}

async function aWorld({ legacyTopics = [TOPIC] as readonly string[] } = {}) {
  const asked: { readonly request: string; readonly signature: string | undefined }[] = [];
  const sns: { answers: Answer[]; confirmed: Set<string> } = { answers: [], confirmed: new Set() };
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '', NOWHERE).searchParams;
    asked.push({
      request: `${request.method} ${query.get('Action')} ${query.get('TopicArn')} ${query.get('Token')}`,
      signature: request.headers.authorization,
    });
    const { status, code } = sns.answers.shift() ?? { status: 200 };
    response.writeHead(status, { 'content-type': 'text/xml', ...(status === 302 ? { location: '/elsewhere' } : {}) });
    if (status !== 200) {
      response.end(code ? `<ErrorResponse><Error><Code>${code}</Code></Error></ErrorResponse>` : '');
      return;
    }
    sns.confirmed.add(`${query.get('TopicArn')} ${query.get('Token')}`);
    response.end('<ConfirmSubscriptionResponse/>');
  });
  const snsUrl = await listening(server);
  onTestFinished(() => closed(server));
  const logged: { code: string; facts: SafeFacts | undefined }[] = [];
  const keep = (code: string, facts?: SafeFacts) => void logged.push({ code, facts });
  const handler = createApplyNoticeHandler({
    environment: {
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKIALOCAL',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL: NOWHERE,
      AWS_ENDPOINT_URL_SNS: snsUrl,
      EVENT_BUS: 'access-events',
      MARKETPLACE_ACCESS: '{}',
      LEGACY_TOPICS: JSON.stringify(legacyTopics),
      CUSTOMERS_TABLE: 'customers',
      NOTICES_TABLE: 'notices',
      WORK_TABLE: 'work',
      PRODUCTS: JSON.stringify([{ productCode: 'code', title: 'Example', meteringRegion: 'us-east-1' }]),
    },
    clock: () => 0,
    log: { info: keep, warn: keep, error: keep },
  });
  return {
    asked,
    logged,
    sns,
    stop: () => closed(server),
    /** Delivers a message; whether it was handed back. */
    deliver: async (body: string): Promise<boolean> => {
      const Records = [{ messageId: 'm', body, attributes: { SentTimestamp: '0' } }];
      const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 60_000 };
      const { batchItemFailures } = await handler({ Records } as unknown as SQSEvent, context);
      return batchItemFailures.length > 0;
    },
  };
}

describe('a request to confirm a subscription', () => {
  test('to a topic of the settings is answered to SNS, unsigned, and its token is in no log', async () => {
    const { deliver, asked, logged } = await aWorld();

    expect(await deliver(confirmationOf())).toBe(false);

    expect(asked).toEqual([{ request: `GET ConfirmSubscription ${TOPIC} ${TOKEN}`, signature: undefined }]);
    expect(logged).toEqual([
      { code: 'NoticeApplied', facts: { messageId: 'm', outcome: 'subscriptionConfirmed', topicArn: TOPIC } },
    ]);
  });

  test('that comes again is answered again and changes nothing', async () => {
    const { deliver, sns } = await aWorld();

    expect([await deliver(confirmationOf()), await deliver(confirmationOf())]).toEqual([false, false]);

    expect([...sns.confirmed]).toEqual([`${TOPIC} ${TOKEN}`]);
  });

  test.each([
    ['to a topic that the settings do not name', {}, confirmationOf({ TopicArn: `${TOPIC}x` })],
    ['where the settings name none', { legacyTopics: [] }, confirmationOf()],
  ])('%s is handed back, and SNS is not asked', async (_what, settings, body) => {
    const { deliver, asked, logged } = await aWorld(settings);

    expect(await deliver(body)).toBe(true);

    expect(asked).toEqual([]);
    expect(logged).toMatchObject([{ code: 'MessageRefused', facts: { refused: 'foreignTopic' } }]);
    expect(JSON.stringify(logged)).not.toContain(TOKEN);
  });

  test('without a token is refused like any other message that lacks something', async () => {
    const { deliver, asked, logged } = await aWorld();

    expect(await deliver(confirmationOf({ Token: undefined }))).toBe(true);

    expect(asked).toEqual([]);
    expect(logged).toMatchObject([{ code: 'MessageRefused', facts: { refused: 'memberMissing' } }]);
  });

  test.each([
    [{ status: 400, code: 'InvalidParameter' }, 'InvalidParameter'],
    [{ status: 404, code: 'NotFound' }, 'NotFound'],
    [{ status: 403 }, 'http403'],
  ])('that SNS refuses with %j is handed back with its code, for the dead letters', async (answer, reason) => {
    const { deliver, sns, logged } = await aWorld();
    sns.answers = [answer];

    expect(await deliver(confirmationOf())).toBe(true);

    expect(logged).toMatchObject([
      { code: 'MessageRefused', facts: { refused: 'confirmationRefused', reason, topicArn: TOPIC } },
    ]);
    expect(JSON.stringify(logged)).not.toContain(TOKEN);
  });

  test.each([
    { status: 500, code: 'InternalError' },
    { status: 503 },
    { status: 429 },
    { status: 400, code: 'Throttling' },
    { status: 302 },
  ])('that SNS answers with %j comes again, and is confirmed then', async (answer) => {
    const { deliver, sns, asked, logged } = await aWorld();
    sns.answers = [answer];

    expect([await deliver(confirmationOf()), await deliver(confirmationOf())]).toEqual([true, false]);

    expect(asked).toHaveLength(2);
    expect(logged).toMatchObject([
      { code: 'MessageFailed', facts: { failureCode: 'SubscriptionUnconfirmed', status: answer.status } },
      { code: 'NoticeApplied', facts: { outcome: 'subscriptionConfirmed' } },
    ]);
  });

  test('comes again where SNS can’t be reached, with no token in the log', async () => {
    const { deliver, stop, logged } = await aWorld();
    await stop();

    expect(await deliver(confirmationOf())).toBe(true);

    expect(logged).toMatchObject([
      { code: 'MessageFailed', facts: { failureCode: 'SubscriptionUnconfirmed', retryable: true, topicArn: TOPIC } },
    ]);
    expect(JSON.stringify(logged)).not.toContain(TOKEN);
  });
});
