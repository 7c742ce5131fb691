// AWS's notices as the production code reads them: each sample, and what else a queue may bring.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseNotice } from '../../lambdas/contracts/marketplace-notice.ts';
import { type Notice, threadOf } from '../../lambdas/domain/notice.ts';
import { at } from '../builders.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/notices');
const SENT = { sentAtMs: at('2026-09-21T14:30:00Z') };
const ARN = 'arn:aws:license-manager::294406891311:license:l-0123456789abcdef0123456789abcdef';

function fixture(path: string): string {
  return readFileSync(join(FIXTURES, path), 'utf8');
}

function read(body: string): { notice: Notice; received: string } {
  const reading = parseNotice(body, SENT);
  if (reading.kind === 'refused') throw new Error(`${reading.code}: ${reading.reason}`);
  return reading;
}

function changed(path: string, change: (json: Record<string, unknown>) => void): string {
  const json = JSON.parse(fixture(path));
  change(json);
  return JSON.stringify(json);
}

/** Every sample, and the kind and status that are to be read from it. */
const KINDS: Readonly<Record<string, string>> = {
  'eventbridge/agreement-cancellation-request-approved.proposer.json': 'recorded',
  'eventbridge/agreement-cancellation-request-cancelled.proposer.json': 'cancellationDropped',
  'eventbridge/agreement-cancellation-request-pending-approval.proposer.json': 'cancellationRequested',
  'eventbridge/agreement-cancellation-request-rejected.proposer.json': 'cancellationDropped',
  'eventbridge/agreement-cancellation-request-validation-failed.proposer.json': 'cancellationDropped',
  'eventbridge/license-deprovisioned.manufacturer.json': 'licenceDeprovisioned',
  'eventbridge/license-updated.manufacturer.json': 'licenceUpdated',
  'eventbridge/purchase-agreement-advisory-issued.manufacturer.json': 'advisoryIssued',
  'eventbridge/purchase-agreement-advisory-resolved.manufacturer.json': 'advisoryResolved',
  'eventbridge/purchase-agreement-amended.manufacturer.cppo.json': 'agreementAmended',
  'eventbridge/purchase-agreement-amended.proposer.json': 'agreementAmended',
  'eventbridge/purchase-agreement-billing-adjustment-completed.proposer.json': 'recorded',
  'eventbridge/purchase-agreement-billing-adjustment-failed.proposer.json': 'recorded',
  'eventbridge/purchase-agreement-created.proposer.new-contract.json': 'agreementCreated',
  'eventbridge/purchase-agreement-created.proposer.new-payg.json': 'agreementCreated',
  'eventbridge/purchase-agreement-created.proposer.renew.json': 'agreementCreated',
  'eventbridge/purchase-agreement-created.proposer.replace.json': 'agreementCreated',
  'eventbridge/purchase-agreement-ended.manufacturer.cppo.cancelled.json': 'agreementEnded',
  'eventbridge/purchase-agreement-ended.proposer.cancelled.json': 'agreementEnded',
  'eventbridge/purchase-agreement-ended.proposer.expired.json': 'agreementEnded',
  'eventbridge/purchase-agreement-ended.proposer.renewed.json': 'agreementSucceeded',
  'eventbridge/purchase-agreement-ended.proposer.terminated.json': 'agreementEnded',
  'eventbridge/purchase-agreement-ending.proposer.json': 'recorded',
  'eventbridge/purchase-agreement-renewal-terms-finalized.proposer.json': 'recorded',
  'eventbridge/purchase-agreement-renewal-upcoming.proposer.json': 'recorded',
  'sns/message.entitlement-updated.json': 'entitlementsUpdated',
  'sns/message.subscribe-fail.json': 'subscribeFailed',
  'sns/message.subscribe-success.free-trial.json': 'subscribed',
  'sns/message.subscribe-success.json': 'subscribed',
  'sns/message.unsubscribe-pending.json': 'unsubscribePending',
  'sns/message.unsubscribe-success.json': 'unsubscribed',
  'sns/sqs-body.entitlement-updated.json': 'entitlementsUpdated',
  'sns/sqs-body.subscribe-fail.json': 'subscribeFailed',
  'sns/sqs-body.subscribe-success.free-trial.json': 'subscribed',
  'sns/sqs-body.subscribe-success.json': 'subscribed',
  'sns/sqs-body.unsubscribe-success.json': 'unsubscribed',
};

