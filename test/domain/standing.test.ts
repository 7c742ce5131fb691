// The fold of notices into a standing, and its table of moves.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventsOf } from '../../lambdas/domain/access-event.ts';
import { NOTICE_KINDS, type Notice } from '../../lambdas/domain/notice.ts';
import {
  ALLOWED_MOVES,
  foldStanding,
  hasAccess,
  MOVE_OF,
  MOVES,
  TERM_STATES,
  UNKNOWN_STANDING,
} from '../../lambdas/domain/standing.ts';
import { aMessage, aNotice, BOUGHT_AT, MESSAGES, MINUTE, NEXT_ARN, PURCHASE, RENEWAL } from '../purchase.ts';

const LATER = BOUGHT_AT + 600 * MINUTE;

function standingOf(notices: readonly Notice[], nowMs = LATER) {
  return foldStanding(notices, {}, nowMs).standing;
}

/** The states after each of the notices. */
function statesOf(notices: readonly Notice[]): string[] {
  return notices.map((_, index) => standingThen(notices.slice(0, index + 1)).state);
}

/** As it was told when the last of the notices came. */
function standingThen(notices: readonly Notice[]) {
  return standingOf(notices, Math.max(BOUGHT_AT, ...notices.map(({ atMs }) => atMs)));
}

const anyNotice = fc
  .record({
    kind: fc.constantFrom(...NOTICE_KINDS),
    minutes: fc.nat(6),
    agreementId: fc.constantFrom('agmt-a', 'agmt-b', undefined),
  })
  .map(({ kind, minutes, agreementId }) =>
    agreementId === undefined ? aMessage(kind, minutes) : aNotice(kind, minutes, { agreementId }),
  );

