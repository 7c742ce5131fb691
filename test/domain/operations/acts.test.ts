// What each act makes of a record, and what it refuses.
import { describe, expect, test } from 'vitest';
import { newActionId } from '../../../lambdas/domain/amendment.ts';
import { HOUR_MS } from '../../../lambdas/domain/hour.ts';
import type { SealedHour } from '../../../lambdas/domain/ledger.ts';
import { type Act, actProblem, type Decision } from '../../../lambdas/domain/operations/act.ts';
import { decideCarryOn } from '../../../lambdas/domain/operations/carry-on.ts';
import type { Surroundings } from '../../../lambdas/domain/operations/carry-target.ts';
import { decideCredit } from '../../../lambdas/domain/operations/credit.ts';
import { decideRelease } from '../../../lambdas/domain/operations/release.ts';
import { decideResubmit } from '../../../lambdas/domain/operations/resubmit.ts';
import { decideSettlement } from '../../../lambdas/domain/operations/settle-disputed.ts';
import { decideWithhold } from '../../../lambdas/domain/operations/withhold.ts';
import { aLicence, anHour, aPolicy, aProduct, aSealedHour, aTally, at } from '../../builders.ts';

const NOW = at('2026-09-21T14:20:00Z');
const TOO_LATE = at('2026-09-22T10:00:00Z');
const ACT: Act = { actionId: newActionId(NOW, 'a1'), who: 'kim@example.com', why: 'the fault was mended' };
const ATTEMPTS = { 'a-1': { at: NOW - HOUR_MS } };
const REFUSALS = [{ at: NOW - HOUR_MS, code: 'ThrottlingException' }];

function around(overrides: Partial<Surroundings> = {}): Surroundings {
  return { licence: aLicence(), product: aProduct(), nowMs: NOW, policy: aPolicy(), ...overrides };
}

function amendmentOf(decision: Decision) {
  if (decision.kind === 'refused') throw new Error(decision.message);
  return decision.amendment;
}

const TAGGED = aTally([
  { quantity: 300, tags: { team: 'core' } },
  { quantity: 200, tags: { team: 'edge' } },
  { quantity: 100 },
]);

describe('an act', () => {
  test.each<[Partial<Act>, string | undefined]>([
    [{}, undefined],
    [{ who: ' ' }, 'whoMissing'],
    [{ who: 'x'.repeat(201) }, 'whoMissing'],
    [{ why: '' }, 'whyMissing'],
    [{ why: 'x'.repeat(1_001) }, 'whyMissing'],
    [{ actionId: 'today' }, 'actionIdInvalid'],
    [{ actionId: newActionId(NOW, 'a#b') }, 'actionIdInvalid'],
  ])('says who, why and when: %j is %s', (wrong, code) => {
    expect(actProblem({ ...ACT, ...wrong })?.code).toBe(code);
  });
});

describe('releasing', () => {
  const quarantined = aSealedHour({
    status: 'quarantined',
    reason: 'InvalidTagException',
    nextAttemptAt: NOW + HOUR_MS,
    settledAt: NOW - HOUR_MS,
    attempts: ATTEMPTS,
  });

  test('makes a quarantined record open and due, with its attempts, since AWS may hold it', () => {
    const { after } = amendmentOf(decideRelease(quarantined, ACT, NOW));

    expect(after).toEqual(aSealedHour({ status: 'open', attempts: ATTEMPTS }));
  });

  test.each<[string, SealedHour, number]>([
    ['notQuarantined', aSealedHour(), NOW],
    ['deadlinePassed', quarantined, TOO_LATE],
  ])('is refused as %s', (code, record, nowMs) => {
    expect(decideRelease(record, ACT, nowMs)).toMatchObject({ kind: 'refused', code });
  });
});