describe('every sample', () => {
  test('has its kind in the list', () => {
    const samples = ['eventbridge', 'sns'].flatMap((folder) =>
      readdirSync(join(FIXTURES, folder)).map((file) => `${folder}/${file}`),
    );

    expect(Object.keys(KINDS).sort()).toEqual(samples.sort());
  });

  test.each(Object.entries(KINDS))('%s is read as %s, of its agreement or buyer', (path, kind) => {
    const { notice, received } = read(fixture(path));

    expect(notice.kind).toBe(kind);
    expect(threadOf(notice)).toMatch(/^agreement#agmt-example[ab]+$|^buyer#c-[0-9a-f]{32}$/);
    expect(JSON.parse(received)).toBeTypeOf('object');
    expect(received).not.toContain('Example Seller');
    expect(received).not.toContain('reasonMessage');
  });
});

describe('an event', () => {
  test('is read with all that joins it to a licence, a buyer and a product', () => {
    expect(read(fixture('eventbridge/license-updated.manufacturer.json')).notice).toEqual({
      noticeId: 'eb-00000000-0000-4000-8000-000000000015',
      channel: 'eventBridge',
      kind: 'licenceUpdated',
      type: 'License Updated - Manufacturer',
      atMs: at('2026-09-21T14:24:23Z'),
      agreementId: 'agmt-exampleaaaaaaaaaaaaaaaaaa',
      licenceArn: ARN,
      productCode: 'exampleproductcode1234567',
      customerAwsAccountId: '111122223333',
      offerId: 'offer-exampleabc123',
    });
  });

  test('tells of the agreement before it, and when it begins; an end in the year 9999 is none', () => {
    expect(read(fixture('eventbridge/purchase-agreement-created.proposer.renew.json')).notice).toMatchObject({
      intent: 'RENEW',
      previousAgreementId: 'agmt-exampleaaaaaaaaaaaaaaaaaa',
      startsAt: at('2026-08-30T21:36:03Z'),
      endsAt: at('2027-05-30T21:36:03Z'),
    });
    const payg = read(fixture('eventbridge/purchase-agreement-created.proposer.new-payg.json')).notice;
    expect(payg.startsAt).toBe(at('2026-09-21T14:23:11.013Z'));
    expect(payg.endsAt).toBeUndefined();
  });

  test.each(['RENEWED', 'REPLACED', 'replaced'])('that an agreement ended as %s is no end', (status) => {
    const body = changed('eventbridge/purchase-agreement-ended.proposer.cancelled.json', (json) => {
      (json['detail'] as { agreement: { status: string } }).agreement.status = status;
    });

    expect(read(body).notice.kind).toBe('agreementSucceeded');
  });

  test.each([
    ['Purchase Agreement Sealed - Proposer', 'recorded'],
    ['Purchase Agreement Spend Threshold Reached', 'recorded'],
    ['Spend Threshold Vet Failed - Manufacturer', 'spendVetFailed'],
    ['Purchase Agreement Spend Threshold Vet Succeeded - Proposer', 'spendVetPassed'],
    ['Purchase Agreement Ended', 'agreementEnded'],
  ])('of the type "%s" is kept as %s', (type, kind) => {
    const body = changed('eventbridge/purchase-agreement-ended.proposer.cancelled.json', (json) => {
      Object.assign(json, { 'detail-type': type, news: { deep: [1] } });
    });

    const { notice, received } = read(body);

    expect(notice).toMatchObject({ kind, type, agreementId: 'agmt-exampleaaaaaaaaaaaaaaaaaa' });
    expect(JSON.parse(received)).toMatchObject({ news: { deep: [1] } });
  });

  test('of a type and shape that nobody knows is kept by its day', () => {
    const event = {
      id: 'e1',
      'detail-type': 'Vat Notice',
      source: 'aws.agreement-marketplace',
      time: '2026-09-21T00:00:01Z',
    };

    const { notice } = read(JSON.stringify({ ...event, detail: 'text' }));

    expect(threadOf(notice)).toBe('unplaced#2026-09-21');
  });

  test('finds its agreement among the resources where the detail names none', () => {
    const body = changed('eventbridge/purchase-agreement-ended.proposer.cancelled.json', (json) => {
      delete (json['detail'] as { agreement: { id?: string } }).agreement.id;
    });

    expect(read(body).notice.agreementId).toBe('agmt-exampleaaaaaaaaaaaaaaaaaa');
  });

  test('loses a member that has another shape than it should, and no more than that', () => {
    const body = changed('eventbridge/license-updated.manufacturer.json', (json) => {
      Object.assign(json['detail'] as object, { offer: 7, acceptor: { accountId: 11_122_223_333 } });
    });

    const { notice } = read(body);

    expect(notice.offerId).toBeUndefined();
    expect(notice).toMatchObject({ licenceArn: ARN, customerAwsAccountId: '011122223333' });
  });
});

describe('a message of a topic', () => {
  test('is the same notice in its envelope however often it is delivered, at the topic’s time', () => {
    const body = fixture('sns/sqs-body.subscribe-success.free-trial.json');

    expect(read(body).notice).toEqual({
      noticeId: 'sns-22222222-2222-4222-8222-000000000002',
      channel: 'sns',
      kind: 'subscribed',
      type: 'subscribe-success',
      atMs: at('2026-09-21T14:24:23Z'),
      productCode: 'exampleproductcode1234567',
      customerIdentifier: 'X01EXAMPLEX',
      offerId: 'offer-exampleabc123',
      isFreeTrial: true,
    });
    expect(read(body).received).not.toContain('Signature');
  });

  test('without its envelope has the queue’s time, and the same id for the same content and time', () => {
    const body = fixture('sns/message.unsubscribe-pending.json');
    const { notice } = read(body);

    expect(notice).toMatchObject({ kind: 'unsubscribePending', atMs: SENT.sentAtMs, isFreeTrial: false });
    expect(read(body).notice.noticeId).toBe(notice.noticeId);
    const later = parseNotice(body, { sentAtMs: SENT.sentAtMs + 1 });
    expect(later).not.toMatchObject({ notice: { noticeId: notice.noticeId } });
  });

  test('is read with the blanks and the trailing comma of AWS’s own sample', () => {
    const message =
      '\n{\n"action": "subscribe-success",\n"customer-identifier": " X01EXAMPLEX",\n"product-code": "n0123 ,}",\n"isFreeTrialTermPresent":"true",\n}';
    const envelope = { Type: 'Notification', MessageId: 'm-1', Timestamp: '2026-09-21T14:24:23Z', Message: message };

    for (const body of [message, JSON.stringify(envelope)]) {
      expect(read(body).notice).toMatchObject({
        kind: 'subscribed',
        customerIdentifier: 'X01EXAMPLEX',
        productCode: 'n0123 ,}',
        isFreeTrial: true,
      });
    }
  });

  test('with an action that AWS adds later is kept', () => {
    const body = fixture('sns/message.subscribe-success.json').replace('subscribe-success', 'subscribe-paused');

    expect(read(body).notice).toMatchObject({ kind: 'recorded', type: 'subscribe-paused' });
  });
});

describe('poison', () => {
  test.each([
    ['', 'notJson', 'The message is no JSON object.'],
    ['[]', 'notJson', 'The message is no JSON object.'],
    ['{"hello":"world"}', 'notANotice', 'The message is neither an event of EventBridge nor a message of a topic.'],
    ['{"Type":"SubscriptionConfirmation","Message":"You have chosen…"}', 'memberMissing', 'Type, MessageId, Timestamp'],
    [
      '{"Type":"Notification","MessageId":"m","Timestamp":"2026-09-21T14:24:23Z","Message":"hi"}',
      'notJson',
      'Message is no JSON object.',
    ],
    ['{"action":"subscribe-success","product-code":" "}', 'memberMissing', 'customer-identifier, product-code'],
    ['{"detail-type":"License Updated","id":"1"}', 'memberMissing', 'source, time'],
  ])('%s is refused with its reason', (body, code, reason) => {
    expect(parseNotice(body, SENT)).toEqual({ kind: 'refused', code, reason });
  });

  test('of another service is refused', () => {
    const body = changed('eventbridge/license-updated.manufacturer.json', (json) => {
      Object.assign(json, { source: 'aws.ec2' });
    });

    expect(parseNotice(body, SENT)).toMatchObject({ kind: 'refused', code: 'foreignSource' });
  });

  test('that lacks the agreement or the licence that its type is about is refused, and repeats nothing of it', () => {
    const nameless = changed('eventbridge/purchase-agreement-ended.proposer.cancelled.json', (json) => {
      Object.assign(json, { detail: { secret: 'hunter2' }, resources: ['arn:aws:x'] });
    });
    const unlicensed = changed('eventbridge/license-updated.manufacturer.json', (json) => {
      delete (json['detail'] as { license?: object }).license;
    });

    expect(parseNotice(nameless, SENT)).toEqual({
      kind: 'refused',
      code: 'memberMissing',
      reason: 'detail.agreement.id',
    });
    expect(parseNotice(unlicensed, SENT)).toEqual({
      kind: 'refused',
      code: 'memberMissing',
      reason: 'detail.license.arn',
    });
  });

  test('of any kind is refused or read, never thrown at', () => {
    const members = fc.dictionary(
      fc.constantFrom(
        'detail-type',
        'source',
        'id',
        'time',
        'detail',
        'Message',
        'action',
        'product-code',
        'resources',
      ),
      fc.oneof(fc.constant('aws.agreement-marketplace'), fc.constant('2026-09-21T14:24:23Z'), fc.jsonValue()),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          members.map((json) => JSON.stringify(json)),
        ),
        (body) => {
          expect(['notice', 'refused']).toContain(parseNotice(body, SENT).kind);
        },
      ),
      { numRuns: 2_000 },
    );
    const deep = `{"action":"subscribe-success","customer-identifier":"c","product-code":"p","x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    expect(parseNotice(deep, SENT).kind).toBe('notice');
  });
});
