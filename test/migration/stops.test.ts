// A migration that dies at any of its writes, and is run again, brings each buyer and each unit once.
import { expect, test } from 'vitest';
import { newActionId } from '../../lambdas/domain/amendment.ts';
import { type MigrationOutcome, migrateSample } from '../../lambdas/flow/migration/migrate-sample.ts';
import type { MigrationLine } from '../../lambdas/flow/migration/report.ts';
import { LAPTOP_CREDENTIALS, openDesk } from '../../operator/desk.ts';
import { SampleTables } from '../../operator/sample-tables.ts';
import { useServices } from '../backend-world.ts';
import { billOf, closeAndSend, halfSent, movingHouse, truthOf } from './moving-house.ts';

const services = useServices();

class Died extends Error {}

/** Passes every call on; the write of a number dies, before it or after it. */
function dyingAt(number: number, isAfter: boolean) {
  let writes = 0;
  const of = <T extends object>(target: T, names: readonly string[]): T =>
    new Proxy(target, {
      get: (_, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        if (!names.includes(String(name))) return member.bind(target);
        return async (...args: unknown[]) => {
          writes += 1;
          const dies = writes === number;
          if (dies && !isAfter) throw new Died();
          const result: unknown = await member.apply(target, args);
          if (dies) throw new Died();
          return result;
        };
      },
    });
  return { of, hasCome: () => writes >= number };
}

test('a migration that dies at each of its writes in turn, before it or after it, bills each unit once in the end', {
  timeout: 240_000,
}, async () => {
  const { world, old, at } = await movingHouse(services());
  const { acme, beta } = await halfSent(old, at);
  await at('12:06');
  const desk = await openDesk(world.facts);
  const aws = { region: 'us-east-1', endpoint: world.facts.endpoints.DYNAMODB ?? '', credentials: LAPTOP_CREDENTIALS };
  const tables = new SampleTables(aws, old);
  const lines: MigrationLine[] = [];
  const run = async (number: number, isAfter: boolean): Promise<{ end?: MigrationOutcome; hasCome: boolean }> => {
    const { of, hasCome } = dyingAt(number, isAfter);
    const ports = {
      ...desk,
      tables: of(tables, ['take']),
      customers: of(desk.customers, ['upsert', 'markRegistered', 'noteStart']),
      buyers: of(desk.buyers, ['put']),
      notices: of(desk.notices, ['keep', 'link', 'tell', 'noteDue', 'finishDue']),
      usage: of(desk.usage, ['put']),
      work: of(desk.work, ['markLate', 'releaseAwaiting']),
      ledger: of(desk.ledger, ['noteAction']),
      limit: <T>(task: () => Promise<T>) => task(),
      log: { warn: () => {} },
      pause: async () => {},
    };
    const act = { actionId: newActionId(desk.clock(), `n${number}${isAfter}`), who: 'kim', why: 'a test' };
    lines.length = 0;
    try {
      const end = await migrateSample(ports, { act, takesUsage: true }, async (line) => void lines.push(line));
      return { end, hasCome: hasCome() };
    } catch (error) {
      if (error instanceof Died) return { hasCome: true };
      throw error;
    }
  };

  let deaths = 0;
  for (let number = 1; ; number++) {
    const ends = [await run(number, false), await run(number, true)];
    deaths += ends.filter(({ end }) => end === undefined).length;
    if (!ends.some(({ hasCome }) => hasCome)) break;
  }
  await closeAndSend(world);

  expect(deaths).toBeGreaterThan(20);
  expect(await billOf(world)).toEqual(truthOf(acme, beta));
  expect(
    lines
      .filter(({ fate }) => fate === 'takenBefore')
      .map(({ quantity }) => quantity)
      .sort(),
  ).toEqual([2, 20, 3, 7]);
  expect(await desk.directory.ofAccount(acme.awsAccountId, ['metrics-cloud'])).toHaveLength(1);
  tables.close();
  desk.close();
});
