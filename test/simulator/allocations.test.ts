import { BatchMeterUsageCommand, type UsageAllocation } from '@aws-sdk/client-marketplace-metering';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalAllocations, checkAllocations } from '../../simulator/rules/allocations.ts';
import { recordOf, startTestWorld, type TestWorld } from './fixture.ts';

const tags = (...pairs: string[]) =>
  pairs.map((pair) => ({ Key: pair.split('=')[0] ?? '', Value: pair.split('=').slice(1).join('=') }));

async function outcome(world: TestWorld, Quantity: number, UsageAllocations: UsageAllocation[]): Promise<unknown> {
  const agreement = await world.subscribe();
  const UsageRecords = [recordOf(agreement, { Quantity, UsageAllocations })];
  return world.aws.send(new BatchMeterUsageCommand({ UsageRecords })).then(
    ({ Results }) => Results?.[0]?.Status,
    (error: Error) => error.name,
  );
}

const one = (Tags: UsageAllocation['Tags']): UsageAllocation[] => [{ AllocatedUsageQuantity: 5, Tags }];

describe('Usage allocations', () => {
  it('bills a record split by tags with one untagged rest, and keeps the split', async () => {
    const world = await startTestWorld();

    const status = await outcome(world, 1200, [
      { AllocatedUsageQuantity: 500, Tags: tags('BusinessUnit=Operations', 'AccountId=2222') },
      { AllocatedUsageQuantity: 600, Tags: tags('BusinessUnit=Finance', 'AccountId=3333') },
      { AllocatedUsageQuantity: 100 },
    ]);

    expect(status).toBe('Success');
    expect((await world.bill())[0]?.allocations).toHaveLength(3);
  });

  it.each([
    ['a sum below the quantity', 6, one(tags('a=1'))],
    ['a sum above the quantity', 4, one(tags('a=1'))],
    [
      'two allocations of one tag set, in any order',
      2,
      [
        { AllocatedUsageQuantity: 1, Tags: tags('a=1', 'b=2') },
        { AllocatedUsageQuantity: 1, Tags: tags('b=2', 'a=1') },
      ],
    ],
    ['two untagged allocations', 2, [{ AllocatedUsageQuantity: 1 }, { AllocatedUsageQuantity: 1 }]],
  ])('refuses %s with InvalidUsageAllocationsException', async (_, quantity, allocations) => {
    const world = await startTestWorld();

    expect(await outcome(world, quantity, allocations)).toBe('InvalidUsageAllocationsException');
    expect(await world.bill()).toEqual([]);
  });

  it.each([
    ['six tags', tags('a=1', 'b=1', 'c=1', 'd=1', 'e=1', 'f=1')],
    ['an empty list of tags', []],
    ['an empty key', tags('=1')],
    ['a key of 101 characters', tags(`${'k'.repeat(101)}=1`)],
    ['an empty value', tags('a=')],
    ['a value of 257 characters', tags(`a=${'v'.repeat(257)}`)],
    ['one key twice', tags('a=1', 'a=2')],
    ...['>', '?', '[', ']', '\\', '^', '`', '{', '|', '}', '~', 'ü', '\n'].map(
      (character): [string, ReturnType<typeof tags>] => [
        `the character ${JSON.stringify(character)}`,
        tags(`a=${character}`),
      ],
    ),
  ])('refuses %s with InvalidTagException', async (_, wrong) => {
    const world = await startTestWorld();

    expect(await outcome(world, 5, one(wrong))).toBe('InvalidTagException');
  });

  it('takes five tags with keys and values of full length and every character of the safe set', async () => {
    const world = await startTestWorld();

    const full = tags(`${'k'.repeat(100)}=${'v'.repeat(256)}`, 'aZ09 +-.:/@_=aZ09 +-=.:/@_', 'c=1', 'd=1', 'e=1');

    expect(await outcome(world, 5, one(full))).toBe('Success');
  });

  it('limits a record to five tag keys altogether, or only each allocation, as switched', async () => {
    const world = await startTestWorld();
    const split = [
      { AllocatedUsageQuantity: 1, Tags: tags('a=1', 'b=1', 'c=1') },
      { AllocatedUsageQuantity: 1, Tags: tags('d=1', 'e=1', 'f=1') },
    ];

    expect(await outcome(world, 2, split)).toBe('InvalidTagException');
    await world.control('PUT', '/control/switches', { tagLimit: 'perAllocation' });
    expect(await outcome(world, 2, split)).toBe('Success');
  });

  it('takes 2500 allocations', async () => {
    const world = await startTestWorld();
    const split = Array.from({ length: 2500 }, (_, index) => ({ AllocatedUsageQuantity: 1, Tags: tags(`a=${index}`) }));

    expect(await outcome(world, 2500, split)).toBe('Success');
  });

  it('takes a resend in another order for identical, and one with another split for a duplicate', async () => {
    const world = await startTestWorld();
    const agreement = await world.subscribe();
    const send = async (UsageAllocations: UsageAllocation[]) => {
      const UsageRecords = [recordOf(agreement, { Quantity: 3, UsageAllocations })];
      return (await world.aws.send(new BatchMeterUsageCommand({ UsageRecords }))).Results?.[0]?.Status;
    };
    const tagged = { AllocatedUsageQuantity: 1, Tags: tags('a=1', 'b=1') };

    expect(await send([tagged, { AllocatedUsageQuantity: 2 }])).toBe('Success');
    expect(await send([{ AllocatedUsageQuantity: 2 }, { ...tagged, Tags: tags('b=1', 'a=1') }])).toBe('Success');
    expect(await send([{ ...tagged, AllocatedUsageQuantity: 2 }, { AllocatedUsageQuantity: 1 }])).toBe(
      'DuplicateRecord',
    );
  });

  it('judges and canonises any shuffle of an allocation list alike', () => {
    const tag = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      value: fc.constantFrom('1', '2', '?'),
    });
    const allocation = fc.record({
      quantity: fc.integer({ min: 0, max: 3 }),
      tags: fc.option(fc.array(tag, { maxLength: 6 }), { nil: undefined }),
    });
    const lists = fc
      .array(allocation, { maxLength: 5 })
      .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
    const judge = (list: Parameters<typeof canonicalAllocations>[0]): boolean => {
      try {
        checkAllocations(4, list, 'perRecord');
        return true;
      } catch {
        return false;
      }
    };

    fc.assert(
      fc.property(lists, ([list, shuffled]) => {
        expect(canonicalAllocations(shuffled)).toBe(canonicalAllocations(list));
        expect(judge(shuffled)).toBe(judge(list));
      }),
    );
  });
});
