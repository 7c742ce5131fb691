// Workers that die, run out of time or lose the database between two steps: what others bill twice, or not at all.
import { describe, expect, test } from 'vitest';
import { createCloseHoursHandler } from '../../lambdas/close-hours.handler.ts';
import { backendEnvironment } from '../../local/backend.ts';
import { anEvent, type BackendWorld, type Subscription, startBackendWorld, useServices } from '../backend-world.ts';
import { anHour } from '../builders.ts';
import { billed, startWorker, subscribers, tickOf, unitsBilled, type WireCall } from './workers.ts';

const services = useServices();

const REFUSED = 'AccessDeniedException';

async function statuses(world: BackendWorld, buyers: readonly Subscription[]): Promise<(string | undefined)[]> {
  const sealed = await Promise.all(buyers.map((each) => world.ledger.sealed(anHour(), each.licenceKey, 'requests')));
  return sealed.map((each) => each?.status);
}

async function differences(world: BackendWorld): Promise<number[]> {
  const books = await world.books('2026-09-21T10', '2026-09-21T14');
  return books.map(({ difference }) => difference).filter((difference) => difference !== 0);
}

/** A worker that reaches no database any more once AWS has answered it and `results` results are written. */
async function dyingSender(world: BackendWorld, results: number) {
  let hasAnswer = false;
  let left = results;
  const isResult = ({ operation, input }: WireCall) =>
    operation === 'UpdateItem' && String(input['TableName']) === world.tables.ledger;
  const refuse = (call: WireCall) => {
    if (!hasAnswer) return undefined;
    if (left > 0 && isResult(call)) {
      left -= 1;
      return undefined;
    }
    return REFUSED;
  };
  const answered = () => {
    hasAnswer = true;
  };
  return startWorker(world, services(), { database: { refuse }, marketplace: { answered } });
}

describe('a sender that dies after AWS took the call', () => {
  test('a sender that dies before it wrote AWS’s answer down sends the same record an hour later: 10 of 10, where the AWS sample stamps it anew: 20 of 10 (M9)', async () => {
    const world = await startBackendWorld(services());
    const buyers = await subscribers(world, 1);
    await world.report(buyers.map((buyer) => anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 10 })));
    // The stricter reading of AWS's texts: the same record again is a duplicate.
    await world.control.put('/control/switches', { identicalResend: 'DuplicateRecord' });
    const sender = await dyingSender(world, 0);
    await expect(tickOf(world, sender.backend, '2026-09-21T11:11:00Z')).rejects.toThrow();
    const before = [await unitsBilled(world), await statuses(world, buyers)];

    await world.tick('2026-09-21T12:11:00Z');

    expect(before).toEqual([10, ['open']]);
    expect(await billed(world)).toEqual([['2026-09-21T10', 10]]);
    expect(await statuses(world, buyers)).toEqual(['presumed']);
    expect(await differences(world)).toEqual([]);
  });

  test('a sender that dies with four of ten answers written sends the six others again and bills none twice: 10 of 10, where the AWS sample bills 20 (M19)', async () => {
    const world = await startBackendWorld(services());
    const buyers = await subscribers(world, 10);
    await world.report(buyers.map((buyer) => anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 1 })));
    const sender = await dyingSender(world, 4);
    await expect(tickOf(world, sender.backend, '2026-09-21T11:11:00Z')).rejects.toThrow();
    const before = (await statuses(world, buyers)).sort();

    await world.tick('2026-09-21T12:11:00Z');

    expect(before).toEqual([...Array(4).fill('honoured'), ...Array(6).fill('open')]);
    expect(await statuses(world, buyers)).toEqual(Array(10).fill('honoured'));
    expect(await unitsBilled(world)).toBe(10);
    expect(await differences(world)).toEqual([]);
  });
});

