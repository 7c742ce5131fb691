// The acts on one sealed hour, from the table of acts, on the real engine against the simulated AWS.
import { describe, expect, test } from 'vitest';
import { anEvent, startBackendWorld, useServices } from '../backend-world.ts';
import { cloudTrailOf, meterElsewhere } from '../operations/operator.ts';
import { deskOf } from './desk-world.ts';

const services = useServices();

/** A buyer who used 300 in the hour of 10, which may be closed now. */
async function usedWorld() {
  const world = await startBackendWorld(services());
  const buyer = await world.subscribe();
  await world.report([anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 300 })]);
  await world.clock.set(Date.parse('2026-09-21T11:11:00Z'));
  const raw = { hour: '2026-09-21T10', licenceKey: buyer.licenceKey, dimension: 'requests' };
  return { world, buyer, raw, ...(await deskOf(world)) };
}

/** AWS holds 200 of the hour, from another pipeline. */
async function disputedWorld() {
  const used = await usedWorld();
  await meterElsewhere(used.world, {
    Timestamp: new Date('2026-09-21T10:30:00Z'),
    Dimension: 'requests',
    Quantity: 200,
    LicenseArn: used.buyer.licenceArn,
    CustomerAWSAccountId: used.buyer.awsAccountId,
  });
  await used.world.tick();
  return used;
}

describe('the act of settling a dispute', () => {
  test('carries what AWS holds less, once, and says in words what is billed', async () => {
    const { world, raw, perform } = await disputedWorld();
    const wanted = { ...raw, decision: 'carryDifference', awsQuantity: '200' };

    const plan = await perform('settle', wanted, { dryRun: true });
    const done = await perform('settle', wanted);
    if (done.kind !== 'done') throw new Error(done.kind);
    const again = await perform('settle', wanted, { actionId: done.actionId });
    await world.tick('2026-09-21T12:11:00Z');

    expect(plan).toMatchObject({ kind: 'planned', confirmation: 'bill 100 requests' });
    expect(again.kind).toBe('already');
    expect((await world.bill()).map(({ quantity }) => quantity)).toEqual([200, 100]);
  });

  test('gives up what AWS holds less where its amount is accepted, and needs the amount to carry', async () => {
    const { raw, perform } = await disputedWorld();

    const plan = await perform('settle', { ...raw, decision: 'accept', awsQuantity: '200' }, { dryRun: true });
    const unknown = await perform('settle', { ...raw, decision: 'carryDifference' });

    expect(plan).toMatchObject({ confirmation: 'give up 100 requests' });
    expect(unknown).toMatchObject({ kind: 'refused', code: 'quantityInvalid' });
  });

  test('is confirmed by AWS’s own log afterwards', async () => {
    const { world, raw, perform } = await disputedWorld();
    await perform('settle', { ...raw, decision: 'accept', awsQuantity: '200' });
    const wanted = { first: raw.hour, end: '2026-09-21T11', trail: await cloudTrailOf(world) };

    const plan = await perform('confirm', wanted, { dryRun: true });
    const done = await perform('confirm', wanted);

    expect(plan).toMatchObject({ kind: 'planned', changes: [{ before: 'presumed', after: 'honoured' }] });
    expect(done).toMatchObject({
      kind: 'done',
      summary: "1 of 1 records that wait for AWS's word are settled by its log.",
    });
  });
});

describe('the act of withholding', () => {
  test('takes a part off a record before it is sent, and the rest is billed', async () => {
    const { world, raw, perform } = await usedWorld();
    await world.backend.closeHours();

    const done = await perform('withhold', { ...raw, units: '120' });
    await world.tick();

    expect(done).toMatchObject({
      kind: 'done',
      summary: '120 requests of 2026-09-21T10 are withheld: they are never billed.',
    });
    expect((await world.bill()).map(({ quantity }) => quantity)).toEqual([180]);
  });
});

describe('the act of granting a credit', () => {
  test('bills later hours less, once under an id', async () => {
    const { world, buyer, raw, perform } = await usedWorld();
    await world.tick();
    const wanted = { licenceKey: raw.licenceKey, dimension: 'requests', units: '50' };

    const done = await perform('credit', wanted);
    if (done.kind !== 'done') throw new Error(done.kind);
    await perform('credit', wanted, { actionId: done.actionId });
    await world.report([anEvent(buyer, '2026-09-21T11:10:00Z', { quantity: 80 })]);
    await world.tick('2026-09-21T12:11:00Z');

    expect((await world.bill()).map(({ quantity }) => quantity)).toEqual([300, 30]);
  });
});

describe('the act of carrying on', () => {
  test('bills what expired in a later hour, and nothing twice', async () => {
    const { world, raw, perform } = await usedWorld();
    await world.control.put('/control/faults', { next: [{ kind: 'accessDenied', count: 10_000 }] });
    await world.tick();
    await world.tick('2026-09-22T10:30:00Z');
    await world.control.delete('/control/faults');

    const plan = await perform('carryOn', raw, { dryRun: true });
    const first = await perform('carryOn', raw);
    const second = await perform('carryOn', raw);
    await world.tick('2026-09-22T11:11:00Z');

    expect(plan).toMatchObject({
      confirmation: 'bill 300 requests',
      changes: expect.arrayContaining([{ what: 'units carried into 2026-09-22T10', before: 0, after: 300 }]),
    });
    expect([first.kind, second.kind]).toEqual(['done', 'refused']);
    expect((await world.bill()).map(({ quantity }) => quantity)).toEqual([300]);
  });
});

describe('the act of cutting over', () => {
  test('is refused for a buyer who is metered by licence already, and for an hour that is too near', async () => {
    const { buyer, raw, perform } = await usedWorld();
    const wanted = { legacyKey: raw.licenceKey, licenceArn: buyer.licenceArn, hour: '2026-09-21T20' };

    const answer = await perform('cutOver', wanted);
    const plan = await perform('cutOver', { ...wanted, customerAwsAccountId: '' }, { dryRun: true });

    expect([answer, plan]).toMatchObject([{ code: 'notLegacy' }, { code: 'notLegacy' }]);
  });
});
