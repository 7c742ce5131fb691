// The table of acts, at an operator's desk, on the real engine against the simulated AWS.
import { userInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { useServices } from '../backend-world.ts';
import { deskOf } from './desk-world.ts';
import { quarantinedWorld } from './troubles.ts';

const services = useServices();

describe('the act of release', () => {
  test('tells what it would do, writes nothing, and asks for words since AWS does not undo it', async () => {
    const { world, raw } = await quarantinedWorld(services());
    const { perform } = await deskOf(world);

    const plan = await perform('release', raw, { dryRun: true });
    await world.tick();

    expect(plan).toMatchObject({
      kind: 'planned',
      summary: "300 novel of 2026-09-21T10 are sent to AWS in the sender's next run.",
      changes: [
        { what: 'status', before: 'quarantined', after: 'open' },
        { what: 'reason', after: '' },
      ],
      confirmation: 'bill 300 novel',
    });
    expect(await world.bill()).toEqual([]);
  });

  test('is done once under an id, by whom the audit names, and its group with it', async () => {
    const { world, raw } = await quarantinedWorld(services());
    const { desk, perform } = await deskOf(world);
    const wanted = { ...raw, withGroups: 'yes' };

    const first = await perform('release', wanted, { why: 'it is listed now' });
    if (first.kind !== 'done') throw new Error(first.kind);
    const again = await perform('release', wanted, { actionId: first.actionId });
    await world.tick();

    expect(again).toMatchObject({ kind: 'already' });
    expect((await world.bill()).map(({ quantity }) => quantity)).toEqual([300]);
    expect(await desk.ledger.action(first.actionId)).toMatchObject({
      who: `${userInfo().username} on a laptop`,
      why: 'it is listed now',
      action: 'release',
    });
  });

  test('names every field that can’t be read, and looks at nothing', async () => {
    const { world } = await quarantinedWorld(services());
    const { perform } = await deskOf(world);

    const answer = await perform('release', { hour: 'yesterday', dimension: ' ', withGroups: 'maybe', hours: '1' });

    expect(answer).toEqual({
      kind: 'mistaken',
      problems: [
        { field: 'hour', message: 'has to be a UTC hour such as 2026-11-23T07' },
        { field: 'licenceKey', message: 'is missing' },
        { field: 'dimension', message: 'is missing' },
        { field: 'withGroups', message: 'has to be yes or no' },
        { field: 'hours', message: 'is no field of this act' },
      ],
    });
  });
});
