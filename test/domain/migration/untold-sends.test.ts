// Old stacks at random, whose sender dies before, between and after its notes.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HOUR_MS, hourOf, MINUTE_MS } from '../../../lambdas/domain/hour.ts';
import {
  type NotedAnswer,
  nameOf,
  type Pending,
  untoldRecords,
} from '../../../lambdas/domain/migration/untold-sends.ts';
import type { ReportedUsage } from '../../../lambdas/domain/operations/reported-usage.ts';
import { at } from '../../builders.ts';

const LICENCE = 'c-0123456789abcdef0123456789abcdef';
const DIMENSIONS = ['requests', 'gb_stored'];

/** An hour of the old stack: usage before its job and after it; how many notes its sender lives for, and in which order. */
const anHour = fc.record({
  before: fc.array(fc.record({ requests: fc.nat(4), gb_stored: fc.nat(2) }), { maxLength: 3 }),
  after: fc.array(fc.record({ requests: fc.nat(4), gb_stored: fc.nat(2) }), { maxLength: 2 }),
  notes: fc.oneof(fc.constant(Infinity), fc.nat(3)),
  isBackwards: fc.boolean(),
  runs: fc.boolean(),
});

type Hour = typeof anHour extends fc.Arbitrary<infer T> ? T : never;

interface Row extends Pending {
  isPending: boolean;
  isHeld: boolean;
}

interface Lived {
  readonly rows: readonly Row[];
  readonly answers: readonly NotedAnswer[];
  readonly reported: readonly ReportedUsage[];
}

function unitsOf(rows: readonly Pending[], dimension: string): number {
  return rows
    .flatMap(({ amounts }) => amounts)
    .reduce((sum, amount) => sum + (amount.dimension === dimension ? amount.quantity : 0), 0);
}

function live(hours: readonly Hour[]): Lived {
  const rows: Row[] = [];
  const answers: NotedAnswer[] = [];
  const reported: ReportedUsage[] = [];
  const record = (amounts: Hour['before'][number], atMs: number) =>
    rows.push({
      kind: 'pending',
      key: { customerIdentifier: 'acme', createTimestamp: String(rows.length) },
      atMs,
      amounts: Object.entries(amounts).flatMap(([dimension, quantity]) =>
        quantity > 0 ? [{ dimension, quantity }] : [],
      ),
      licenceKey: LICENCE,
      isPending: true,
      isHeld: false,
    });
  for (const [index, { before, after, notes, isBackwards, runs }] of hours.entries()) {
    const startMs = at('2026-09-21T00:00:00Z') + index * HOUR_MS;
    for (const [minute, amounts] of before.entries()) record(amounts, startMs + minute * MINUTE_MS);
    const sentAtMs = startMs + 30 * MINUTE_MS;
    const taken = rows.filter(({ isPending }) => isPending);
    if (runs && taken.length > 0) {
      const noted = (isBackwards ? taken.toReversed() : taken).slice(0, notes);
      for (const dimension of DIMENSIONS) {
        const quantity = unitsOf(taken, dimension);
        if (!taken.some(({ amounts }) => amounts.some((amount) => amount.dimension === dimension))) continue;
        reported.push({ licenceKey: LICENCE, dimension, hour: hourOf(sentAtMs), quantity });
        const answer = { dimension, status: 'Success', quantity, sentAtMs, licenceKey: LICENCE };
        if (noted.length > 0) answers.push({ ...answer, notedQuantity: unitsOf(noted, dimension) });
      }
      for (const row of taken) row.isHeld = true;
      for (const row of noted) row.isPending = false;
    }
    for (const [minute, amounts] of after.entries()) record(amounts, startMs + (40 + minute) * MINUTE_MS);
  }
  return { rows, answers, reported };
}

test('nothing that AWS holds is taken over, and nothing is left out that AWS was not told of, however its sender died', () => {
  let doubtfulRuns = 0;
  let sentRuns = 0;
  fc.assert(
    fc.property(fc.array(anHour, { minLength: 1, maxLength: 5 }), (hours) => {
      const { rows, answers, reported } = live(hours);
      const pending = rows.filter(({ isPending }) => isPending);

      const doubts = untoldRecords(pending, answers, reported);

      const of = (doubt: string | undefined) => pending.filter(({ key }) => doubts.get(nameOf(key)) === doubt);
      doubtfulRuns += of('doubtful').length > 0 ? 1 : 0;
      sentRuns += of('sentUntold').length > 0 ? 1 : 0;
      for (const dimension of DIMENSIONS) {
        const truth = unitsOf(rows, dimension);
        const held = unitsOf(
          rows.filter(({ isHeld }) => isHeld),
          dimension,
        );
        const billed = reported.reduce((sum, each) => sum + (each.dimension === dimension ? each.quantity : 0), 0);
        const taken = unitsOf(of(undefined), dimension);
        expect(taken, `${dimension} taken`).toBeLessThanOrEqual(truth - held);
        // What an old sender billed twice may make up for what is left out; nothing else may.
        expect(billed + taken + unitsOf(of('doubtful'), dimension), `${dimension} billed`).toBeGreaterThanOrEqual(
          truth,
        );
      }
    }),
    { numRuns: 5_000 },
  );
  expect(Math.min(doubtfulRuns, sentRuns)).toBeGreaterThan(100);
});
