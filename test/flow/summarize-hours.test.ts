// Whatever happens to hours, and whatever becomes of the marks: the summaries end as the books that the tables give.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Unavailable } from '../../lambdas/domain/failure.ts';
import { addHours, HOUR_MS, type HourStart, hourOf, MINUTE_MS } from '../../lambdas/domain/hour.ts';
import { dayOf, type Units, unitsOf } from '../../lambdas/domain/summary.ts';
import { closeDueHours } from '../../lambdas/flow/close-due-hours.ts';
import { carryOn } from '../../lambdas/flow/operations/carry-on.ts';
import { grantCredit } from '../../lambdas/flow/operations/grant-credit.ts';
import { release } from '../../lambdas/flow/operations/release.ts';
import { settleDisputed } from '../../lambdas/flow/operations/settle-disputed.ts';
import { withhold } from '../../lambdas/flow/operations/withhold.ts';
import { summarizeHours } from '../../lambdas/flow/summarize-hours.ts';
import { verifyBooks } from '../../lambdas/flow/verify-books.ts';
import { LICENCE_KEY } from '../builders.ts';
import { MemoryLedgerStore, MemoryUsageStore } from '../doubles/memory-ports.ts';
import { MemorySummaryStore } from '../doubles/memory-summaries.ts';
import { AT_ONCE, type Io } from '../doubles/memory-table.ts';
import { MemoryWorkStore } from '../doubles/memory-work.ts';
import { FIRST, type Mood, OperatedWorld, SHARD } from './operations/operated-world.ts';

/** Only one licence's shard ever holds anything. */
const ONE_SHARD: Io = Object.assign(AT_ONCE.bind(undefined) as Io, { isIdle: (shard: number) => shard !== SHARD });

class ForgetfulWork extends MemoryWorkStore {
  forgets = false;

  override async markTouched(hours: Iterable<HourStart>): Promise<void> {
    if (!this.forgets) await super.markTouched(hours);
  }
}

class SummarizedWorld extends OperatedWorld {
  override readonly usage = new MemoryUsageStore(ONE_SHARD);
  override readonly ledger = new MemoryLedgerStore(ONE_SHARD);
  override readonly work = new ForgetfulWork();
  /** How each read and write of summaries goes: at once, late, or not at all. */
  summaryIo: Io = AT_ONCE;
  readonly summaries = new MemorySummaryStore((kind, shard, apply) => this.summaryIo(kind, shard, apply));
  readonly notices = { due: async () => [] };
  readonly directory = { list: async () => ({ items: [] }) };
  readonly usageWarningHours = [12];
  readonly outbox = { shards: 1, async *pending() {} };
  override readonly rejects = Object.assign(new OperatedWorld().rejects, { refusedOn: async () => [] });

  /** As the door has it: usage of an hour that may be closed asks for another look. */
  override async report(quantity: number, hoursBack = 0, team?: string): Promise<void> {
    await super.report(quantity, hoursBack, team);
    if (hoursBack > 0) await this.work.markLate(addHours(hourOf(this.nowMs), -hoursBack), SHARD);
  }

  /** Before which hour the later of the fixed looks has been made, once none is due. */
  lookedBefore(): HourStart {
    return hourOf(this.nowMs - 49 * HOUR_MS);
  }

  override async close(): Promise<void> {
    await closeDueHours(this, () => true);
  }

  async summarize(): Promise<void> {
    // Others die before they mark what they have changed; a mark of its own that fails, a run would fail with.
    const { forgets } = this.work;
    this.work.forgets = false;
    await summarizeHours(this, () => true).finally(() => {
      this.work.forgets = forgets;
    });
  }
}

/** Usage comes some hours late. */
const EARLIEST = addHours(FIRST, -8);

type Step = (world: SummarizedWorld) => Promise<unknown>;

const moods: Mood[] = ['takes', 'losesAnswer', 'losesCall', 'refusesRecord', 'notSubscribed'];

/** Something happens to usage or to its records. */
const happening: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 500 }), fc.nat(5), fc.constantFrom(undefined, 'core')).map(
    ([quantity, back, team]): Step =>
      (world) =>
        world.report(quantity, back, team),
  ),
  fc.nat(600).map(
    (quantity): Step =>
      async (world) =>
        world.foreign(hourOf(world.nowMs), quantity),
  ),
  fc.constantFrom(7, 61, 71, 300, 1_500).map(
    (minutes): Step =>
      async (world) => {
        world.nowMs += minutes * MINUTE_MS;
      },
  ),
  fc.constant<Step>((world) => world.close()),
  fc.constantFrom(...moods).map(
    (mood): Step =>
      (world) =>
        world.send(mood),
  ),
);

const act: fc.Arbitrary<Step> = fc.tuple(fc.nat(40), fc.nat(4)).map(
  ([index, which]): Step =>
    async (world) => {
      const sealed = world.ledger.sealedHours();
      const on = sealed[index % Math.max(1, sealed.length)];
      if (!on) return;
      const by = world.act();
      const awsQuantity = world.billedOf(on) ?? 0;
      if (which === 0) await release(world, on, by, { withGroups: true });
      if (which === 1) await carryOn(world, on, by);
      if (which === 2) await settleDisputed(world, on, { kind: 'accept', awsQuantity }, by);
      if (which === 3) await withhold(world, on, 5, by);
      if (which === 4) await grantCredit(world, on, 9, by);
    },
);