describe('a standing', () => {
  test('is the same for any order of the notices and however often each came', () => {
    const some = fc.array(anyNotice, { maxLength: 12 });
    fc.assert(
      fc.property(
        some.chain((notices) => fc.tuple(fc.constant(notices), shuffled(notices))),
        ([notices, disordered]) => {
          expect(foldStanding(disordered, {}, LATER)).toEqual(foldStanding(notices, {}, LATER));
        },
      ),
    );
  });

  test('gives access only once AWS has said that a licence is active', () => {
    fc.assert(
      fc.property(fc.array(anyNotice, { maxLength: 12 }), (notices) => {
        const silent = notices.filter(({ kind }) => MOVE_OF[kind] !== 'started');
        expect(hasAccess(standingOf(silent))).toBe(false);
      }),
    );
  });

  test('gives no access after the end of its only agreement, whatever is told later', () => {
    fc.assert(
      fc.property(fc.array(anyNotice, { maxLength: 12 }), (notices) => {
        const own = notices.filter(
          ({ agreementId, kind }) => agreementId === 'agmt-a' && kind !== 'agreementSucceeded',
        );
        const ended = [...own, aNotice('licenceDeprovisioned', 0)];
        expect(standingOf(ended).state).not.toMatch(/active|ending/);
      }),
    );
  });

  test('waits for the licence, runs, ends and has ended', () => {
    expect(statesOf(PURCHASE)).toEqual(['awaitingLicence', 'active', 'ending', 'ended']);
    expect(statesOf(MESSAGES)).toEqual(['active', 'ending', 'ended']);
  });

  test('hears a change that both channels tell once', () => {
    const both = [...PURCHASE, ...MESSAGES].sort((a, b) => a.atMs - b.atMs);

    const events = both.flatMap((_, index) =>
      eventsOf(standingThen(both.slice(0, index)), standingThen(both.slice(0, index + 1)), {
        customerId: 'cus_1',
        sequence: 0,
        at: LATER,
      }),
    );

    expect(events.map(({ type }) => type)).toEqual(['accessChanged', 'accessGranted', 'accessEnding', 'accessRevoked']);
  });

  test('is kept through a renewal: neither the end of the old agreement nor of its licence cuts access', () => {
    expect(statesOf(RENEWAL)).toEqual(['awaitingLicence', 'active', 'active', 'active', 'active', 'active']);
    expect(standingOf(RENEWAL.slice(0, 5)).marks).toEqual(['awaitingSuccessor']);
    expect(standingOf(RENEWAL).marks).toEqual([]);
  });

  test('ends with the agreement that succeeded the first', () => {
    const ended = [
      ...RENEWAL,
      aNotice('agreementEnded', 200, { agreementId: 'agmt-b', status: 'EXPIRED' }),
      aNotice('licenceDeprovisioned', 201, { agreementId: 'agmt-b', licenceArn: NEXT_ARN }),
    ];

    expect(statesOf(ended).slice(-2)).toEqual(['ending', 'ended']);
  });

  test('begins when the agreement does, not when it was signed', () => {
    const startsAt = BOUGHT_AT + 60 * MINUTE;
    const signed = [aNotice('agreementCreated', 0, { startsAt }), aNotice('licenceUpdated', 1)];

    expect(foldStanding(signed, {}, startsAt - 1)).toMatchObject({
      standing: { state: 'scheduled' },
      changesAt: startsAt,
    });
    const begun = foldStanding(signed, {}, startsAt);
    expect(begun.standing.state).toBe('active');
    expect(begun.changesAt).toBeUndefined();
  });

  test('is not put off by an amendment that begins later, but by one that comes before the beginning', () => {
    const startsAt = BOUGHT_AT + 60 * MINUTE;
    const amended = aNotice('agreementAmended', 30, { intent: 'AMEND', startsAt });
    const signed = aNotice('agreementCreated', 0, { startsAt: startsAt - MINUTE });

    const running = [aNotice('agreementCreated', 0), aNotice('licenceUpdated', 1), amended];
    expect(standingOf(running, startsAt - 1).state).toBe('active');
    const ahead = [signed, aNotice('licenceUpdated', 1), amended];
    expect(standingOf(ahead, startsAt - 1).state).toBe('scheduled');
  });

  test('runs again when the buyer subscribes again, though the end before was never finished', () => {
    const again = [aMessage('subscribed', 0), aMessage('unsubscribePending', 10), aMessage('subscribed', 12)];

    expect(statesOf(again)).toEqual(['active', 'ending', 'active']);
    expect(foldStanding(again, {}, LATER).terms).toMatchObject([{ state: 'ending' }, { state: 'active' }]);
  });

  test('is not ended by the late end of the agreement before, where the buyer has subscribed again', () => {
    const again = [
      aNotice('licenceUpdated', 0),
      aNotice('agreementEnded', 10),
      aMessage('subscribed', 11),
      aNotice('licenceDeprovisioned', 12),
      aNotice('licenceUpdated', 13, { agreementId: 'agmt-b' }),
    ];

    expect(statesOf(again)).toEqual(['active', 'ending', 'active', 'active', 'active']);
    expect(foldStanding(again, {}, LATER).terms.map(({ agreementId }) => agreementId)).toEqual(['agmt-a', 'agmt-b']);
  });

  test('is not held back by a pending end of the legacy channel, where the other tells of a new agreement', () => {
    const again = [
      aMessage('subscribed', 0),
      aMessage('unsubscribePending', 10),
      aNotice('agreementCreated', 20, { agreementId: 'agmt-b' }),
      aNotice('licenceUpdated', 21, { agreementId: 'agmt-b' }),
    ];

    expect(statesOf(again)).toEqual(['active', 'ending', 'ending', 'active']);
  });

  test('still awaits the successor where an older agreement of the same customer has ended', () => {
    const renewed = [
      aNotice('licenceUpdated', 0),
      aNotice('licenceDeprovisioned', 5),
      aNotice('licenceUpdated', 10, { agreementId: 'agmt-b' }),
      aNotice('agreementSucceeded', 20, { agreementId: 'agmt-b' }),
    ];

    expect(standingOf(renewed)).toMatchObject({ state: 'active', marks: ['awaitingSuccessor'] });
  });

  test('names the customer that it was joined into only while nothing of its own is left', () => {
    const facts = { joinedInto: 'cus_1' };

    expect(foldStanding([], facts, LATER).standing.joinedInto).toBe('cus_1');
    expect(foldStanding(PURCHASE, facts, LATER).standing.joinedInto).toBeUndefined();
  });

  test('tells what a person should know without cutting access', () => {
    const marked = [
      aNotice('licenceUpdated', 1),
      aNotice('advisoryIssued', 2),
      aNotice('cancellationRequested', 3),
      aNotice('spendVetFailed', 4),
    ];

    expect(standingOf(marked)).toMatchObject({
      state: 'active',
      marks: ['advisory', 'cancellationRequested', 'spendVetFailed'],
    });
    expect(standingOf([...marked, aNotice('advisoryResolved', 5), aNotice('cancellationDropped', 6)]).marks).toEqual([
      'spendVetFailed',
    ]);
  });

  test('is not moved by what it does not know', () => {
    const active = standingOf([aNotice('licenceUpdated', 1)]);

    expect(standingOf([aNotice('licenceUpdated', 1), aNotice('recorded', 2)])).toEqual(active);
    expect(eventsOf(active, active, { customerId: 'cus_1', sequence: 3, at: LATER })).toEqual([]);
  });

  test('that never changed is the one that is presumed before the first notice', () => {
    expect(standingOf([])).toEqual(UNKNOWN_STANDING);
  });
});

describe('the table of moves', () => {
  test('leads nowhere out of an end', () => {
    expect(ALLOWED_MOVES.ended).toEqual({});
  });

  test('stands in docs/lifecycle.md as it is', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/lifecycle.md'), 'utf8');
    const rows = TERM_STATES.map((state) => [state, ...MOVES.map((move) => ALLOWED_MOVES[state][move] ?? '·')]);
    const table = [['', ...MOVES], ['---', ...MOVES.map(() => '---')], ...rows];

    expect(page).toContain(table.map((cells) => `| ${cells.join(' | ')} |`).join('\n'));
  });

  test('stands there with the notices that make each move', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/lifecycle.md'), 'utf8');

    for (const [kind, move] of Object.entries(MOVE_OF))
      expect(page).toMatch(new RegExp(`\\| \`${kind}\` \\|.*\\| ${move} \\|`));
    for (const kind of NOTICE_KINDS) expect(page).toContain(`\`${kind}\``);
  });
});

function shuffled(notices: readonly Notice[]): fc.Arbitrary<Notice[]> {
  const twice = [...notices, ...notices];
  return fc.shuffledSubarray(twice, { minLength: twice.length });
}