describe('settling a dispute', () => {
  const disputed = aSealedHour({ status: 'disputed', reason: 'DuplicateRecord', attempts: ATTEMPTS });

  test('by accepting less gives the rest up, where the books show it', () => {
    const { after, carries } = amendmentOf(
      decideSettlement(disputed, { kind: 'accept', awsQuantity: 12_000 }, ACT, around()),
    );

    expect(after).toMatchObject({
      status: 'presumed',
      reason: 'accepted',
      settledQuantity: 12_000,
      withheldQuantity: 500,
    });
    expect(after.record).toEqual(disputed.record);
    expect(carries).toEqual([]);
  });

  test('by accepting more advises a credit of what was billed too much', () => {
    const decision = decideSettlement(disputed, { kind: 'accept', awsQuantity: 13_000 }, ACT, around());

    expect(amendmentOf(decision).after).not.toHaveProperty('settledQuantity');
    expect(decision).toMatchObject({ advice: expect.stringContaining('credit of 500') });
  });

  test('by accepting an amount that nobody knows leaves all of it presumed', () => {
    const { after } = amendmentOf(decideSettlement(disputed, { kind: 'accept' }, ACT, around()));

    expect(after).toMatchObject({ status: 'presumed', reason: 'accepted' });
    expect(after).not.toHaveProperty('settledQuantity');
  });

  test('by carrying the difference puts it untagged into the running hour, under the id of the act', () => {
    const tagged = { ...aSealedHour({}, TAGGED), status: 'disputed' } as const;

    const decision = decideSettlement(tagged, { kind: 'carryDifference', awsQuantity: 450 }, ACT, around());
    const { after, carries, onlyInto } = amendmentOf(decision);

    expect(after).toMatchObject({ status: 'presumed', settledQuantity: 450, carriedOut: 150 });
    expect(carries).toMatchObject([
      { hour: '2026-09-21T14', originHour: '2026-09-21T10', tagSet: '', quantity: 150, actionId: ACT.actionId },
    ]);
    expect(onlyInto).toBe('any');
  });

  test('a second time, once AWS’s amount is known to be lower still, starts from what was settled', () => {
    const again = aSealedHour({ status: 'disputed', settledQuantity: 12_000, carriedOut: 500 });

    const { after } = amendmentOf(decideSettlement(again, { kind: 'accept', awsQuantity: 11_000 }, ACT, around()));

    expect(after).toMatchObject({ settledQuantity: 11_000, withheldQuantity: 1_000, carriedOut: 500 });
  });

  test.each<[string, SealedHour, Parameters<typeof decideSettlement>[1]]>([
    ['notDisputed', aSealedHour({ status: 'presumed' }), { kind: 'accept' }],
    ['quantityInvalid', disputed, { kind: 'accept', awsQuantity: 1.5 }],
    ['quantityInvalid', disputed, { kind: 'carryDifference', awsQuantity: -1 }],
    ['noDifference', disputed, { kind: 'carryDifference', awsQuantity: 12_500 }],
    ['noDifference', disputed, { kind: 'carryDifference', awsQuantity: 12_501 }],
  ])('is refused as %s', (code, record, decision) => {
    expect(decideSettlement(record, decision, ACT, around())).toMatchObject({ kind: 'refused', code });
  });
});

