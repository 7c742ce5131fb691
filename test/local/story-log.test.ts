// What the terminal of `npm start` says of what happens.
import { expect, test } from 'vitest';
import { storyLine } from '../../local/story-log.ts';

test.each([
  [{ calls: 1, honoured: 1 }, 'AWS: 1 call, 1 record honoured'],
  [
    { calls: 2, honoured: 30, expired: 1 },
    'AWS: 2 calls, 30 records honoured, 1 record expired: its deadline has passed',
  ],
])('counts one thing in the singular, others in the plural: %j', (facts, line) => {
  expect(storyLine('MeteringSent', facts)).toBe(line);
});

test('says nothing where nothing was done', () => {
  expect(storyLine('HoursClosed', { sealed: 0, carried: 0, held: 0, awaiting: 0, rejected: 0 })).toBeUndefined();
  expect(storyLine('SomethingElse', { calls: 1 })).toBeUndefined();
});

test('gives the reasons for which reported usage was refused', () => {
  const facts = {
    outcome: 'UsageReported',
    recorded: 2,
    already: 0,
    refused: 3,
    refusals: 'timeTooOld, dimensionUnknown',
  };

  expect(storyLine('RequestAnswered', facts)).toBe('usage: 2 recorded, 3 refused: timeTooOld, dimensionUnknown');
});
