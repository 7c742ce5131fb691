// What a queue's function hands back, and what it says of it.
import type { SQSEvent } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { BrokenInvariant, type SafeFacts, Unavailable } from '../../lambdas/domain/failure.ts';
import { type QueueMessage, queueHandler } from '../../lambdas/runtime/queue.ts';

const LEFT_MS = 60_000;

/** Runs a batch of bodies: what was handed back, handled and logged. */
async function run(bodies: readonly string[], leftMs = () => LEFT_MS) {
  const seen: QueueMessage[] = [];
  const logged: { level: string; code: string; facts: SafeFacts | undefined }[] = [];
  const note = (level: string) => (code: string, facts?: SafeFacts) => void logged.push({ level, code, facts });
  const handler = queueHandler(
    { info: note('info'), warn: note('warn'), error: note('error') },
    'Done',
    async (message) => {
      seen.push(message);
      if (message.body === 'busy') throw new Unavailable('DatabaseBusy', 'secret');
      if (message.body === 'broken') throw new BrokenInvariant('ItemMalformed', 'secret');
      if (message.body === 'odd') throw new TypeError('secret');
      return message.body === 'poison'
        ? { kind: 'refused', facts: { refused: 'notJson' } }
        : { kind: 'done', facts: { outcome: 'applied' } };
    },
  );
  const event = {
    Records: bodies.map((body, index) => ({
      messageId: `m${index}-${body}`,
      body,
      attributes: { SentTimestamp: '1789999200123' },
    })),
  } as unknown as SQSEvent;
  const { batchItemFailures } = await handler(event, { awsRequestId: 'r', getRemainingTimeInMillis: leftMs });
  return { failed: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier), seen, logged };
}

describe('a batch of a queue', () => {
  test('hands back what failed and what was refused, and nothing beside them', async () => {
    const { failed, seen } = await run(['one', 'busy', 'two', 'poison', 'broken', 'odd', 'three']);

    expect(failed).toEqual(['m1-busy', 'm3-poison', 'm4-broken', 'm5-odd']);
    expect(seen).toHaveLength(7);
    expect(seen[0]).toEqual({ body: 'one', sentAtMs: 1_789_999_200_123 });
  });

  test('says of each by itself why, and repeats nothing of it', async () => {
    const { logged } = await run(['one', 'busy', 'poison', 'odd']);

    expect(logged.map(({ level, code }) => `${level} ${code}`)).toEqual([
      'info Done',
      'error MessageFailed',
      'error MessageRefused',
      'error MessageFailed',
    ]);
    expect(logged[1]?.facts).toMatchObject({
      run: 'Done',
      messageId: 'm1-busy',
      failureCode: 'DatabaseBusy',
      retryable: true,
    });
    expect(logged[2]?.facts).toMatchObject({ refused: 'notJson' });
    expect(JSON.stringify(logged)).not.toContain('secret');
  });

  test('leaves to the next delivery what there is no time for', async () => {
    let left = 25_000;

    const { failed, seen } = await run(['one', 'two', 'three', 'four'], () => {
      left -= 8_000;
      return left;
    });

    expect(seen.map(({ body }) => body)).toEqual(['one']);
    expect(failed).toEqual(['m1-two', 'm2-three', 'm3-four']);
  });
});