describe('carrying on', () => {
  test('sends what expired by its tag sets, and what was held as late untagged, into one hour', () => {
    const expired = { ...aSealedHour({}, TAGGED), status: 'expired', accounted: 650, heldLate: 50 } as const;
    const record: SealedHour = { ...expired, heldReasons: ['policy'], reason: 'neverSent' };

    const { after, carries } = amendmentOf(decideCarryOn(record, ACT, around()));

    expect(carries.map(({ tagSet, quantity }) => [tagSet, quantity])).toEqual([
      ['[["team","core"]]', 300],
      ['[["team","edge"]]', 200],
      ['', 150],
    ]);
    expect(after).toMatchObject({
      status: 'carried',
      carriedOut: 650,
      heldLate: 0,
      heldReasons: [],
      settledQuantity: 0,
    });
    expect(after.record).toEqual(record.record);
  });

  test('takes what is held as late off a record whatever became of the record itself', () => {
    const record = aSealedHour({ status: 'honoured', accounted: 12_545, heldLate: 45, heldReasons: ['policy'] });

    const { after, carries } = amendmentOf(decideCarryOn(record, ACT, around()));

    expect(carries).toMatchObject([{ quantity: 45, tagSet: '' }]);
    expect(after).toEqual({ ...record, heldLate: 0, heldReasons: [], carriedOut: 45 });
  });

  test('of more tag sets than a transaction takes goes in steps, and the last bears the id of the act', () => {
    const rows = Array.from({ length: 120 }, (_, index) => ({ quantity: 1 + index, tags: { t: `t${index}` } }));
    let record: SealedHour = { ...aSealedHour({}, aTally(rows)), status: 'expired', reason: 'neverSent' };
    const seen = new Map<string, number>();
    const ids: string[] = [];

    while (record.status === 'expired') {
      const amendment = amendmentOf(decideCarryOn(record, ACT, around()));
      for (const { tagSet, quantity } of amendment.carries) seen.set(tagSet, (seen.get(tagSet) ?? 0) + quantity);
      ids.push(amendment.audit.actionId);
      record = amendment.after;
    }

    expect(seen.size).toBe(120);
    expect([...seen.values()].reduce((sum, each) => sum + each, 0)).toBe(record.record.quantity);
    expect(record).toMatchObject({ status: 'carried', carriedOut: record.accounted, settledQuantity: 0 });
    expect(new Set(ids).size).toBe(3);
    expect(ids.at(-1)).toBe(ACT.actionId);
  });

  test('of what AWS’s log showed to be absent is as good as of what was never tried', () => {
    const record = aSealedHour({ status: 'expired', reason: 'absentInCloudTrail', attempts: ATTEMPTS });

    expect(amendmentOf(decideCarryOn(record, ACT, around())).carries).toMatchObject([{ quantity: 12_500 }]);
  });

  test('of what was held while nobody knew the contract says that it may be included', () => {
    const heldReasons = ['entitlementUnknown'];
    const record = aSealedHour({ status: 'honoured', accounted: 12_545, heldLate: 45, heldReasons });

    expect(decideCarryOn(record, ACT, around())).toMatchObject({ kind: 'amend', advice: expect.any(String) });
    expect(decideCarryOn({ ...record, heldReasons: ['policy'] }, ACT, around())).not.toHaveProperty('advice');
  });

  const expired = aSealedHour({ status: 'expired', reason: 'neverSent' });
  const late = aSealedHour({ status: 'honoured', accounted: 12_545, heldLate: 45, heldReasons: ['afterEnd'] });

  test.each<[string, SealedHour, Partial<Surroundings>]>([
    ['nothingToCarry', aSealedHour(), {}],
    ['nothingToCarry', aSealedHour({ status: 'honoured' }), {}],
    ['uncertain', aSealedHour({ status: 'uncertain', attempts: ATTEMPTS }), {}],
    ['uncertain', aSealedHour({ status: 'expired', attempts: ATTEMPTS, reason: 'TimeoutError' }), {}],
    ['rehearsed', { ...expired, rehearsal: 'shadow' }, {}],
    ['rehearsed', expired, { product: aProduct({ rehearsal: { mode: 'dryRun' } }) }],
    ['licenceEnded', late, {}],
    ['licenceEnded', expired, { licence: aLicence({ ending: { noticeAt: NOW - 3 * HOUR_MS } }) }],
    ['licenceUnknown', expired, { licence: undefined }],
    ['dimensionUnknown', expired, { product: aProduct({ dimensions: ['gb_stored'] }) }],
  ])('is refused as %s', (code, record, wrong) => {
    expect(decideCarryOn(record, ACT, around(wrong))).toMatchObject({ kind: 'refused', code });
  });

  test('of a licence that ends goes into its last hour while that is open, and no later', () => {
    const noticeAt = at('2026-09-21T14:10:00Z');
    const ending = { noticeAt, revokedAt: noticeAt + 60_000, deprovisionedAt: noticeAt + 60_000 };
    const licence = aLicence({ ending });

    const before = decideCarryOn(expired, ACT, around({ licence }));
    const after = decideCarryOn(expired, ACT, around({ licence, nowMs: at('2026-09-21T14:42:00Z') }));

    expect(amendmentOf(before)).toMatchObject({ onlyInto: 'unsealed', carries: [{ hour: '2026-09-21T14' }] });
    expect(after).toMatchObject({ code: 'licenceEnded' });
  });

  test('of a buyer who was cut over stays on the side of the customer identifier', () => {
    const legacy = aLicence({
      identityStyle: 'legacy',
      customerIdentifier: 'b-1',
      cutOverHour: anHour('2026-09-21T13'),
    });
    const record = { ...expired, identityStyle: 'legacy' } as const;

    const amendment = amendmentOf(decideCarryOn(record, ACT, around({ licence: legacy })));
    const own = decideCarryOn({ ...record, hour: anHour('2026-09-21T12') }, ACT, around({ licence: legacy }));
    const dayLater = decideCarryOn(record, ACT, around({ licence: legacy, nowMs: at('2026-09-22T11:40:00Z') }));

    expect(amendment).toMatchObject({ onlyInto: 'unsealed', carries: [{ hour: '2026-09-21T12' }] });
    expect(own).toMatchObject({ code: 'licenceEnded' });
    expect(dayLater).toMatchObject({ code: 'licenceEnded' });
  });
});

