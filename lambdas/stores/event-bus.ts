// The EventBridge bus on which the seller's product is told.
import {
  EventBridgeClient,
  type EventBridgeClientConfig,
  PutEventsCommand,
  type PutEventsRequestEntry,
} from '@aws-sdk/client-eventbridge';
import { SECOND_MS } from '../domain/hour.ts';
import type { ToldEvent } from '../domain/usage-trouble.ts';
import type { EventBus, PutAnswer } from '../flow/access-ports.ts';

/** EventBridge quotas: entries of a call, and less than 256 KB together as AWS counts it; some is left for framing. */
const MOST_ENTRIES = 10;
const MOST_BYTES = 240_000;

const TOO_LARGE = 'EventTooLarge';

/** Answers about one entry, whichever others there are: ours, and EventBridge's. */
const OF_THE_EVENT: ReadonlySet<string> = new Set([TOO_LARGE, 'InvalidArgument', 'MalformedDetail']);

/** What AWS counts for an entry's time. */
const TIME_BYTES = 14;

/** An event as the bus carries it. */
interface BusEntry {
  readonly source: string;
  readonly detailType: string;
  /** JSON. */
  readonly detail: string;
}

interface BusSource {
  readonly client: EventBridgeClient;
  /** Name or ARN. */
  readonly bus: string;
  readonly toEntry: (event: ToldEvent) => BusEntry;
}

interface BusClientSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials?: NonNullable<EventBridgeClientConfig['credentials']>;
}

export function eventBridgeClient(settings: BusClientSettings): EventBridgeClient {
  return new EventBridgeClient({
    ...settings,
    maxAttempts: 3,
    requestHandler: { connectionTimeout: SECOND_MS, requestTimeout: 3 * SECOND_MS, throwOnRequestTimeout: true },
  });
}

export class EventBridgeBus implements EventBus {
  readonly #source: BusSource;

  constructor(source: BusSource) {
    this.#source = source;
  }

  async put(events: readonly ToldEvent[]): Promise<readonly PutAnswer[]> {
    const answers: PutAnswer[] = [];
    for (const entries of cutCalls(events.map((event) => this.#entry(event))))
      answers.push(...(await this.#call(entries)));
    return answers;
  }

  #entry(event: ToldEvent): PutEventsRequestEntry {
    const { source, detailType, detail } = this.#source.toEntry(event);
    return {
      EventBusName: this.#source.bus,
      Source: source,
      DetailType: detailType,
      Detail: detail,
      Time: new Date(event.at),
    };
  }

  async #call(entries: readonly PutEventsRequestEntry[]): Promise<readonly PutAnswer[]> {
    const refused = (code: string): PutAnswer => {
      return OF_THE_EVENT.has(code) ? { kind: 'refused', code, isOwn: true } : { kind: 'refused', code };
    };
    if (entries.length === 1 && entries.some((entry) => bytesOf(entry) > MOST_BYTES)) return [refused(TOO_LARGE)];
    try {
      const { Entries = [] } = await this.#source.client.send(new PutEventsCommand({ Entries: [...entries] }));
      // AWS answers in the order of the call, entry by entry; only an event id says that one was taken.
      return entries.map((_, index) => {
        const answer = Entries[index];
        return answer?.EventId ? { kind: 'taken' } : refused(answer?.ErrorCode ?? 'AnswerMissing');
      });
    } catch (error) {
      return entries.map(() => refused(error instanceof Error ? error.name : 'Unknown'));
    }
  }
}

/** Cuts entries, in order, into calls that the bus takes; one that is too large by itself stands alone. */
function cutCalls(entries: readonly PutEventsRequestEntry[]): PutEventsRequestEntry[][] {
  const calls: PutEventsRequestEntry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const own = bytesOf(entry);
    const call = calls.at(-1);
    if (call && call.length < MOST_ENTRIES && bytes + own <= MOST_BYTES) {
      call.push(entry);
      bytes += own;
    } else {
      calls.push([entry]);
      bytes = own;
    }
  }
  return calls;
}

function bytesOf({ Source = '', DetailType = '', Detail = '' }: PutEventsRequestEntry): number {
  return TIME_BYTES + [Source, DetailType, Detail].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}
