// The bus over the wire: what it took is told from what it did not, and no call is larger than AWS allows.
import { describe, expect, onTestFinished, test } from 'vitest';
import { toBusEntry } from '../../lambdas/contracts/access-event.ts';
import { UNKNOWN_STANDING } from '../../lambdas/domain/standing.ts';
import type { ToldEvent } from '../../lambdas/domain/usage-trouble.ts';
import { EventBridgeBus, eventBridgeClient } from '../../lambdas/stores/event-bus.ts';
import { at } from '../builders.ts';
import { named, startAwsServices } from '../doubles/aws-services.ts';

interface Entry {
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
  readonly EventBusName: string;
  readonly Time: number;
}

const anEvent = (sequence: number, overrides: Partial<ToldEvent> = {}): ToldEvent => ({
  type: 'accessGranted',
  customerId: 'cus_a',
  sequence,
  at: at('2026-09-21T10:05:00.250Z'),
  standing: UNKNOWN_STANDING,
  ...overrides,
});

/** So many bytes of standing. */
const large = (bytes: number): Partial<ToldEvent> => ({
  standing: { ...UNKNOWN_STANDING, agreements: [{ state: 'active', licenceKeys: [], offerId: 'ü'.repeat(bytes / 2) }] },
});

async function aBus(answer: (entries: readonly Entry[]) => object | Error) {
  const calls: Entry[][] = [];
  const aws = await startAwsServices({
    PutEvents: ({ Entries }) => {
      calls.push(Entries as Entry[]);
      return answer(Entries as Entry[]);
    },
  });
  onTestFinished(aws.close);
  const credentials = { accessKeyId: 'AKIALOCAL', secretAccessKey: 'local' };
  const client = eventBridgeClient({ region: 'us-east-1', endpoint: aws.url, credentials });
  onTestFinished(() => client.destroy());
  return { bus: new EventBridgeBus({ client, bus: 'product-events', toEntry: toBusEntry }), calls };
}

const allTaken = (entries: readonly Entry[]) => ({
  FailedEntryCount: 0,
  Entries: entries.map((_, index) => ({ EventId: `event-${index}` })),
});

describe('the bus', () => {
  test('is given each event with its type, time and envelope', async () => {
    const { bus, calls } = await aBus(allTaken);

    expect(await bus.put([anEvent(1)])).toEqual([{ kind: 'taken' }]);

    const [entry] = calls.flat();
    expect(entry).toMatchObject({
      EventBusName: 'product-events',
      Source: 'marketplace-fulfillment',
      DetailType: 'accessGranted',
    });
    expect(JSON.parse(entry?.Detail ?? '')).toMatchObject({ version: 1, id: 'cus_a_1', sequence: 1 });
    expect(Math.floor(entry?.Time ?? 0)).toBe(at('2026-09-21T10:05:00Z') / 1_000);
  });

  test('tells entry by entry what it took, though the call as a whole succeeded', async () => {
    const { bus } = await aBus((entries) => ({
      FailedEntryCount: 2,
      Entries: entries.map((_, index) =>
        index === 1
          ? { ErrorCode: 'ThrottlingException', ErrorMessage: 'slow down' }
          : index === 2
            ? {}
            : { EventId: 'e' },
      ),
    }));

    expect(await bus.put([1, 2, 3, 4].map((each) => anEvent(each)))).toEqual([
      { kind: 'taken' },
      { kind: 'refused', code: 'ThrottlingException' },
      { kind: 'refused', code: 'AnswerMissing' },
      { kind: 'taken' },
    ]);
  });

  test.each<[string, () => object | Error, string]>([
    ['an answer that lists nothing', () => ({}), 'AnswerMissing'],
    ['a refusal of the call', () => named('AccessDeniedException'), 'AccessDeniedException'],
    ['a bus that is not there', () => named('ResourceNotFoundException'), 'ResourceNotFoundException'],
  ])('took nothing by %s', async (_claim, answer, code) => {
    const { bus } = await aBus(answer);

    expect(await bus.put([anEvent(1), anEvent(2)])).toEqual([
      { kind: 'refused', code },
      { kind: 'refused', code },
    ]);
  });

  test('took nothing when nobody is there', async () => {
    const { bus } = await aBus(allTaken);
    const credentials = { accessKeyId: 'AKIALOCAL', secretAccessKey: 'local' };
    const client = eventBridgeClient({ region: 'us-east-1', endpoint: 'http://127.0.0.1:9', credentials });
    onTestFinished(() => client.destroy());
    const nobody = new EventBridgeBus({ client, bus: 'product-events', toEntry: toBusEntry });

    expect(await nobody.put([anEvent(1)])).toMatchObject([{ kind: 'refused' }]);
    expect(await bus.put([])).toEqual([]);
  });

  test('is called with no more than ten entries and less than 256 KB, as AWS counts them', async () => {
    const { bus, calls } = await aBus(allTaken);
    const events = Array.from({ length: 24 }, (_, index) => anEvent(index + 1, index % 3 === 0 ? large(90_000) : {}));

    expect(await bus.put(events)).toHaveLength(24);

    expect(calls.length).toBeGreaterThan(2);
    for (const entries of calls) {
      expect(entries.length).toBeLessThanOrEqual(10);
      const bytes = entries.map((each) => 14 + Buffer.byteLength(each.Source + each.DetailType + each.Detail));
      expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThan(256 * 1_024);
    }
    const sequences = calls.flat().map(({ Detail }) => JSON.parse(Detail).sequence);
    expect(sequences).toEqual(events.map(({ sequence }) => sequence));
  });

  test('is not asked for an event that it could never take; the others are put', async () => {
    const { bus, calls } = await aBus(allTaken);

    expect(await bus.put([anEvent(1), anEvent(2, large(300_000)), anEvent(3)])).toEqual([
      { kind: 'taken' },
      { kind: 'refused', code: 'EventTooLarge', isOwn: true },
      { kind: 'taken' },
    ]);

    expect(calls.flat()).toHaveLength(2);
  });
});
