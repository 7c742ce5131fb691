// What of a notice is kept: members that AWS adds later may name people, too.
import { describe, expect, test } from 'vitest';
import { parseNotice } from '../../lambdas/contracts/marketplace-notice.ts';

function kept(members: object): Record<string, unknown> {
  const event = {
    id: 'e-1',
    'detail-type': 'Something New - Proposer',
    source: 'aws.agreement-marketplace',
    time: '2026-09-21T10:00:00Z',
    detail: members,
  };
  const reading = parseNotice(JSON.stringify(event), { sentAtMs: 0 });
  if (reading.kind === 'refused') throw new Error(reading.reason);
  return JSON.parse(reading.received).detail;
}

describe('a notice as it is kept', () => {
  test.each([
    { firstName: 'Ann', lastName: 'Lee', legalName: 'Lee Ltd', userName: 'annlee' },
    { agreementCancellationRequest: { description: 'Ann Lee asked for it' } },
    { comment: 'Ann Lee', comments: ['Ann Lee'], note: 'Ann Lee' },
    { requestedBy: 'annlee@example.com', cc: ['Ann Lee <annlee@example.com>'] },
    { contact: { value: 'Ann Lee' }, billingAddress: { street: 'Lee Street' }, phoneNumber: '1 annlee' },
  ])('names nobody, whatever the member is called: %j', (members) => {
    expect(JSON.stringify(kept(members))).not.toMatch(/ann|lee/i);
  });

  test('keeps what names no person: ids, codes, accounts, ARNs and times', () => {
    const members = {
      agreement: { id: 'agmt-1', status: 'ACTIVE', acceptorId: '111122223333', startTime: '2026-09-21T10:00:00Z' },
      product: { id: 'prod-1', code: 'metrics-cloud', title: 'Metrics Cloud' },
      license: { arn: 'arn:aws:license-manager::294406891311:license:l-0123456789abcdef0123456789abcdef' },
      agreementCancellationRequest: { reasonCode: 'OTHER', statusCode: 'PENDING_APPROVAL' },
    };

    expect(kept(members)).toEqual(members);
  });
});
