// What a person does on the pages, step by step.
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { AccessEventEnvelope } from '../../lambdas/contracts/access-event.ts';
import type { Started } from './npm-start.ts';

/** For what other processes do; far more than they need, for machines under load. */
export const PATIENCE = { timeout: 60_000, interval: 200 };

export async function submitRight(page: Page, name: string): Promise<void> {
  await page.getByLabel('E-mail address').fill('ada@example.com');
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Company').fill('Analytical Engines');
  await page.getByRole('button', { name: 'Complete registration' }).click();
}

export async function referenceOn(page: Page): Promise<string> {
  return page.locator('dt', { hasText: 'Your reference' }).locator('xpath=following-sibling::dd[1]').innerText();
}

export async function worldTime(page: Page): Promise<string> {
  return (await page.getByRole('region', { name: 'Clock' }).locator('time').getAttribute('datetime')) ?? '';
}

export async function moveClock(page: Page, button: string): Promise<void> {
  const before = await worldTime(page);
  await page.getByRole('button', { name: button }).click();
  await expect.poll(() => worldTime(page), PATIENCE).not.toBe(before);
  await page.waitForLoadState();
}

/** What the seller's product was told of a customer, in order. */
export async function toldOf({ appUrl }: Started, customerId: string): Promise<readonly AccessEventEnvelope[]> {
  const response = await fetch(`${appUrl}/demo/access-events`);
  const { events } = (await response.json()) as { events: AccessEventEnvelope[] };
  return events.filter((event) => event.customerId === customerId).toReversed();
}
