// The life of two contracts of one AWS account: what they include, what lies beyond it, and the end of one of them.
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { launchBrowser, type TestBrowser } from './browser.ts';
import { npmStart, type Started } from './npm-start.ts';
import { moveClock, PATIENCE, referenceOn, submitRight, toldOf, worldTime } from './steps.ts';

const SCREENSHOTS = join(import.meta.dirname, '../screenshots');
const TITLE = 'Demo Backup (contract with consumption)';
const ACCOUNT = '123456784711';

let testBrowser: TestBrowser | undefined;
beforeAll(async () => {
  testBrowser = await launchBrowser();
});
afterAll(() => testBrowser?.close());

test('two contracts of one account include, bill beyond it and end, each by itself, and the product is told', async () => {
  const start = await npmStart();
  onTestFinished(() => start.close());
  const page = await testBrowser?.browser.newPage();
  if (!page) throw new Error('No browser was launched.');
  onTestFinished(() => page.close());
  await page.goto(start.marketplaceUrl);

  const north = await subscribe(page, start, { buyer: 'Ada North', seats: 10, gbStored: 100 });
  const south = await subscribe(page, start, { buyer: 'Ada South', seats: 5, gbStored: 10 });
  expect(north).not.toBe(south);
  // A registration grants nothing: AWS says when the licence is active.
  await expect.poll(() => typesTold(start, south), PATIENCE).toEqual(['customerRegistered']);

  await moveClock(page, 'To next hour');
  await expect.poll(() => typesTold(start, north), PATIENCE).toEqual(['customerRegistered', 'accessGranted']);
  await expect.poll(() => typesTold(start, south), PATIENCE).toEqual(['customerRegistered', 'accessGranted']);
  await expect
    .poll(() => contractOf(start, north), PATIENCE)
    .toMatchObject([{ gb_stored: 100, pro_tier: true, seats: 10 }]);
  await expect
    .poll(() => contractOf(start, south), PATIENCE)
    .toMatchObject([{ gb_stored: 10, pro_tier: true, seats: 5 }]);

  await use(start, page, { customerId: north, id: 'north-1', quantity: 130 });
  await use(start, page, { customerId: south, id: 'south-1', quantity: 8 });
  await moveClock(page, 'To next hour');
  await expect.poll(() => billed(page, start), PATIENCE).toEqual([['Ada North', 'gb_stored', '1', '30', '$0.015']]);
  await expect
    .poll(() => termOf(start, north), PATIENCE)
    .toMatchObject({ included: 100, used: 130, overage: 30, left: 0 });
  await expect.poll(() => termOf(start, south), PATIENCE).toMatchObject({ included: 10, used: 8, overage: 0, left: 2 });

  await page.goto(new URL('/', start.marketplaceUrl).href);
  await use(start, page, { customerId: north, id: 'north-2', quantity: 5 });
  await page.getByRole('button', { name: `Cancel subscription for ${TITLE}, Ada North` }).click();
  await expect.poll(() => lastTold(start, north), PATIENCE).toEqual(['accessEnding', true]);
  await page.screenshot({ path: join(SCREENSHOTS, 'contract-cancelled.png'), fullPage: true });
  await moveClock(page, 'Advance 1 hour');
  const revokedBy = await worldTime(page);

  // AWS takes usage for one hour after the licence is gone; the clock has come as far.
  await expect.poll(() => billed(page, start), PATIENCE).toEqual([['Ada North', 'gb_stored', '2', '35', '$0.0175']]);
  await expect.poll(() => lastTold(start, north), PATIENCE).toEqual(['accessRevoked', false]);
  expect((await toldOf(start, north)).at(-1)?.at).toBe(revokedBy);
  expect(await typesTold(start, south)).toEqual(['customerRegistered', 'accessGranted']);
  expect(await contractOf(start, north)).toEqual([]);
  expect(await contractOf(start, south)).toMatchObject([{ seats: 5 }]);
  const sequences = (await toldOf(start, north)).map(({ sequence }) => sequence);
  expect(sequences).toEqual(sequences.map((_sequence, index) => index + 1));
  expect(start.output()).toContain(`access event: accessRevoked, number ${sequences.length} of ${north}`);
  expect(start.output()).not.toMatch(/"level":"(ERROR|WARN)"/);
  const letters = await fetch(`${start.appUrl}/demo/dead-letters`);
  expect(await letters.json()).toEqual([]);
});