describe('a sender that meets a fault', () => {
  test('a fault in one of three calls costs neither of the others its answers, and that one alone is sent again, where the AWS skill writes none and sends all of them again (K2)', async () => {
    const world = await startBackendWorld(services());
    const buyers = await subscribers(world, 60);
    await world.report(buyers.map((buyer) => anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 2 })));
    await world.control.put('/control/faults', { next: [{ kind: 'internalError' }] });
    await world.tick('2026-09-21T11:11:00Z');
    const calls = await world.calls();
    const open = (await statuses(world, buyers)).filter((status) => status === 'open').length;

    await world.tick('2026-09-21T11:13:00Z');

    expect(calls).toBe(3);
    expect([10, 25]).toContain(open);
    expect(await world.calls()).toBe(4);
    expect(new Set(await statuses(world, buyers))).toEqual(new Set(['honoured']));
    expect(await unitsBilled(world)).toBe(120);
  });

  test('a fault of 20 hours leaves each hour its sum and its stamp, where the AWS sample’s message is gone after 50 minutes and made anew with another sum and hour (M18)', async () => {
    const world = await startBackendWorld(services());
    const [acme] = await subscribers(world, 1);
    if (!acme) throw new Error('Nobody subscribed.');
    await world.report([anEvent(acme, '2026-09-21T10:05:00Z', { quantity: 5 })]);
    await world.control.put('/control/faults', { next: [{ kind: 'internalError', count: 10_000 }] });
    await world.tick('2026-09-21T11:11:00Z');
    await world.report([anEvent(acme, '2026-09-21T10:06:00Z', { quantity: 7 })]);
    for (const at of ['21T11:12', '21T12:11', '21T16:11', '21T23:11', '22T07:11'])
      await world.tick(`2026-09-${at}:00Z`);

    await world.control.delete('/control/faults');
    await world.tick('2026-09-22T08:11:00Z');

    expect(await billed(world)).toEqual([
      ['2026-09-21T10', 5],
      ['2026-09-21T11', 7],
    ]);
  });
});

describe('a closer', () => {
  test('a closer that dies right after it sealed an hour leaves nothing to clean up and no false alarm, where the AWS skill’s rows are found again each hour and called lost (K5)', async () => {
    const world = await startBackendWorld(services());
    const buyers = await subscribers(world, 1);
    await world.report(buyers.map((buyer) => anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 5 })));
    let isDead = false;
    const closer = await startWorker(world, services(), {
      database: {
        refuse: () => (isDead ? REFUSED : undefined),
        answered: ({ operation, input }) => {
          isDead ||= operation === 'PutItem' && input['TableName'] === world.tables.ledger;
        },
      },
    });
    await expect(tickOf(world, closer.backend, '2026-09-21T11:11:00Z')).rejects.toThrow();
    const before = await statuses(world, buyers);

    await world.tick('2026-09-21T11:12:00Z');
    await world.tick('2026-09-21T13:11:00Z');
    await world.tick('2026-09-22T12:11:00Z');

    expect(before).toEqual(['open']);
    expect(await billed(world)).toEqual([['2026-09-21T10', 5]]);
    expect(world.logged.filter(({ level }) => level === 'error')).toEqual([]);
    expect(await differences(world)).toEqual([]);
  });

  test('a closer whose time runs out goes on where it stopped until 40 buyers are billed, where the AWS sample is cut off after 15 seconds of sends (M6)', async () => {
    const world = await startBackendWorld(services());
    const buyers = await subscribers(world, 40);
    await world.report(buyers.map((buyer) => anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 3 })));
    const { settings } = await startWorker(world, services());
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const close = createCloseHoursHandler({ environment: backendEnvironment(settings), clock: world.clock.now, log });
    await world.clock.set(Date.parse('2026-09-21T11:11:00Z'));
    let runs = 0;
    for (; (await statuses(world, buyers)).includes(undefined) && runs < 50; runs++) {
      let questions = 0;
      await close({}, { awsRequestId: 'run', getRemainingTimeInMillis: () => (++questions > 12 ? 0 : 300_000) });
    }

    await world.backend.sendMetering();

    expect(runs).toBeGreaterThan(4);
    expect(runs).toBeLessThan(50);
    expect(await unitsBilled(world)).toBe(120);
    expect(await differences(world)).toEqual([]);
  });

  test('a closer that can not write one buyer’s hour fails aloud, and nine of ten are billed before it can, where the AWS sample logs the error and calls it done (M6)', async () => {
    const world = await startBackendWorld(services());
    const buyers = await subscribers(world, 10);
    const [unlucky] = buyers;
    await world.report(buyers.map((buyer) => anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 3 })));
    let isBroken = true;
    const refuse = ({ operation, input, text }: WireCall) => {
      const isSeal = operation === 'PutItem' && input['TableName'] === world.tables.ledger;
      return isBroken && isSeal && text.includes(unlucky?.licenceKey ?? '') ? REFUSED : undefined;
    };
    const worker = await startWorker(world, services(), { database: { refuse } });
    await world.clock.set(Date.parse('2026-09-21T11:11:00Z'));
    const closing = worker.backend.closeHours();
    await expect(closing).rejects.toThrow('Some hours could not be closed');
    await worker.backend.sendMetering();
    const before = await unitsBilled(world);
    isBroken = false;

    await tickOf(world, worker.backend, '2026-09-21T11:12:00Z');

    expect(before).toBe(27);
    expect(await unitsBilled(world)).toBe(30);
    expect(worker.logged.map(({ code }) => code)).toContain('CloseFailed');
  });
});
