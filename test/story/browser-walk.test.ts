import { join } from 'node:path';
import type { BrowserContext, BrowserContextOptions, Page, Request } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { launchBrowser, type TestBrowser } from './browser.ts';
import { npmStart, type Started } from './npm-start.ts';
import { auditPage } from './page-audit.ts';
import { moveClock, PATIENCE, referenceOn, submitRight, toldOf, worldTime } from './steps.ts';

const WINDOWS: readonly { readonly name: string; readonly label: string; readonly options: BrowserContextOptions }[] = [
  {
    name: 'a wide, light window',
    label: 'wide',
    options: { viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
  },
  {
    name: 'a narrow, dark window without JavaScript',
    label: 'narrow',
    options: { viewport: { width: 360, height: 740 }, colorScheme: 'dark', javaScriptEnabled: false },
  },
];

const SCREENSHOTS = join(import.meta.dirname, '../screenshots');
const SESSION_COOKIE = '__Host-registration';

describe('The walk from the marketplace to the bill and out again', () => {
  let testBrowser: TestBrowser | undefined;
  beforeAll(async () => {
    testBrowser = await launchBrowser();
  });
  afterAll(() => testBrowser?.close());

  it.each(WINDOWS)(
    'a buyer subscribes, registers once, is billed once for what was used, and leaves: in $name',
    async ({ label, options }) => {
      const start = await npmStart();
      onTestFinished(() => start.close());
      const context = await testBrowser?.browser.newContext(options);
      if (!context) throw new Error('No browser was launched.');
      onTestFinished(() => context.close());
      const seen = watch(context);
      const look = lookThrough(label);
      const page = await context.newPage();

      // The marketplace trades the secret in its address for a cookie.
      await page.goto(start.marketplaceUrl);
      expect(page.url()).toBe(new URL('/', start.marketplaceUrl).href);
      await look(page, '01-marketplace');
      const product = page.getByRole('article', { name: 'Demo Metrics Cloud' });
      await product.getByLabel('Buyer name').fill('Ada Lovelace');
      await product.getByLabel('AWS account id').fill('123456784711');
      await product.getByRole('button', { name: 'Subscribe to Demo Metrics Cloud' }).click();
      await expect.poll(() => page.getByText('Active', { exact: true }).count(), PATIENCE).toBe(1);
      await look(page, '02-subscribed');

      await page.getByRole('button', { name: /^Set up your account/ }).click();
      await page.waitForURL(`${start.appUrl}/registration`);
      await look(page, '03-registration');
      await expectRegistrationPage(page);
      const sameFormElsewhere = await context.newPage();
      await sameFormElsewhere.goto(page.url());

      await submitWithMistakes(page);
      await look(page, '04-mistakes');
      await expectMistakesShown(page);
      await submitRight(page, 'Ada Lovelace');
      await page.waitForURL(`${start.appUrl}/registration/done`);
      await look(page, '05-registered');
      expect(await page.locator('h1').innerText()).toBe('Thank you, you are registered');
      const customerId = await referenceOn(page);
      expect(customerId).toMatch(/^cus_[\w-]{20,}$/);

      // Nothing that a buyer may press registers twice.
      await page.reload();
      expect(await referenceOn(page)).toBe(customerId);
      await submitRight(sameFormElsewhere, 'Somebody Else');
      // Nobody is thanked for answers that are not kept.
      await sameFormElsewhere.getByRole('heading', { name: 'You are registered already' }).waitFor();
      await look(sameFormElsewhere, '06-other-answers');
      expect(await referenceOn(sameFormElsewhere)).toBe(customerId);
      await sameFormElsewhere.close();
      await page.goto(new URL('/', start.marketplaceUrl).href);
      await page.getByRole('button', { name: /^Set up your account/ }).click();
      await page.waitForURL(`${start.appUrl}/registration`);
      await look(page, '07-came-again');
      expect(await page.locator('h1').innerText()).toBe('You are registered already');
      expect(await referenceOn(page)).toBe(customerId);

      await expectConfirmed(page, start, customerId);
      await look(page, '07-mail');

      expect(await curl(start, customerId)).toMatchObject({ outcomes: [{ id: 'event-1', outcome: 'recorded' }] });
      expect(await curl(start, customerId)).toMatchObject({ outcomes: [{ id: 'event-1', outcome: 'already' }] });

      await page.goto(new URL('/', start.marketplaceUrl).href);
      await moveClock(page, 'To next hour');
      expect(await worldTime(page)).toMatch(/:00:00\.000Z$/);
      await page.goto(start.billUrl);
      await look(page, '08-empty-bill');
      await expectBilled(page);
      await look(page, '09-bill');

      await page.getByRole('link', { name: 'Marketplace', exact: true }).click();
      await page.getByRole('button', { name: /^Cancel subscription/ }).click();
      await expect.poll(() => page.getByText('Ended (CANCELLED)').count(), PATIENCE).toBe(1);
      await look(page, '10-cancelled');
      expect(await page.getByRole('button', { name: /^Set up your account/ }).count()).toBe(0);
      // The end is told twice: when the agreement ends, and when the licence is gone.
      await expect.poll(() => lastTold(start, customerId), PATIENCE).toEqual(['accessEnding', true]);
      await moveClock(page, 'Advance 1 hour');
      await expect.poll(() => lastTold(start, customerId), PATIENCE).toEqual(['accessRevoked', false]);
      const time = await worldTime(page);
      expect(await curl(start, customerId, { id: 'event-2', time })).toMatchObject({
        counts: { recorded: 0, refused: 1 },
        outcomes: [
          { id: 'event-2', outcome: 'refused', code: 'licenceEnded', message: expect.stringMatching(/ended/) },
        ],
      });
      await page.goto(start.billUrl);
      await expectBilled(page);

      await expectKeptToItself(start, context, seen);
    },
  );
});

interface Seen {
  readonly requests: Request[];
  /** Errors and warnings of the console, uncaught errors, and requests that failed. */
  readonly complaints: string[];
  /** Every address that any window has shown. */
  readonly addresses: string[];
}

function watch(context: BrowserContext): Seen {
  const seen: Seen = { requests: [], complaints: [], addresses: [] };
  context.on('request', (request) => void seen.requests.push(request));
  context.on(
    'requestfailed',
    (request) => void seen.complaints.push(`${request.failure()?.errorText} ${request.url()}`),
  );
  context.on('weberror', (error) => void seen.complaints.push(String(error.error())));
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) seen.complaints.push(message.text());
  });
  context.on('page', (page) => {
    page.on('framenavigated', (frame) => void seen.addresses.push(frame.url()));
  });
  return seen;
}