/** A run as a rule; one that dies at some step; two at once, each not knowing of the other and each as slow as it likes. */
const summarizing: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Step>((world) => world.summarize()) },
  {
    weight: 2,
    arbitrary: fc.nat(12).map(
      (steps): Step =>
        async (world) => {
          let left = steps;
          world.summaryIo = async (_kind, _shard, apply) => {
            left -= 1;
            if (left < 0) throw new Unavailable('Killed', 'The run died.');
            return apply();
          };
          await world.summarize().catch(() => {});
          world.summaryIo = AT_ONCE;
        },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.array(fc.nat(9), { minLength: 8, maxLength: 8 }).map(
      (delays): Step =>
        async (world) => {
          let step = 0;
          world.summaryIo = async (_kind, _shard, apply) => {
            for (let turns = delays[step++ % delays.length] ?? 0; turns > 0; turns--) await Promise.resolve();
            return apply();
          };
          const alone = Object.assign(Object.create(world) as SummarizedWorld, {
            work: Object.assign(Object.create(world.work) as ForgetfulWork, { takeLease: async () => true }),
          });
          const late = world.report(3, 1).then(() => world.close());
          await Promise.all([summarizeHours(alone, () => true), late, summarizeHours(alone, () => true)]);
          world.summaryIo = AT_ONCE;
        },
    ),
  },
);

const forgetting: fc.Arbitrary<Step> = fc.boolean().map(
  (forgets): Step =>
    async (world) => {
      world.work.forgets = forgets;
    },
);

/** What the tables say of each hour, and what the summaries say. */
async function compare(world: SummarizedWorld): Promise<void> {
  // The running hour is summarised once it is over, carries into it included.
  const end = hourOf(world.nowMs);
  const expected = new Map<string, Units>();
  const byDay = new Map<string, number>();
  for await (const books of verifyBooks(world, EARLIEST, end, LICENCE_KEY)) {
    const units = unitsOf(books);
    if (Object.keys(units).length === 0) continue;
    expected.set(`${books.dimension} ${books.hour}`, units);
    byDay.set(dayOf(books.hour), (byDay.get(dayOf(books.hour)) ?? 0) + books.recorded);
  }
  const days = await world.summaries.days(LICENCE_KEY, '2026-09-01', '2026-10-31');
  const actual = days.flatMap(({ dimension, hours }) =>
    [...hours].map(([hour, units]) => [`${dimension} ${hour}`, units] as const),
  );
  expect(Object.fromEntries(actual)).toEqual(Object.fromEntries(expected));
  const months = (await Promise.all(['2026-09', '2026-10'].map((month) => world.summaries.months(month)))).flatMap(
    ({ items }) => items,
  );
  const recorded = months.flatMap(({ days: each }) => [...each].map(([day, units]) => [day, units.recorded ?? 0]));
  expect(Object.fromEntries(recorded.filter(([, units]) => units !== 0))).toEqual(
    Object.fromEntries([...byDay].filter(([, units]) => units !== 0)),
  );
  for (const [key, units] of expected) {
    const hour = await world.summaries.hour(key.slice(-13) as HourStart);
    expect(hour?.meters.find((meter) => key.startsWith(`${meter.dimension} `))?.units).toEqual(units);
    expect(hour?.unbalanced).toBe(0);
  }
}

describe('the summaries', () => {
  test('end as the books of the tables, whatever dies, is lost, or runs twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            { weight: 6, arbitrary: happening },
            { weight: 2, arbitrary: act },
            { weight: 3, arbitrary: summarizing },
            { weight: 1, arbitrary: forgetting },
          ),
          { minLength: 8, maxLength: 40, size: 'max' },
        ),
        async (steps) => {
          const world = new SummarizedWorld();
          await world.summarize();
          for (const step of steps) await step(world);
          // What is marked from now on is marked for good; what was lost before is found by the fixed looks.
          world.work.forgets = false;
          world.nowMs += 50 * HOUR_MS;
          await world.close();
          await world.send();
          await world.summarize();
          // What two runs at once left to a further one, and the looks that are due, some hours a run.
          for (let run = 0; (await world.work.summarizedBefore(1)) !== world.lookedBefore(); run++) {
            expect(run).toBeLessThan(60);
            await world.summarize();
          }
          await world.summarize();
          await compare(world);
          expect(await world.work.touchedHours()).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  }, 120_000);

  test('follow within one run, without any fixed look, where no mark is lost', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 4, arbitrary: happening }, { weight: 2, arbitrary: act }, summarizing), {
          minLength: 5,
          maxLength: 30,
          size: 'max',
        }),
        async (steps) => {
          const world = new SummarizedWorld();
          await world.summarize();
          for (const step of steps) await step(world);
          world.nowMs += 71 * MINUTE_MS;
          await world.close();
          await world.summarize();
          await world.summarize();
          await compare(world);
        },
      ),
      { numRuns: 25 },
    );
  }, 120_000);
});
