import type { SQSEvent } from 'aws-lambda';
import { expect, test } from 'vitest';
import { LocalQueue, type QueueFunction } from '../../local/local-queue.ts';

function aQueue(maxReceives = 100) {
  const letters: unknown[] = [];
  const time = { nowMs: 0 };
  const queue = new LocalQueue({
    name: 'queue',
    clock: () => time.nowMs,
    maxReceives,
    onDeadLetter: (letter) => void letters.push(letter),
  });
  return { queue, time, letters };
}

/** A function that hands back what it is told to, and keeps what it was brought. */
function aFunction(refuses: (body: string) => boolean = () => false) {
  const brought: SQSEvent['Records'][] = [];
  const take: QueueFunction = async ({ Records }) => {
    brought.push(Records);
    const refused = Records.filter(({ body }) => refuses(body));
    return { batchItemFailures: refused.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
  return { take, brought, bodies: () => brought.map((batch) => batch.map(({ body }) => body)) };
}

test('Messages come in the order in which they were sent, five at most, and once', async () => {
  const { queue } = aQueue();
  for (let number = 1; number <= 12; number++) queue.send(String(number), 1_000 + number);
  const { take, brought, bodies } = aFunction();

  expect(await queue.deliver(take)).toBe(12);

  expect(bodies()).toEqual([
    ['1', '2', '3', '4', '5'],
    ['6', '7', '8', '9', '10'],
    ['11', '12'],
  ]);
  expect(brought[2]?.[1]?.attributes.SentTimestamp).toBe('1012');
  expect(await queue.deliver(take)).toBe(0);
});

test('What was handed back comes again alone, after waits that grow, and is a dead letter in the end', async () => {
  const { queue, time, letters } = aQueue(4);
  for (const body of ['good', 'bad', 'good']) queue.send(body);
  const { take, bodies } = aFunction((body) => body === 'bad');
  const cameAt: number[] = [];

  for (; time.nowMs <= 20_000; time.nowMs += 500) {
    const before = bodies().length;
    await queue.deliver(take);
    if (bodies().length > before) cameAt.push(time.nowMs);
  }

  expect(bodies()).toEqual([['good', 'bad', 'good'], ['bad'], ['bad'], ['bad']]);
  expect(cameAt).toEqual([0, 1_000, 3_000, 7_000]);
  expect(letters).toMatchObject([{ queue: 'queue', receives: 4, body: 'bad' }]);
  expect(queue.deadLetters).toEqual(letters);
});

test('A function that fails as a whole is brought the batch again', async () => {
  const { queue, time } = aQueue();
  queue.send('one');
  const { take, bodies } = aFunction();
  await expect(queue.deliver(() => Promise.reject(new Error('out of memory')))).rejects.toThrow('out of memory');
  expect(await queue.deliver(take)).toBe(0);
  time.nowMs = 1_000;

  expect(await queue.deliver(take)).toBe(1);

  expect(bodies()).toEqual([['one']]);
});

test('A function decides when a message comes again by the handle of that delivery, and an old handle decides nothing', async () => {
  const { queue, time } = aQueue();
  queue.send('one');
  const handles: string[] = [];
  const take: QueueFunction = async ({ Records }) => {
    for (const { receiptHandle } of Records) {
      handles.push(receiptHandle);
      queue.hide(receiptHandle, 3_600);
    }
    return { batchItemFailures: Records.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
  for (const nowMs of [0, 3_599_000, 3_600_000]) {
    time.nowMs = nowMs;
    await queue.deliver(take);
  }

  expect(handles).toHaveLength(2);
  expect(queue.hide(handles[0] ?? '', 0)).toBe(false);
  expect(queue.hide('', 0)).toBe(false);
});