/** Looks at a page as it stands: keeps a picture of it, and measures what every page has to hold. */
function lookThrough(label: string): (page: Page, name: string) => Promise<void> {
  return async (page, name) => {
    await page.waitForLoadState();
    await page.screenshot({ path: join(SCREENSHOTS, `${label}-${name}.png`), fullPage: true });
    const { lang, headings, overflow, unlabelled, faint, measured, stored } = await auditPage(page);
    const skips = headings.filter((level, index) => level > (headings[index - 1] ?? 0) + 1);
    expect({ lang, overflow, unlabelled, faint, stored, skips }, `page ${name}`).toEqual({
      lang: 'en',
      overflow: 0,
      unlabelled: [],
      faint: [],
      stored: [],
      skips: [],
    });
    expect(headings.filter((level) => level === 1)).toHaveLength(1);
    expect(measured).toBeGreaterThan(5);
  };
}

async function expectRegistrationPage(page: Page): Promise<void> {
  expect(await page.locator('h1').innerText()).toBe('Set up Demo Metrics Cloud');
  const text = await page.locator('body').innerText();
  expect(text).toContain('AWS account ending in 4711');
  expect(text).not.toContain('12345678');
  expect(text).toContain('support@example.com');
  expect(await page.getByRole('list', { name: /Steps/ }).getByRole('listitem').allInnerTexts()).toEqual([
    '✓ Subscribed',
    '2 Details',
    '3 Access',
  ]);
  expect(await tabOrder(page, 'Complete registration')).toEqual([
    'E-mail address',
    'Your name',
    'Company',
    'Phone (optional)',
    'Complete registration',
  ]);
}

/** What Tab reaches, by the names that a screen reader says, up to the one that is waited for. */
async function tabOrder(page: Page, last: string): Promise<readonly string[]> {
  const names: string[] = [];
  while (names.at(-1) !== last && names.length < 20) {
    await page.keyboard.press('Tab');
    const focused = page.locator(':focus');
    const id = await focused.getAttribute('id');
    names.push(await (id === null ? focused : page.locator(`label[for="${id}"]`)).innerText());
  }
  return names;
}

/** Leaves the name out and half of the address, and sends it with the keyboard. */
async function submitWithMistakes(page: Page): Promise<void> {
  await page.getByLabel('E-mail address').fill('ada@');
  await page.getByLabel('Company').fill('Analytical Engines');
  await page.getByRole('button', { name: 'Complete registration' }).press('Enter');
  await page.getByRole('alert').waitFor();
}

