// The queue of mail: an access event as the bus carries it.
import * as v from 'valibot';
import type { MailEvent } from '../flow/mail-ports.ts';

const Name = v.pipe(v.string(), v.regex(/^[\w-]{1,200}$/));

const EventSchema = v.looseObject({
  version: v.literal(1),
  type: Name,
  customerId: Name,
  sequence: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  at: v.pipe(v.string(), v.isoTimestamp()),
  data: v.looseObject({
    usage: v.exactOptional(
      v.looseObject({
        hour: v.string(),
        dimension: v.string(),
        quantity: v.number(),
        reason: v.exactOptional(v.string()),
        deadlineAt: v.string(),
      }),
    ),
  }),
});

export type MailEventReading =
  | { readonly kind: 'read'; readonly event: MailEvent }
  | { readonly kind: 'refused'; readonly reason: string };

/** Reads a message of the queue of mail. */
export function readMailEvent(body: string): MailEventReading {
  const read = v.safeParse(v.pipe(v.string(), v.parseJson(), EventSchema), body);
  if (!read.success) {
    const wrong = read.issues.map((issue) => `${v.getDotPath(issue) ?? 'the whole'}: ${issue.type}`).join('; ');
    return { kind: 'refused', reason: wrong.slice(0, 500) };
  }
  const { customerId, sequence, type, at, data } = read.output;
  return {
    kind: 'read',
    event: { customerId, sequence, type, at: Date.parse(at), body, ...(data.usage ? { usage: data.usage } : {}) },
  };
}