interface Contract {
  readonly buyer: string;
  readonly seats: number;
  readonly gbStored: number;
}

/** Buys a contract and registers; gives the customer's id. */
async function subscribe(page: Page, start: Started, { buyer, seats, gbStored }: Contract): Promise<string> {
  await page.goto(new URL('/', start.marketplaceUrl).href);
  const product = page.getByRole('article', { name: TITLE, exact: true });
  await product.getByLabel('Buyer name').fill(buyer);
  await product.getByLabel('AWS account id').fill(ACCOUNT);
  await product.getByLabel('seats').fill(String(seats));
  await product.getByLabel('gb_stored').fill(String(gbStored));
  await product.getByRole('button', { name: 'Subscribe' }).click();
  await page.getByRole('button', { name: `Set up your account for ${TITLE}, ${buyer}` }).click();
  await page.waitForURL(`${start.appUrl}/registration`);
  await submitRight(page, buyer);
  await page.waitForURL(`${start.appUrl}/registration/done`);
  const customerId = await referenceOn(page);
  await page.goto(new URL('/', start.marketplaceUrl).href);
  return customerId;
}

/** Reports units at the world's time, as it stands on the page. */
async function use(
  { appUrl }: Started,
  page: Page,
  { id, ...what }: { id: string; customerId: string; quantity: number },
) {
  const event = { id, ...what, dimension: 'gb_stored', time: await worldTime(page) };
  const answer = await fetch(`${appUrl}/usage`, { method: 'POST', body: JSON.stringify({ events: [event] }) });
  expect(await answer.json()).toMatchObject({ outcomes: [{ id, outcome: 'recorded' }] });
}

interface Entitlements {
  readonly licences: readonly {
    readonly entitlements: readonly { readonly dimension: string; readonly value: unknown }[];
    readonly terms: readonly { readonly dimension: string; readonly included: number; readonly used: number }[];
  }[];
}

async function entitlementsOf({ appUrl }: Started, customerId: string): Promise<Entitlements> {
  const answer = await fetch(`${appUrl}/customers/${customerId}/entitlements`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Entitlements;
}

/** What each running contract of a customer includes, by dimension. */
async function contractOf(start: Started, customerId: string): Promise<readonly object[]> {
  const { licences } = await entitlementsOf(start, customerId);
  return licences.map(({ entitlements }) =>
    Object.fromEntries(entitlements.map(({ dimension, value }) => [dimension, value])),
  );
}

async function termOf(start: Started, customerId: string) {
  return (await entitlementsOf(start, customerId)).licences[0]?.terms[0];
}

async function typesTold(start: Started, customerId: string): Promise<readonly string[]> {
  return (await toldOf(start, customerId)).map(({ type }) => type);
}

async function lastTold(start: Started, customerId: string) {
  const last = (await toldOf(start, customerId)).at(-1);
  return [last?.type, last?.data.standing.hasAccess];
}

/** The rows of the bill: buyer, dimension, records, units, money. */
async function billed(page: Page, start: Started): Promise<readonly (readonly string[])[]> {
  await page.goto(start.billUrl);
  const rows = page.getByRole('region', { name: 'By product, customer and dimension' }).locator('tbody tr');
  const texts = await rows.evaluateAll((all) =>
    all.map((row) => [...row.querySelectorAll('th, td')].map((cell) => String(cell.textContent))),
  );
  return texts.map((cells) => cells.slice(1).map((cell) => cell.replace(/l-[0-9a-f]+$/, '')));
}
