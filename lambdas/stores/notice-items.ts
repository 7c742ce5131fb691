// How notices, whose they are, and the events of standings lie in the notices table.
import type { AccessEvent } from '../domain/access-event.ts';
import { encodeKeyPart } from '../domain/keys.ts';
import { licenceKeyOf } from '../domain/licence.ts';
import { agreementThread, NOTICE_KINDS, type Notice, threadOf } from '../domain/notice.ts';
import { type Mark, type Standing, type StandingAgreement, TERM_STATES } from '../domain/standing.ts';
import type { Item } from './dynamo.ts';
import {
  mapList,
  oneOf,
  optionalFlag,
  optionalText,
  optionalWhole,
  present,
  text,
  textList,
  whole,
} from './item-reader.ts';
import { LAYOUT } from './layout.ts';

/** Fixed for ever: whoever delivers the events reads each of these partitions, a customer's events in one. */
export const OUTBOX_SHARDS = 8;

export const NOTICE_SORT = 'notice#';
export const SUCCESSOR_SORT = 'successor#';
export const WAITING_PARTITION = 'waiting';
export const DUE_PARTITION = 'due';

export function ownerItemKey(thread: string) {
  return { pk: thread, sk: 'owner' };
}

export function customerThreadKey(customerId: string, thread: string) {
  return { pk: customerPartition(customerId), sk: thread };
}

export function customerPartition(customerId: string): string {
  return `customer#${customerId}`;
}

export function licencePointerPartition(licenceKey: string): string {
  return `licence#${licenceKey}`;
}

export function accountPointerPartition(customerAwsAccountId: string, productCode: string): string {
  return `account#${encodeKeyPart(customerAwsAccountId)}#${encodeKeyPart(productCode)}`;
}

export function waitingItemKey(thread: string) {
  return { pk: WAITING_PARTITION, sk: thread };
}

export function dueItemKey(customerId: string, changesAt: number) {
  return { pk: DUE_PARTITION, sk: `${dueSort(changesAt)}#${customerId}` };
}

/** Sorts by time as text does. */
export function dueSort(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** A notice, and what finds its thread again: by licence, by account and product, by the agreement before it. */
export function toNoticeItems(notice: Notice, received: string): [Item, ...Item[]] {
  const thread = threadOf(notice);
  const { agreementId, previousAgreementId, licenceArn, productCode, customerAwsAccountId } = notice;
  const kept = { pk: thread, sk: `${NOTICE_SORT}${encodeKeyPart(notice.noticeId)}`, v: LAYOUT, ...notice, received };
  const pointers: Item[] = [];
  if (agreementId !== undefined && previousAgreementId !== undefined && agreementId !== previousAgreementId) {
    const sk = `${SUCCESSOR_SORT}${encodeKeyPart(agreementId)}`;
    pointers.push({ pk: agreementThread(previousAgreementId), sk, v: LAYOUT, thread });
  }
  if (agreementId !== undefined && licenceArn !== undefined) {
    const licenceKey = licenceKeyOf({ style: 'licence', licenceArn });
    pointers.push({ pk: licencePointerPartition(licenceKey), sk: thread, v: LAYOUT });
  }
  if (agreementId !== undefined && customerAwsAccountId !== undefined && productCode !== undefined) {
    pointers.push({ pk: accountPointerPartition(customerAwsAccountId, productCode), sk: thread, v: LAYOUT });
  }
  return [kept, ...pointers];
}

const CHANNELS: readonly Notice['channel'][] = ['eventBridge', 'sns', 'operator'];

export function fromNoticeItem(item: Item): Notice {
  return {
    noticeId: text(item, 'noticeId'),
    channel: oneOf(item, 'channel', CHANNELS),
    kind: oneOf(item, 'kind', NOTICE_KINDS),
    type: text(item, 'type'),
    atMs: whole(item, 'atMs'),
    ...present({
      agreementId: optionalText(item, 'agreementId'),
      previousAgreementId: optionalText(item, 'previousAgreementId'),
      intent: optionalText(item, 'intent'),
      status: optionalText(item, 'status'),
      startsAt: optionalWhole(item, 'startsAt'),
      endsAt: optionalWhole(item, 'endsAt'),
      licenceArn: optionalText(item, 'licenceArn'),
      productCode: optionalText(item, 'productCode'),
      customerAwsAccountId: optionalText(item, 'customerAwsAccountId'),
      customerIdentifier: optionalText(item, 'customerIdentifier'),
      offerId: optionalText(item, 'offerId'),
      isFreeTrial: optionalFlag(item, 'isFreeTrial'),
    }),
  };
}

/** A customer's events stand in one partition, in order. */
export function toOutboxItem(event: AccessEvent, shard: number): Item {
  const { customerId, sequence } = event;
  const sk = `${customerId}#${String(sequence).padStart(10, '0')}`;
  return { pk: `outbox#${shard % OUTBOX_SHARDS}`, sk, v: LAYOUT, ...event };
}

const STATES: readonly Standing['state'][] = ['awaitingLicence', 'failed', 'scheduled', 'active', 'ending', 'ended'];
const MARKS: readonly Mark[] = [
  'advisory',
  'awaitingSuccessor',
  'cancellationRequested',
  'freeTrial',
  'spendVetFailed',
];

export function fromStanding(item: Item): Standing {
  return {
    state: oneOf(item, 'state', STATES),
    marks: textList(item, 'marks').map((mark) => oneOf({ mark }, 'mark', MARKS)),
    agreements: mapList(item, 'agreements').map(fromAgreement),
    ...present({
      registeredAt: optionalWhole(item, 'registeredAt'),
      entitlementsAsOf: optionalWhole(item, 'entitlementsAsOf'),
      joinedInto: optionalText(item, 'joinedInto'),
    }),
  };
}

function fromAgreement(item: Item): StandingAgreement {
  return {
    state: oneOf(item, 'state', TERM_STATES),
    licenceKeys: textList(item, 'licenceKeys'),
    ...present({
      agreementId: optionalText(item, 'agreementId'),
      offerId: optionalText(item, 'offerId'),
      startsAt: optionalWhole(item, 'startsAt'),
      endsAt: optionalWhole(item, 'endsAt'),
    }),
  };
}
