// Every page of ours by axe-core in a real browser, wide and narrow, light and dark: no violation.
import { join } from 'node:path';
import type { BrowserContextOptions } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { PRODUCT, startBackendWorld, useServices } from '../backend-world.ts';
import { startConsoleWorld } from '../console/console-world.ts';
import { startTroubledWorld } from '../console/troubled-world.ts';
import { axeFindings } from './axe.ts';
import { launchBrowser, type TestBrowser } from './browser.ts';
import { submitRight } from './steps.ts';

const WINDOWS: readonly BrowserContextOptions[] = [
  { viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
  { viewport: { width: 360, height: 740 }, colorScheme: 'dark' },
];

const SCREENSHOTS = join(import.meta.dirname, '../screenshots');

const services = useServices();
let testBrowser: TestBrowser | undefined;
beforeAll(async () => {
  testBrowser = await launchBrowser();
});
afterAll(() => testBrowser?.close());

/** A window whose pages are judged as they stand: by axe, by their width, and by what the browser complains of. */
async function openWindow(options: BrowserContextOptions) {
  const context = await testBrowser?.browser.newContext(options);
  if (!context) throw new Error('No browser was launched.');
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const found: string[] = [];
  page.on('pageerror', (error) => void found.push(`script: ${error.message}`));
  const at = async (name: string): Promise<void> => {
    await page.waitForLoadState();
    const { violations, passes } = await axeFindings(page);
    // A page on which nothing could be judged was not judged.
    expect(passes, name).toBeGreaterThan(10);
    const overflow = (await page.evaluate('document.documentElement.scrollWidth - innerWidth')) as number;
    found.push(...violations.map((each) => `${name} ${each}`), ...(overflow > 0 ? [`${name} overflows`] : []));
  };
  return { page, at, found };
}

describe('what a person meets', () => {
  it('in the console has no violation', async () => {
    const { world, buyers } = await startTroubledWorld(services());
    const { url, origin, perform } = await startConsoleWorld(world);
    await perform('setPrice', { productCode: PRODUCT, dimension: 'requests', price: '0.0035' });
    const { customerId, licenceKey } = buyers('disputed');
    const customer = `/customers/${customerId}`;
    const record = new URLSearchParams({ hour: '2026-09-21T12', dimension: 'requests' });
    const paths = [
      '/',
      '/customers',
      '/customers?q=held',
      '/customers?q=nobody',
      `${customer}?details=shown`,
      `${customer}/usage`,
      `${customer}/usage?month=2026-09&by=hour`,
      `${customer}/usage?day=2026-09-21`,
      `${customer}/entitlements`,
      `${customer}/timeline`,
      `${customer}/webhooks`,
      `${customer}/audit`,
      '/metering',
      '/metering?month=2026-09',
      '/hours/2026-09-21T12',
      `/explain?${record}&licence=${licenceKey}`,
      '/money',
      '/books',
      '/audit',
      `/acts/settle?${record}&licenceKey=${licenceKey}`,
    ];

    const found: string[] = [];
    for (const options of WINDOWS) {
      const look = await openWindow(options);
      await look.page.goto(origin);
      await look.at('locked');
      await look.page.goto(url);
      for (const path of paths) {
        await look.page.goto(`${origin}${path}`);
        await look.at(path);
      }
      await look.page.getByRole('button', { name: 'Show what it would do' }).click();
      await look.at('a form with a mistake');
      await look.page.getByLabel('Why').fill('to look at it');
      await look.page.getByRole('button', { name: 'Show what it would do' }).click();
      await look.at('a plan');
      found.push(...look.found);
    }

    expect(found).toEqual([]);
  });

  it('as a buyer, and in the simulated marketplace, has no violation', async () => {
    const registration = { accent: '#9d174d', sellerName: 'Rose & Co' };
    const world = await startBackendWorld(services(), { productPages: { [PRODUCT]: { registration } } });
    const { url } = world.gateway;
    await world.control.put(`/control/products/${PRODUCT}`, {
      title: 'Metrics Cloud',
      dimensions: [{ key: 'requests', unitPriceUsd: '0.0035' }],
      fulfillmentUrl: `${url}/register`,
    });
    const marketplace = `${world.simulator.url}/?secret=${encodeURIComponent(world.simulator.controlSecret)}`;

    const found: string[] = [];
    for (const options of WINDOWS) {
      await world.control.post('/control/agreements', { productCode: PRODUCT, buyerName: 'Ada Lovelace' });
      const look = await openWindow(options);
      for (const path of ['/register', '/registration', '/registration/done']) {
        await look.page.goto(`${url}${path}`);
        await look.at(path);
      }
      await look.page.goto(marketplace);
      await look.at('marketplace');
      for (const path of ['/bill', '/notices', '/nothing']) {
        await look.page.goto(`${world.simulator.url}${path}`);
        await look.at(`marketplace ${path}`);
      }
      await look.page.goto(`${world.simulator.url}/`);
      await look.page
        .getByRole('button', { name: /^Set up your account/ })
        .first()
        .click();
      await look.page.waitForURL(`${url}/registration`);
      await look.at('registration');
      await look.page.screenshot({ path: join(SCREENSHOTS, `own-look-${options.colorScheme}.png`), fullPage: true });
      await look.page.getByRole('button', { name: 'Complete registration' }).click();
      await look.at('registration with mistakes');
      await submitRight(look.page, 'Ada Lovelace');
      await look.page.waitForURL(`${url}/registration/done`);
      await look.at('registered');
      found.push(...look.found);
    }

    expect(found).toEqual([]);
  });
});
