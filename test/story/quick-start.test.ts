// docs/quick-start.md as a person follows it: the buyer's part in a real browser, every command of it in a shell.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { launchBrowser } from './browser.ts';
import { npmStart } from './npm-start.ts';
import { moveClock, PATIENCE, referenceOn, submitRight, toldOf } from './steps.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/quick-start.md'), 'utf8');

interface Step {
  readonly commands: string;
  /** What the page says that they answer. */
  readonly answer: string;
}

/** The commands under a heading, each with the answer that is printed below it. */
function stepsUnder(heading: string): Step[] {
  const [, section = ''] = PAGE.split(new RegExp(`^## \\d\\. ${heading}$`, 'm'));
  const [own = ''] = section.split(/^## /m);
  return [...own.matchAll(/```sh\n([\s\S]*?)```\s*(?:```(?:text|json)\n([\s\S]*?)```)?/g)].map(
    ([, commands = '', answer = '']) => ({ commands, answer }),
  );
}

/** What differs from one run to the next. */
function alike(text: string): string {
  return text
    .replace(/cus_[\w-]{24}/g, 'cus_…')
    .replace(/\bl-[0-9a-f]{32}/g, 'l-…')
    .replace(/\bagmt-\w+/g, 'agmt-…')
    .replace(/\b\d{4}-\d{2}-\d{2}(?:T[\d:.]*\d|T\d{2})?Z?/g, 'TIME')
    .replace(/\b\d{2}:\d{2}(?::\d{2})?Z?/g, 'TIME')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1')
    .replace(/\b[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
    .replace(/\b[0-9a-f]{6,}\b/g, 'ID')
    .replace(/\d+(\.\d+)? (s|min|h|rows\/s)\b/g, 'SPAN')
    .replace(/[ \t]+/g, ' ')
    .trim();
}

test('every command of the quick start answers what the page says', async () => {
  const start = await npmStart();
  onTestFinished(() => start.close());
  const { browser, close } = await launchBrowser();
  onTestFinished(close);
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  const folder = mkdtempSync(join(tmpdir(), 'quick-start-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));

  await page.goto(start.marketplaceUrl);
  const product = page.getByRole('article', { name: 'Demo Metrics Cloud' });
  await product.getByLabel('Buyer name').fill('Ada Lovelace');
  await product.getByRole('button', { name: 'Subscribe to Demo Metrics Cloud' }).click();
  await page.getByRole('button', { name: /^Set up your account/ }).click();
  await page.waitForURL(`${start.appUrl}/registration`);
  await submitRight(page, 'Ada Lovelace');
  await page.waitForURL(`${start.appUrl}/registration/done`);
  const CUSTOMER = await referenceOn(page);
  const [, TIME = ''] = /"time":"([^"]+)"/.exec(start.curl.body) ?? [];

  const environment = {
    ...process.env,
    PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
    CUSTOMER,
    TIME,
    FULFILLMENT_DEPLOYMENT: start.deploymentFile,
  };
  const follow = (heading: string) => {
    const steps = stepsUnder(heading);
    expect(steps.length, heading).toBeGreaterThan(0);
    for (const { commands, answer } of steps) {
      if (commands.includes('…')) continue;
      const here = commands
        .replaceAll('http://127.0.0.1:7300', start.appUrl)
        .replaceAll('npx fulfillment', `node --disable-warning=ExperimentalWarning ${join(ROOT, 'cli/main.ts')}`);
      const ran = spawnSync('bash', ['-euc', here], { cwd: folder, env: environment, encoding: 'utf8' });
      expect({ commands, stderr: ran.status === 0 ? '' : ran.stderr, status: ran.status }).toEqual({
        commands,
        stderr: '',
        status: 0,
      });
      if (answer !== '') expect(alike(ran.stdout), commands).toBe(alike(answer));
    }
  };
  const backToMarketplace = () => page.goto(new URL('/', start.marketplaceUrl).href);

  follow('Report usage');
  await backToMarketplace();
  await moveClock(page, 'To next hour');
  const billed = async () => {
    await page.goto(start.billUrl);
    return page.getByText('12', { exact: true }).count();
  };
  await expect.poll(billed, PATIENCE).toBeGreaterThan(0);
  follow('Ask the books');
  await backToMarketplace();
  await page.getByRole('button', { name: /^Cancel subscription/ }).click();
  await expect.poll(() => page.getByText('Ended (CANCELLED)').count(), PATIENCE).toBe(1);
  await moveClock(page, 'Advance 1 hour');
  await expect.poll(async () => (await toldOf(start, CUSTOMER)).at(-1)?.type, PATIENCE).toBe('accessRevoked');
  follow('End it');
});