describe('withholding', () => {
  test('all of a record keeps it from being sent, even after refusals that are certain', () => {
    const held = aSealedHour({ status: 'held', refusals: REFUSALS, nextAttemptAt: NOW + HOUR_MS });

    const { after } = amendmentOf(decideWithhold(held, 'all', ACT, NOW));

    expect(after).toEqual(aSealedHour({ status: 'withheld', reason: 'operator', settledAt: NOW, refusals: REFUSALS }));
  });

  test('takes the untagged units first, then the last tag set’s, and drops what is empty', () => {
    const record = aSealedHour({}, TAGGED);

    const { after } = amendmentOf(decideWithhold(record, 250, ACT, NOW));

    expect(after).toMatchObject({ status: 'open', withheldQuantity: 250, accounted: 600 });
    expect(after.record.quantity).toBe(350);
    expect(after.record.allocations).toEqual([
      { quantity: 300, tags: [['team', 'core']] },
      { quantity: 50, tags: [['team', 'edge']] },
    ]);
  });

  test('adds to what is withheld of the record already', () => {
    const record = aSealedHour({ withheldQuantity: 40 });

    expect(amendmentOf(decideWithhold(record, 500, ACT, NOW)).after.withheldQuantity).toBe(540);
  });

  test.each<[string, SealedHour, number | 'all', number]>([
    ['attempted', aSealedHour({ attempts: ATTEMPTS }), 'all', NOW],
    ['attempted', aSealedHour({ refusals: REFUSALS }), 500, NOW],
    ['notLive', aSealedHour({ status: 'honoured' }), 'all', NOW],
    ['deadlinePassed', aSealedHour(), 'all', TOO_LATE],
    ['nothingToWithhold', aSealedHour(), 0, NOW],
    ['nothingToWithhold', aSealedHour(), 12_501, NOW],
    ['nothingToWithhold', aSealedHour(), 0.5, NOW],
  ])('is refused as %s', (code, record, quantity, nowMs) => {
    expect(decideWithhold(record, quantity, ACT, nowMs)).toMatchObject({ kind: 'refused', code });
  });
});

describe('granting a credit', () => {
  const wanted = { dimension: 'requests', quantity: 500, remaining: 200 };

  test('adds to what remains', () => {
    expect(decideCredit(wanted, ACT, around())).toMatchObject({ kind: 'grant', remaining: 700 });
  });

  const ended = { ending: { noticeAt: NOW - 3 * HOUR_MS } };
  const cut = { identityStyle: 'legacy', cutOverHour: anHour('2026-09-21T13'), counterpartKey: 'l-new' } as const;

  test.each<[string, object, Partial<Surroundings>]>([
    ['quantityInvalid', { quantity: 0 }, {}],
    ['quantityInvalid', { quantity: 0.5 }, {}],
    ['quantityInvalid', { quantity: 2_147_483_648 }, {}],
    ['dimensionUnknown', { dimension: 'other' }, {}],
    ['licenceUnknown', {}, { licence: undefined }],
    ['licenceEnded', {}, { licence: aLicence(ended) }],
    ['licenceEnded', {}, { licence: aLicence(cut) }],
    ['contractOnly', {}, { product: aProduct({ pricingModel: 'contract' }) }],
    ['contractOnly', {}, { product: undefined, licence: aLicence({ pricingModel: 'contract' }) }],
  ])('is refused as %s', (code, wrong, surroundings) => {
    expect(decideCredit({ ...wanted, ...wrong }, ACT, around(surroundings))).toMatchObject({ kind: 'refused', code });
  });
});

describe('resubmitting', () => {
  const terms = { releaseQuarantined: false, heldGroups: [] as string[] };
  const quarantined = aSealedHour({ status: 'quarantined', reason: 'InvalidTagException' });

  test.each<[string, SealedHour, object]>([
    ['tryNow', aSealedHour({ nextAttemptAt: NOW + HOUR_MS }), {}],
    ['tryNow', aSealedHour({ status: 'held', nextAttemptAt: NOW + HOUR_MS }), {}],
    ['due', aSealedHour(), {}],
    ['due', aSealedHour({ nextAttemptAt: NOW }), {}],
    ['locked', aSealedHour({ deadlineAt: NOW }), {}],
    ['locked', aSealedHour({ nextAttemptAt: NOW + 1 }), { heldGroups: ['dimension metrics-cloud requests'] }],
    ['needsRelease', quarantined, {}],
    ['release', quarantined, { releaseQuarantined: true }],
    ['locked', aSealedHour({ status: 'honoured' }), {}],
    ['locked', aSealedHour({ status: 'uncertain' }), {}],
    ['locked', aSealedHour({ status: 'withheld', rehearsal: 'dryRun' }), { releaseQuarantined: true }],
  ])('is %s for a record of its kind', (kind, record, wanted) => {
    expect(decideResubmit(record, { ...terms, ...wanted }, ACT, NOW).kind).toBe(kind);
  });

  test('takes off when it was to be tried, and nothing else', () => {
    const step = decideResubmit(aSealedHour({ nextAttemptAt: NOW + HOUR_MS }), terms, ACT, NOW);

    expect(step).toMatchObject({ kind: 'tryNow', amendment: { after: aSealedHour() } });
    expect(step).not.toHaveProperty('amendment.after.nextAttemptAt');
  });
});
