// Acts by the console's forms: shown first, confirmed in words, done once, and never without a line in the audit.
import { userInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { anEvent, type BackendWorld, PRODUCT, startBackendWorld, useServices } from '../backend-world.ts';
import { type Heard, startConsoleWorld } from './console-world.ts';

const services = useServices();

/** A buyer of whom 300 were billed in the hour of 10. */
async function billedWorld() {
  const world = await startBackendWorld(services());
  const buyer = await world.subscribe();
  await world.report([anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 300 })]);
  await world.tick('2026-09-21T11:11:00Z');
  const served = await startConsoleWorld(world);
  const { licenceKey } = buyer;
  const form = `/acts/credit?${new URLSearchParams({ licenceKey, dimension: 'requests', back: '/customers' })}`;
  const remaining = async () => {
    const credits = await Promise.all(Array.from({ length: 64 }, (_, shard) => served.desk.ledger.credits(shard)));
    return credits.flatMap((each) => [...each.values()]).reduce((sum, { granted }) => sum + granted, 0);
  };
  return { world, buyer, ...served, form, remaining };
}

const GIVEN = { licenceKey: '', dimension: 'requests', units: '250', why: 'billed too much' };

async function auditCount(world: BackendWorld): Promise<number> {
  let count = 0;
  for await (const page of world.ledger.audit('2026-09')) count += page.length;
  return count;
}

function textOf({ body }: Heard): string {
  return body.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
}

describe('an act by the console', () => {
  test('shows first what it would do, and writes nothing until it is confirmed in its words', async () => {
    const { world, buyer, visit, send, form, remaining } = await billedWorld();
    const filled = { ...GIVEN, licenceKey: buyer.licenceKey };

    const plan = await send(await visit(form), '/acts/credit', filled);
    const mistyped = await send(plan, '/acts/credit/do', { typed: 'credit 250' });

    expect(plan.status).toBe(200);
    expect(textOf(plan)).toMatch(/billed 250 requests less.*Type credit 250 requests to confirm/);
    expect(mistyped.status).toBe(422);
    expect(textOf(mistyped)).toContain('These are not the words; nothing was done.');
    expect(await remaining()).toBe(0);
    expect(await auditCount(world)).toBe(0);
  });

  test('is done with its words, once however often the button is pressed, and shows its line in the audit', async () => {
    const { world, buyer, visit, send, form, remaining } = await billedWorld();
    const plan = await send(await visit(form), '/acts/credit', { ...GIVEN, licenceKey: buyer.licenceKey });

    const [done, again] = [
      await send(plan, '/acts/credit/do', { typed: ' credit 250 requests ' }),
      await send(plan, '/acts/credit/do', { typed: 'credit 250 requests' }),
    ];

    expect(textOf(done)).toMatch(/Grant a credit: done.*Its line in the audit.*billed too much/);
    expect(textOf(done)).toContain(`${userInfo().username} on a laptop`);
    expect(textOf(again)).toMatch(/Grant a credit: was done before/);
    expect(await remaining()).toBe(250);
    expect(await auditCount(world)).toBe(1);
    expect(textOf(await visit('/audit'))).toMatch(/credit.*billed too much/);
  });

  test('is not done without its reason, and says so at the field', async () => {
    const { world, buyer, visit, send, form } = await billedWorld();
    const filled = { ...GIVEN, licenceKey: buyer.licenceKey };

    const answer = await send(await visit(form), '/acts/credit', { ...filled, why: ' ' });

    expect(answer.status).toBe(422);
    expect(answer.body).toContain('<title>Error: Grant a credit');
    expect(answer.body).toMatch(/<input type="text" id="units" name="units" value="250"/);
    expect(answer.body).toMatch(/<a href="#why">Why<\/a> is missing/);
    expect(await auditCount(world)).toBe(0);
  });

  test('keeps what was written where a field can’t be read, and where the act is refused', async () => {
    const { buyer, visit, send, form } = await billedWorld();
    const filled = { ...GIVEN, licenceKey: buyer.licenceKey };

    const wrong = await send(await visit(form), '/acts/credit', { ...filled, units: '1.5' });
    const refused = await send(await visit(form), '/acts/credit', { ...filled, dimension: '"><script>' });

    expect(textOf(wrong)).toMatch(/Units has to be a whole number/);
    expect(wrong.body).toContain('value="1.5"');
    expect(refused.status).toBe(422);
    expect(textOf(refused)).toContain('Refused; nothing was changed.');
    expect(refused.body).not.toContain('"><script>');
  });

  test('that can be undone asks for no words', async () => {
    const { visit, send, desk, world } = await billedWorld();
    await world.backend.summarizeHours();
    const form = await visit(`/acts/setPrice?productCode=${PRODUCT}&dimension=requests`);

    const given = { productCode: PRODUCT, dimension: 'requests', price: '0.0035', why: 'as listed' };
    const plan = await send(form, '/acts/setPrice', given);
    await send(plan, '/acts/setPrice/do', {});

    expect(plan.body).not.toContain('name="typed"');
    expect(await desk.prices.prices()).toMatchObject([{ dimension: 'requests' }]);
    expect(textOf(await visit('/money'))).toMatch(/Billed \$1\.05/);
  });

  test('leads back only to a page of its own', async () => {
    const { visit } = await billedWorld();

    for (const back of ['https://evil.example/', '//evil.example/', '/\\evil.example', 'javascript:alert(1)']) {
      const page = await visit(`/acts/credit?${new URLSearchParams({ back })}`);
      expect(page.body).not.toContain('evil.example');
      expect(page.body).not.toContain('javascript:');
    }
  });

  test('that does not exist is said so, with those that do', async () => {
    const { visit } = await billedWorld();

    const page = await visit('/acts/nothing');

    expect(page.status).toBe(404);
    expect(textOf(page)).toContain('Grant a credit');
  });
});
