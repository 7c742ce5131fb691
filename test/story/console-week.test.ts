// Days in which everything goes wrong once, set right by one person in the console, and in no other way.
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { useServices } from '../backend-world.ts';
import { startConsoleWorld } from '../console/console-world.ts';
import { listNovel, register, startTroubledWorld, USED } from '../console/troubled-world.ts';
import { cloudTrailOf } from '../operations/operator.ts';
import { launchBrowser, type TestBrowser } from './browser.ts';
import { PATIENCE } from './steps.ts';

const services = useServices();
let testBrowser: TestBrowser | undefined;
beforeAll(async () => {
  testBrowser = await launchBrowser();
});
afterAll(() => testBrowser?.close());

describe('a week of troubles', () => {
  it('is set right in the console: each trouble is shown, mended with its reason, and every unit is billed once', async () => {
    const { world, buyers, webhook, successor } = await startTroubledWorld(services());
    const { url, desk, faults } = await startConsoleWorld(world);
    const context = await testBrowser?.browser.newContext({ viewport: { width: 1280, height: 900 } });
    if (!context) throw new Error('No browser was launched.');
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => void complaints.push(error.message));
    await page.goto(url);
    const trouble = (...words: readonly string[]) =>
      words.reduce((found, word) => found.filter({ hasText: word }), page.locator('.trouble'));
    const gone = (...words: readonly string[]) =>
      expect.poll(() => trouble(...words).count(), { ...PATIENCE, message: words.join(' ') }).toBe(0);

    // The schedules run again: what only waited for them goes by itself, under the reader's eyes.
    const search = page.getByLabel('Search customers');
    await search.fill('half a na');
    await page.evaluate('globalThis.untouched = true');
    await world.backend.closeHours();
    await world.backend.sendMetering();
    await world.backend.summarizeHours();
    await world.tell();
    await gone('Missed run', 'close-hours');
    await gone('About to expire', '120 requests');
    expect(await page.evaluate('globalThis.untouched')).toBe(true);
    expect(await search.inputValue()).toBe('half a na');
    expect(await page.locator('#search:focus').count()).toBe(1);
    await expect.poll(() => page.locator('#looked').innerText(), PATIENCE).toMatch(/^Needs you: .*1 quarantined/);

    // AWS lists the dimension now.
    await listNovel(world);
    await act(page, trouble('Group held back'), 'Release a group', 'the listing has the dimension now');
    await act(page, trouble('Quarantined'), 'Release', 'the listing has the dimension now');

    // The buyer pays again.
    await world.control.post(`/control/agreements/${buyers('held').agreementId}/resume`);
    await act(page, trouble('Held', '60 requests'), 'Resubmit', 'the buyer has paid');

    await act(page, trouble('Late usage held'), 'Carry on', 'agreed with the buyer');
    await act(page, trouble('Expired'), 'Carry on', 'our role had lost its permission');
    await act(page, trouble('Disputed'), 'Settle a dispute', 'the old importer was still running', async () => {
      await page.getByLabel('Decision').selectOption('carryDifference');
      await page.getByLabel(/^AWS quantity/).fill('200');
    });

    // AWS's own log tells what it has.
    const trail = await cloudTrailOf(world);
    await act(page, trouble('Uncertain'), 'Confirm from CloudTrail', 'month end', async () => {
      await page.getByLabel('End', { exact: true }).fill('2026-09-21T13');
      await page.getByLabel('Trail', { exact: true }).fill(trail);
    });

    // AWS does not say what the agreement replaces; the buyer does.
    await act(page, trouble('Notice waits', successor.agreementId), 'Link a replacement', 'the buyer says so', () =>
      page.getByLabel('Previous agreement id').fill(buyers('replaced').agreementId),
    );

    // The receiver is mended, and so is what handles notices.
    webhook.answer = { kind: 'answered', status: 204 };
    for (let left = await trouble('Webhook not delivered').count(); left > 0; left--) {
      await act(page, trouble('Webhook not delivered').first(), 'Resend a webhook', 'the receiver is mended');
    }
    await act(page, trouble('Dead letters'), 'Redrive dead letters', 'the function is mended');
    await register(world, buyers('unregistered'), 'late');

    await world.tick('2026-09-22T13:11:00Z');
    await world.deliverNotices();
    await world.tell();
    await world.backend.summarizeHours();
    await page.goto(new URL('/', url).href);
    for (const kind of ['Quarantined', 'Held', 'Late usage', 'Disputed', 'Uncertain', 'Expired', 'Not confirmed']) {
      await gone(kind);
    }
    for (const kind of [
      'Missed run',
      'Group held back',
      'Webhook not delivered',
      'Dead letters',
      'Notice waits',
      'Buyer not registered',
    ]) {
      await gone(kind);
    }

    const bill = await world.bill();
    expect(bill.reduce((sum, { quantity }) => sum + quantity, 0)).toBe(
      Object.values(USED).reduce((sum, units) => sum + units, 0),
    );
    await page.getByRole('link', { name: 'Books' }).click();
    await page.getByText('Balanced', { exact: false }).first().waitFor();
    expect(await page.locator('#books').innerText()).not.toContain('Does not balance');
    const lines = [];
    for await (const audit of desk.ledger.audit('2026-09')) lines.push(...audit);
    expect(new Set(lines.map(({ action }) => action))).toEqual(
      new Set(['release', 'releaseGroup', 'resubmit', 'carryOn', 'accept', 'confirm', 'link', 'resend', 'redrive']),
    );
    expect(lines.every(({ who, why }) => who !== '' && why !== '')).toBe(true);
    expect([...complaints, ...faults]).toEqual([]);
  }, 900_000);
});

/** From a trouble's button to its line in the audit, and back. */
async function act(
  page: Page,
  trouble: Locator,
  title: string,
  why: string,
  fill: () => Promise<void> = async () => {},
): Promise<void> {
  await trouble.getByRole('link', { name: title, exact: true }).click();
  await fill();
  await page.getByLabel('Why').fill(why);
  await page.getByRole('button', { name: 'Show what it would do' }).click();
  await page.getByRole('heading', { name: `${title}: what it would do` }).waitFor();
  const words = page.locator('label[for="typed"] .code');
  if ((await words.count()) > 0) await page.locator('#typed').fill(await words.innerText());
  await page.getByRole('button', { name: title, exact: true }).click();
  await page.getByRole('heading', { name: 'Its line in the audit' }).waitFor();
  expect(await page.locator('main').innerText()).toContain(why);
  await page.getByRole('link', { name: 'Back', exact: true }).click();
  await page.getByRole('heading', { name: 'Attention' }).waitFor();
}
