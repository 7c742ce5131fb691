// Late usage under more tag sets than an hour's item can hold the amounts of.
import { describe, expect, test } from 'vitest';
import { decideClose } from '../../lambdas/domain/close.ts';
import type { SealedHour } from '../../lambdas/domain/ledger.ts';
import { MAX_ALLOCATIONS } from '../../lambdas/domain/marketplace-limits.ts';
import { ANY_TAGS, tagSetOf } from '../../lambdas/domain/tag-set.ts';
import type { LedgerStore } from '../../lambdas/flow/ports.ts';
import { DynamoLedgerStore } from '../../lambdas/stores/ledger-store.ts';
import { aCarry, aMeter, aPolicy, aSealedHour, aTally, at } from '../builders.ts';
import { MemoryLedgerStore } from '../doubles/memory-ports.ts';
import { useEngine } from './engine-tables.ts';

const NOW = at('2026-09-21T12:30:00Z');
const LONG = 'x'.repeat(90);

function rows(count: number, from = 0) {
  return Array.from({ length: count }, (_, index) => ({ quantity: 2, tags: { team: `${from + index}-${LONG}` } }));
}

const engine = useEngine();

async function standing(ledger: LedgerStore): Promise<SealedHour> {
  const { hour, licenceKey, dimension } = aSealedHour();
  const sealed = await ledger.sealed(hour, licenceKey, dimension);
  if (!sealed) throw new Error('The hour is not sealed.');
  return sealed;
}

describe('late usage under more tag sets than an item can hold the amounts of', () => {
  const full = rows(MAX_ALLOCATIONS);
  const late = [...full, ...rows(2_000, MAX_ALLOCATIONS)];

  test('goes on by its sum and untagged, in one step, instead of making the item too large to be written', async () => {
    const { client, tables } = await engine();
    const ledger = new DynamoLedgerStore(client, tables.ledger);
    await ledger.seal(aSealedHour({}, aTally(full)));
    const sealed = await standing(ledger);

    const step = decideClose(aMeter({ sealed, tally: aTally(late) }), NOW, aPolicy());
    if (step.kind !== 'carry') throw new Error(`It was not carried: ${step.kind}.`);
    expect(step.carry).toMatchObject({ tagSet: ANY_TAGS, quantity: 4_000, originAccounted: 5_000 });
    expect(await ledger.carry({ ...sealed, seen: aTally(late).seen }, step.carry, step.onlyInto)).toBe('carried');

    const after = await standing(ledger);
    expect(after).toMatchObject({ accounted: 9_000, carriedOut: 4_000, accountedByTagSet: { [ANY_TAGS]: 9_000 } });
    expect(decideClose(aMeter({ sealed: after, tally: aTally(late) }), NOW, aPolicy())).toEqual({ kind: 'nothing' });
    const more = aTally([...late, { quantity: 3, tags: { team: 'later still' } }]);
    expect(decideClose(aMeter({ sealed: after, tally: more }), NOW, aPolicy())).toMatchObject({
      carry: { tagSet: ANY_TAGS, quantity: 3, originAccounted: 9_000 },
    });
  }, 30_000);

  test.each([
    [
      'the ledger table',
      async () => engine().then(({ client, tables }) => new DynamoLedgerStore(client, tables.ledger)),
    ],
    ['the ledger in memory', async () => new MemoryLedgerStore()],
  ])('is carried once by two closers of which one still tells the tag sets apart, in %s', async (_name, make) => {
    const ledger: LedgerStore = await make();
    const tags = rows(1, 9_000)[0]?.tags;
    const named = aCarry({ tagSet: tagSetOf(tags), quantity: 2 });
    const any = aCarry({ tagSet: ANY_TAGS, quantity: 2, originAccounted: 12_500 });

    const first = aSealedHour();
    await ledger.seal(first);
    expect(await ledger.carry(first, any, 'any')).toBe('carried');
    expect(await ledger.carry(first, named, 'any')).toBe('moved');

    const second = aSealedHour({ dimension: 'gb_stored' });
    await ledger.seal(second);
    expect(await ledger.carry(second, { ...named, dimension: 'gb_stored' }, 'any')).toBe('carried');
    expect(await ledger.carry(second, { ...any, dimension: 'gb_stored' }, 'any')).toBe('moved');
  });
});
