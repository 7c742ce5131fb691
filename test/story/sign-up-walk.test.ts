// A buyer of a product with a sign-up page of its own: in a real Chromium, from the marketplace to the seller's page.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { axeFindings } from './axe.ts';
import { launchBrowser, type TestBrowser } from './browser.ts';
import { npmStart } from './npm-start.ts';
import { PATIENCE, toldOf } from './steps.ts';

const WINDOWS: readonly { readonly label: string; readonly options: BrowserContextOptions }[] = [
  { label: 'wide', options: { viewport: { width: 1280, height: 900 }, colorScheme: 'light' } },
  {
    label: 'narrow',
    options: { viewport: { width: 360, height: 740 }, colorScheme: 'dark' },
  },
];

const MAIN = join(import.meta.dirname, '../../cli/main.ts');
const SCREENSHOTS = join(import.meta.dirname, '../screenshots');

let testBrowser: TestBrowser | undefined;
beforeAll(async () => {
  testBrowser = await launchBrowser();
});
afterAll(() => testBrowser?.close());

it.each(WINDOWS)(
  'a buyer signs up on the seller’s own page, once, and a used address lets nobody else in: $label',
  async ({ label, options }) => {
    const start = await npmStart();
    onTestFinished(() => start.close());
    const context = await testBrowser?.browser.newContext(options);
    if (!context) throw new Error('No browser was launched.');
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const addresses: string[] = [];
    page.on('request', (request) => void addresses.push(request.url()));
    const look = async (name: string) => {
      await page.screenshot({ path: join(SCREENSHOTS, `sign-up-${name}-${label}.png`), fullPage: true });
      const { violations, passes } = await axeFindings(page);
      expect(passes).toBeGreaterThan(10);
      expect(violations).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
    };

    await page.goto(start.marketplaceUrl);
    const product = page.getByRole('article', { name: 'Demo Search' });
    await product.getByLabel('Buyer name').fill('Ada Lovelace');
    await product.getByLabel('AWS account id').fill('123456784711');
    await product.getByRole('button', { name: 'Subscribe to Demo Search' }).click();
    await page.getByRole('button', { name: /^Set up your account/ }).click();
    await page.getByRole('heading', { name: 'Create your workspace' }).waitFor();
    await look('form');
    // The hand-off is in no address that stays.
    expect(new URL(page.url()).search).toBe('');
    expect(new URL(page.url()).origin).not.toBe(start.appUrl);

    await page.getByLabel('Work e-mail').fill('ada@');
    await page.getByRole('button', { name: 'Create workspace' }).click();
    await page.getByText('Team is missing. Please fill it in.').waitFor();
    await look('mistakes');
    await page.getByLabel('Work e-mail').fill('ada@example.com');
    await page.getByLabel('Team').fill('Engines');
    await page.getByRole('button', { name: 'Create workspace' }).click();
    await page.getByRole('heading', { name: 'Your workspace is being made' }).waitFor();
    await look('welcome');

    const customerId = await page.locator('main code').innerText();
    const told = async () => (await toldOf(start, customerId)).map(({ type }) => type);
    await expect.poll(told, PATIENCE).toContain('customerRegistered');
    await page.goto(start.mailUrl);
    const confirmation = page.getByRole('article', { name: 'We have your registration for Demo Search' });
    await expect
      .poll(async () => {
        await page.reload();
        return confirmation.count();
      }, PATIENCE)
      .toBe(1);
    expect(await confirmation.locator('dl').innerText()).toContain('"Demo Search"');

    // Somebody who has found the address in the history.
    const used = addresses.find((address) => address.includes('handOff=')) ?? '';
    const thief = await testBrowser?.browser.newContext(options);
    onTestFinished(async () => thief?.close());
    const elsewhere = await thief?.newPage();
    await elsewhere?.goto(used);
    expect(await elsewhere?.locator('main').innerText()).toContain('This link was used before.');
    // The buyer's own browser goes on.
    await page.goto(used);
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
  },
);

it('the command that plays a buyer signs up there as well, and a repeat changes nothing', async () => {
  const start = await npmStart();
  onTestFinished(() => start.close());
  const command = async (line: string) => {
    const args = ['--disable-warning=ExperimentalWarning', MAIN, ...line.split(' '), '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      env: { ...process.env, FULFILLMENT_DEPLOYMENT: start.deploymentFile },
    });
    return JSON.parse(stdout) as { agreementId: string; customerId?: string };
  };

  const { agreementId, customerId } = await command(
    'buyer subscribe demo-legacy-product --register --email ada@example.com',
  );
  expect(customerId).toMatch(/^cus_/);
  expect(await command(`buyer register ${agreementId} --email eve@example.com`)).toMatchObject({ customerId });

  expect(await command('customers ls --personal')).toMatchObject({ customers: [{ email: 'ada@example.com' }] });
});
