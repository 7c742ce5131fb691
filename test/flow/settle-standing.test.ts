// What metering hears of an agreement that was signed for a later day and has ended before it.
import { expect, test } from 'vitest';
import { applyNotice, settleDue } from '../../lambdas/flow/apply-notice.ts';
import { settleStanding } from '../../lambdas/flow/settle-standing.ts';
import { aProduct, LICENCE_ARN } from '../builders.ts';
import { LifecycleTables, memoryNoticePorts } from '../doubles/memory-notices.ts';
import { ACCOUNT, aMessage, aNotice, BOUGHT_AT, BUYER, MINUTE } from '../purchase.ts';

test.each(['licence', 'legacy'] as const)('a %s that ended before its day does not begin on it', async (style) => {
  const startsAt = BOUGHT_AT + 60 * MINUTE;
  const tables = new LifecycleTables();
  const product = aProduct({ identityStyle: style });
  const { ports, customers } = memoryNoticePorts(tables, [product]);
  const name = style === 'legacy' ? { customerIdentifier: BUYER } : { licenceArn: LICENCE_ARN };
  await customers.upsert({ productCode: 'metrics-cloud', customerAwsAccountId: ACCOUNT, ...name }, product, BOUGHT_AT);
  const heard = [
    ...(style === 'legacy' ? [aMessage('subscribed', 0)] : []),
    aNotice('agreementCreated', 0, { startsAt }),
    aNotice('licenceUpdated', 1),
    aNotice('agreementEnded', 30, { status: 'CANCELLED' }),
    aNotice('licenceDeprovisioned', 31),
  ];
  for (const notice of heard) await applyNotice(ports, notice, '', notice.atMs);
  expect(tables.outbox.at(-1)?.standing.state).toBe('ended');

  expect(await settleDue(ports, startsAt)).toBeLessThan(2);
  await settleStanding(ports, 'cus_1', startsAt + MINUTE);

  const [licence] = [...tables.licences.values()];
  expect(licence?.ending).toMatchObject({ revokedAt: BOUGHT_AT + 31 * MINUTE });
  expect(licence?.periods.filter(({ from = 0 }) => from >= startsAt)).toEqual([]);
});
