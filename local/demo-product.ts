// A seller's product as small as can be: it hears the access events on the bus and shows what it knows.
import type { APIGatewayProxyResult } from 'aws-lambda';
import type { AccessEventEnvelope } from '../lambdas/contracts/access-event.ts';
import type { Log } from '../lambdas/runtime/log.ts';
import type { BusEvent } from './messaging.ts';

/** Enough to look at. */
const EVENTS_KEPT = 1_000;

export class DemoProduct {
  readonly #log: Log;
  /** The newest event of each customer: its standing is all that a product has to keep. */
  readonly #known = new Map<string, AccessEventEnvelope>();
  readonly #heard: AccessEventEnvelope[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  readonly hear = ({ detail }: BusEvent): void => {
    const event = JSON.parse(detail) as AccessEventEnvelope;
    const { customerId, sequence, type } = event;
    this.#heard.push(event);
    if (this.#heard.length > EVENTS_KEPT) this.#heard.shift();
    // Told twice, or overtaken: what is known is as new or newer.
    if (sequence <= (this.#known.get(customerId)?.sequence ?? 0)) return;
    this.#known.set(customerId, event);
    this.#log.info('AccessEventHeard', { type, customerId, sequence });
  };

  /** `GET /demo/access-events`: what each customer may do now, and the events that told so, newest first. */
  readonly show = async (): Promise<APIGatewayProxyResult> => {
    const customers = [...this.#known.values()].map(({ customerId, sequence, data: { standing } }) => {
      return { customerId, sequence, hasAccess: standing.hasAccess, state: standing.state };
    });
    return jsonPage({ customers, events: this.#heard.toReversed() });
  };
}

/** JSON that a person reads in a browser. */
export function jsonPage(value: unknown): APIGatewayProxyResult {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { statusCode: 200, headers, body: `${JSON.stringify(value, undefined, 2)}\n` };
}
