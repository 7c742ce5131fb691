// What the seller's product is told, against the schema that the docs publish.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDispatch, toBusEntry, toEnvelope } from '../../lambdas/contracts/access-event.ts';
import { eventsOf } from '../../lambdas/domain/access-event.ts';
import { NOTICE_KINDS, type Notice } from '../../lambdas/domain/notice.ts';
import { foldStanding, hasAccess, UNKNOWN_STANDING } from '../../lambdas/domain/standing.ts';
import { EVENT_TYPES, type ToldEvent, troubledUsage } from '../../lambdas/domain/usage-trouble.ts';
import { aSealedHour } from '../builders.ts';
import { schemaProblems } from '../json-schema.ts';
import { aMessage, aNotice, BOUGHT_AT, MINUTE, PURCHASE, RENEWAL } from '../purchase.ts';

const DOCS = join(import.meta.dirname, '../../docs');
const SCHEMA = JSON.parse(readFileSync(join(DOCS, 'events/access-event-1.schema.json'), 'utf8'));
const CUSTOMER = 'cus_AAAAAAAA-AAAAAAAA_AAAAAA';

const problemsOf = (event: unknown) => schemaProblems(SCHEMA, JSON.parse(JSON.stringify(event)));

const anyNotice = fc
  .record({ kind: fc.constantFrom(...NOTICE_KINDS), minutes: fc.nat(6), isLegacy: fc.boolean(), ends: fc.boolean() })
  .map(({ kind, minutes, isLegacy, ends }) =>
    isLegacy
      ? aMessage(kind, minutes, { isFreeTrial: ends })
      : aNotice(kind, minutes, { offerId: 'offer-1', ...(ends ? { endsAt: BOUGHT_AT + 900 * MINUTE } : {}) }),
  );

/** The events of notices that come one after the other, and of the registration between them. */
function storyOf(notices: readonly Notice[], registeredAfter = 1): ToldEvent[] {
  const events: ToldEvent[] = [];
  let before = UNKNOWN_STANDING;
  for (const [index] of notices.entries()) {
    const facts = index >= registeredAfter ? { registeredAt: BOUGHT_AT } : {};
    const { standing } = foldStanding(notices.slice(0, index + 1), facts, BOUGHT_AT + 600 * MINUTE);
    const told = { customerId: CUSTOMER, sequence: events.length, at: BOUGHT_AT + index * MINUTE };
    events.push(...eventsOf(before, standing, told));
    before = standing;
  }
  return events;
}

const STORY = storyOf(RENEWAL);
const HELD: ToldEvent = {
  type: 'usageHeld',
  customerId: CUSTOMER,
  sequence: 7,
  at: BOUGHT_AT,
  standing: UNKNOWN_STANDING,
  usage: troubledUsage(aSealedHour({ status: 'held', reason: 'CustomerNotSubscribed' })),
};

describe('an access event on the wire', () => {
  test('fits the published schema, whatever was told of a customer in whatever order', () => {
    fc.assert(
      fc.property(fc.array(anyNotice, { maxLength: 10 }), fc.nat(10), (notices, registeredAfter) => {
        for (const event of storyOf(notices, registeredAfter)) expect(problemsOf(toEnvelope(event))).toEqual([]);
      }),
    );
  });

  test('fits it when it tells of usage', () => {
    expect(problemsOf(toEnvelope(HELD))).toEqual([]);
    expect(toEnvelope(HELD).data.usage).toEqual({
      hour: '2026-09-21T10:00:00.000Z',
      licenceKey: HELD.usage?.licenceKey,
      dimension: 'requests',
      quantity: 12_500,
      status: 'held',
      reason: 'CustomerNotSubscribed',
      deadlineAt: '2026-09-22T10:00:00.000Z',
    });
  });

  test.each([
    ['a member that is missing', { sequence: undefined }],
    ['another version', { version: 2 }],
    ['a type that is not documented', { type: 'accessPaused' }],
    ['a sequence that is none', { sequence: 0 }],
    ['a time in milliseconds', { at: BOUGHT_AT }],
    ['a member that is not documented', { email: 'buyer@example.com' }],
    ['usage in an event that is not about usage', { data: toEnvelope(HELD).data }],
    ['usage left out of one that is', { type: 'usageHeld' }],
    ['an id with a full stop, at which signed content is parted', { id: 'cus_1.7' }],
  ])('does not fit it with %s', (_claim, change) => {
    const [event] = STORY;
    if (!event) expect.unreachable('The story tells nothing.');
    expect(problemsOf({ ...toEnvelope(event), ...change })).not.toEqual([]);
  });

  test('has every type in the schema, and the schema has no other', () => {
    const { standingEvent, usageEvent } = SCHEMA.$defs;
    const documented = [...standingEvent.properties.type.enum, ...usageEvent.properties.type.enum];
    expect(documented.sort()).toEqual([...EVENT_TYPES].sort());
  });

  test('says by itself whether the customer has access', () => {
    for (const event of storyOf(PURCHASE)) {
      expect(toEnvelope(event).data.standing.hasAccess).toBe(hasAccess(event.standing));
    }
    expect(storyOf(PURCHASE).map((event) => toEnvelope(event).data.standing.hasAccess)).toContain(true);
  });

  test('stands on the bus under its type and is read back from the queue of webhooks to the byte', () => {
    for (const event of [...STORY, HELD]) {
      const { detailType, detail } = toBusEntry(event);
      expect(detailType).toBe(event.type);
      // As a rule of the bus puts it together.
      expect(readDispatch(`{"endpoint":"crm","event":${detail}}`)).toEqual({
        kind: 'read',
        dispatch: {
          endpoint: 'crm',
          customerId: CUSTOMER,
          sequence: event.sequence,
          type: event.type,
          body: detail,
        },
      });
    }
  });

  test.each(['', 'null', '{}', '{"endpoint":"crm","event":{"version":2}}', `{"event":${toBusEntry(HELD).detail}}`])(
    'is refused as a message of the queue where that is %s',
    (body) => {
      expect(readDispatch(body)).toMatchObject({ kind: 'refused' });
    },
  );

  test('stands in the docs as it is', () => {
    const page = readFileSync(join(DOCS, 'access-events.md'), 'utf8');
    const examples = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json = '']) => JSON.parse(json));
    const events = examples.filter((example) => 'sequence' in example);

    expect(events.length).toBeGreaterThanOrEqual(2);
    for (const event of events) expect(problemsOf(event)).toEqual([]);
    for (const type of EVENT_TYPES) expect(page).toContain(`\`${type}\``);
  });
});