async function expectMistakesShown(page: Page): Promise<void> {
  expect(await page.title()).toMatch(/^Error: /);
  const summary = page.getByRole('alert', { name: 'Please check what you wrote' });
  await expect.poll(() => summary.and(page.locator(':focus')).count(), PATIENCE).toBe(1);
  const links = await summary.getByRole('link').all();
  expect(links).toHaveLength(2);
  const fields = ['E-mail address', 'Your name'];
  for (const [index, link] of links.entries()) {
    const field = page.getByLabel(fields[index] ?? '');
    const message = await link.innerText();
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    const described = (await field.getAttribute('aria-describedby')) ?? '';
    const descriptions = described.split(' ').map((id) => page.locator(`[id="${id}"]`).innerText());
    expect(await Promise.all(descriptions)).toContain(message);
    await link.click();
    await expect.poll(() => field.and(page.locator(':focus')).count(), PATIENCE).toBe(1);
  }
  expect(await page.getByLabel('E-mail address').inputValue()).toBe('ada@');
  expect(await page.getByLabel('Company').inputValue()).toBe('Analytical Engines');
}

/** The printed line with the customer's id in it, sent as curl would. */
async function curl({ curl }: Started, customerId: string, overrides: object = {}): Promise<unknown> {
  const { events } = JSON.parse(curl.body.replace('cus_…', customerId)) as { events: [object] };
  const response = await fetch(curl.url, {
    method: 'POST',
    headers: { 'user-agent': 'curl/8.17.0', 'content-type': 'application/x-www-form-urlencoded' },
    body: JSON.stringify({ events: [{ ...events[0], ...overrides }] }),
  });
  expect(response.status).toBe(200);
  return response.json();
}

/** Five requests at $0.0004, in one record, however often the page is looked at. */
async function expectBilled(page: Page): Promise<void> {
  const totals = page.getByRole('region', { name: 'By product, customer and dimension' });
  const rows = async () => {
    await page.reload();
    return totals.locator('tbody tr').evaluateAll((all) => all.map((row) => String(row.textContent)));
  };
  await expect.poll(rows, PATIENCE).toEqual([expect.stringMatching(/Demo Metrics Cloud.*Ada Lovelace/s)]);
  const cells = await totals.locator('tbody tr').locator('th, td').allInnerTexts();
  expect(cells.slice(2)).toEqual(['requests', '1', '5', '$0.002']);
}

/** The buyer's confirmation, in both parts, once; and the seller's mail. */
async function expectConfirmed(page: Page, { mailUrl, appUrl }: Started, customerId: string): Promise<void> {
  expect(mailUrl).toBe(`${appUrl}/demo/mails`);
  const confirmation = page.getByRole('article', { name: 'We have your registration for Demo Metrics Cloud' });
  const toSeller = page.getByRole('article', { name: 'New customer of Demo Metrics Cloud' });
  // One goes out after the other, and the page may be opened in between.
  const found = async () => {
    await page.goto(mailUrl);
    return [await confirmation.count(), await toSeller.count()];
  };
  await expect.poll(found, PATIENCE).toEqual([1, 1]);
  expect(await confirmation.locator('dd').first().innerText()).toBe('ada@example.com');
  const shown = confirmation.frameLocator('iframe').locator('body');
  for (const part of [await shown.innerText(), (await confirmation.locator('pre').textContent()) ?? '']) {
    expect(part).toContain('Thank you for registering for Demo Metrics Cloud.');
    expect(part).toContain(customerId);
  }
}

async function lastTold(start: Started, customerId: string) {
  const last = (await toldOf(start, customerId)).at(-1);
  return [last?.type, last?.data.standing.hasAccess];
}

/** Nothing left our two origins, nobody complained, and the token was in no place that is kept. */
async function expectKeptToItself(start: Started, context: BrowserContext, seen: Seen): Promise<void> {
  const origins = new Set(seen.requests.map((request) => new URL(request.url()).origin));
  expect([...origins].toSorted()).toEqual([new URL(start.marketplaceUrl).origin, start.appUrl].toSorted());
  expect(seen.complaints).toEqual([expect.stringMatching(/status of 422/)]);

  const arrivals = seen.requests.filter(
    (request) => request.method() === 'POST' && request.url() === `${start.appUrl}/register`,
  );
  const tokens = arrivals.map((request) =>
    new URLSearchParams(request.postData() ?? '').get('x-amzn-marketplace-token'),
  );
  expect(tokens).toHaveLength(2);
  const secret = new URL(start.marketplaceUrl).searchParams.get('secret') ?? '';
  const cookies = await context.cookies();
  const addressesSent = seen.requests
    .slice(1)
    .flatMap((request) => [request.url(), request.headers()['referer'] ?? '']);
  const kept = JSON.stringify([addressesSent, seen.addresses, cookies]);
  for (const text of [...tokens, secret]) {
    expect(text?.length).toBeGreaterThan(20);
    expect(kept).not.toContain(text);
    expect(kept).not.toContain(encodeURIComponent(text ?? ''));
  }
  expect(start.output().split('Ctrl-C')[1]).not.toMatch(/"level":"(ERROR|WARN)"/);
  expect(cookies.filter(({ name }) => !name.startsWith('marketplace-simulator'))).toEqual([
    expect.objectContaining({ name: SESSION_COOKIE, httpOnly: true, secure: true, sameSite: 'Lax', path: '/' }),
  ]);
}
