// The legacy channel after its product went over to metering by licence: a message names a buyer, not an agreement.
import { describe, expect, test } from 'vitest';
import type { Notice } from '../../lambdas/domain/notice.ts';
import { applyNotice, noteRegistration } from '../../lambdas/flow/apply-notice.ts';
import { aProduct } from '../builders.ts';
import { LifecycleTables, memoryNoticePorts } from '../doubles/memory-notices.ts';
import { ACCOUNT, aMessage, aNotice, BOUGHT_AT, BUYER, PURCHASE } from '../purchase.ts';

/** A buyer of the legacy product, then what is told once the product is metered by licence. */
async function standingAfter(before: readonly Notice[], after: readonly Notice[]) {
  const tables = new LifecycleTables();
  const legacy = aProduct({ identityStyle: 'legacy' });
  const { ports, customers } = memoryNoticePorts(tables, [legacy]);
  const buyer = { productCode: 'metrics-cloud', customerAwsAccountId: ACCOUNT, customerIdentifier: BUYER };
  const { customer } = await customers.upsert(buyer, legacy, BOUGHT_AT);
  await noteRegistration(ports, customer, BOUGHT_AT);
  for (const notice of before) await applyNotice(ports, notice, '', notice.atMs);
  const later = memoryNoticePorts(tables, [aProduct()]).ports;
  for (const notice of after) await applyNotice(later, notice, '', notice.atMs);
  return tables.outbox.at(-1)?.standing;
}

const [created, updated] = PURCHASE as [Notice, Notice];
const SUBSCRIBED = aMessage('subscribed', 2);
const ANOTHERS_END = [aMessage('unsubscribePending', 60), aMessage('unsubscribed', 120)];

describe('the legacy channel of a product that went over to licences', () => {
  test('does not end an agreement that EventBridge has named: it may speak of another one of the buyer', async () => {
    const standing = await standingAfter([SUBSCRIBED, created, updated], ANOTHERS_END);

    expect(standing).toMatchObject({ state: 'active', agreements: [{ agreementId: 'agmt-a' }] });
  });

  test('opens none that nobody would ever end', async () => {
    const standing = await standingAfter(
      [SUBSCRIBED, created, updated],
      [aNotice('agreementEnded', 60), aMessage('subscribed', 61), aNotice('licenceDeprovisioned', 62)],
    );

    expect(standing).toMatchObject({ state: 'ended', agreements: [{ agreementId: 'agmt-a' }] });
  });

  test('still ends what only it has told of', async () => {
    expect(await standingAfter([SUBSCRIBED], ANOTHERS_END)).toMatchObject({ state: 'ended' });
  });
});
