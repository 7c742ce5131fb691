// An end that AWS announces and never completes: the product is told no later than metering stops.
import { expect, test } from 'vitest';
import { foldStanding } from '../../lambdas/domain/standing.ts';
import { aNotice, BOUGHT_AT, MINUTE } from '../purchase.ts';

const ENDED = [aNotice('agreementCreated', 0), aNotice('licenceUpdated', 1), aNotice('agreementEnded', 60)];
const at = (minute: number) => BOUGHT_AT + minute * MINUTE;

test('access ends forty minutes after the announcement where no notice of the licence comes', () => {
  const before = foldStanding(ENDED, {}, at(99));
  expect(before.standing.state).toBe('ending');
  expect(before.changesAt).toBe(at(100));
  const after = foldStanding(ENDED, {}, at(100));
  expect(after.standing).toMatchObject({ state: 'ended', agreements: [{ state: 'ended' }] });
  expect(after.changesAt).toBeUndefined();
});

test('the notice of the licence still counts when it comes after that, and metering hears its instant', () => {
  const { standing, terms } = foldStanding([...ENDED, aNotice('licenceDeprovisioned', 120)], {}, at(121));
  expect(standing.state).toBe('ended');
  expect(terms).toMatchObject([{ state: 'ended', noticeAt: at(60), endedAt: at(120) }]);
});

test('who buys again after it has access again', () => {
  const again = { agreementId: 'agmt-again' };
  const notices = [...ENDED, aNotice('agreementCreated', 130, again), aNotice('licenceUpdated', 131, again)];
  expect(foldStanding(notices, {}, at(132)).standing.state).toBe('active');
});
