// Sealed hours and carries as items of the ledger table.

import type { ActionKind, AuditEntry } from '../domain/amendment.ts';
import type { TermCounter } from '../domain/entitlement.ts';
import { BrokenInvariant } from '../domain/failure.ts';
import { parseHour } from '../domain/hour.ts';
import { encodeKeyPart, hourShardKey, KEY_SEPARATOR, meterKey, shardOf } from '../domain/keys.ts';
import {
  type Allocation,
  type AppliedEntitlement,
  type Attempt,
  type AttemptRefusal,
  type Carry,
  type Credit,
  isLive,
  type LedgerEntry,
  needsAttention,
  type RecordStatus,
  type SealedHour,
  type WireRecord,
} from '../domain/ledger.ts';
import type { IdentityStyle } from '../domain/product.ts';
import { tagSetDigest } from '../domain/tag-set.ts';
import type { ItemKey, LiveRecord, MeterName } from '../flow/ports.ts';
import type { Item } from './dynamo.ts';
import {
  mapList,
  oneOf,
  optionalMap,
  optionalOneOf,
  optionalText,
  optionalWhole,
  present,
  text,
  textList,
  whole,
} from './item-reader.ts';
import { LAYOUT } from './layout.ts';

/**
 * What is open is spread over this many partitions of the state index: DynamoDB takes 1,000 writes a second on each, and
 * a close seals faster. What AWS refuses is a partition of its own, and so is what needs a person: at AWS's ten calls a
 * second, 250 records a second can come to either.
 */
export const STATE_SHARDS = 8;

export function sealedKey(sealed: Pick<SealedHour, 'hour' | 'shard' | 'licenceKey' | 'dimension'>): Item {
  return { pk: hourShardKey(sealed.hour, sealed.shard), sk: meterKey(sealed.licenceKey, sealed.dimension) };
}

/**
 * Right behind its meter's sealed hour. `~` starts no id of a caller, and callers have no right to write here. The
 * key makes a carry once per origin hour, tag set and amount accounted for before, or action of an operator.
 */
export function carryKey(carry: Carry): Item {
  const once = carry.actionId === undefined ? carry.originAccounted : encodeKeyPart(carry.actionId);
  const id = `~${carry.originHour}.${tagSetDigest(carry.tagSet)}.${once}`;
  return {
    pk: hourShardKey(carry.hour, carry.shard),
    sk: `${meterKey(carry.licenceKey, carry.dimension)}${KEY_SEPARATOR}${id}`,
  };
}

export const REFUSED = 'refused';
export const ATTENTION = 'attention';

export function openKey(shard: number): string {
  return `open#${shard % STATE_SHARDS}`;
}

/** The sort key of the state index: deadline first, in a form that sorts as text. */
export function stateSort(deadlineAt: number, sealed: Pick<SealedHour, 'hour' | 'licenceKey' | 'dimension'>): string {
  return `${new Date(deadlineAt).toISOString()}#${sealed.hour}#${meterKey(sealed.licenceKey, sealed.dimension)}`;
}

/** Where a sealed hour stands in the state index; nowhere once it is settled and nobody need see it. */
export function statePlace(sealed: SealedHour): { stateKey: string; stateSort: string } | undefined {
  const stateKey = stateKeyOf(sealed);
  return stateKey === undefined ? undefined : { stateKey, stateSort: stateSort(sealed.deadlineAt, sealed) };
}

function stateKeyOf(sealed: SealedHour): string | undefined {
  if (sealed.status === 'open') return openKey(sealed.shard);
  if (isLive(sealed.status)) return REFUSED;
  return needsAttention(sealed) ? ATTENTION : undefined;
}

export function toSealedItem(sealed: SealedHour): Item {
  return { ...sealedKey(sealed), v: LAYOUT, ...statePlace(sealed), ...sealed };
}

export function toCarryItem(carry: Carry): Item {
  return { ...carryKey(carry), v: LAYOUT, ...carry };
}

export function fromLedgerItem(item: Item): LedgerEntry {
  return item['kind'] === 'carry' ? fromCarryItem(item) : fromSealedItem(item);
}

function fromCarryItem(item: Item): Carry {
  return {
    kind: 'carry',
    ...place(item),
    originHour: hour(item, 'originHour'),
    originAccounted: whole(item, 'originAccounted'),
    tagSet: text(item, 'tagSet'),
    quantity: whole(item, 'quantity'),
    carriedAt: whole(item, 'carriedAt'),
    ...present({ actionId: optionalText(item, 'actionId') }),
  };
}

export function creditPartition(shard: number): string {
  return `credit#${String(shard).padStart(2, '0')}`;
}

export function creditKey({ licenceKey, dimension }: MeterName): Item {
  return { pk: creditPartition(shardOf(licenceKey)), sk: meterKey(licenceKey, dimension) };
}

export function fromCreditItem(item: Item): Credit {
  return {
    licenceKey: text(item, 'licenceKey'),
    dimension: text(item, 'dimension'),
    granted: whole(item, 'granted'),
    applied: whole(item, 'applied'),
  };
}

type CounterName = Pick<TermCounter, 'licenceKey' | 'dimension' | 'termStart'>;

export function counterPartition(shard: number): string {
  return `counter#${String(shard).padStart(2, '0')}`;
}

export function counterKey({ licenceKey, dimension, termStart }: CounterName): Item {
  return {
    pk: counterPartition(shardOf(licenceKey)),
    sk: `${meterKey(licenceKey, dimension)}${KEY_SEPARATOR}${termStart}`,
  };
}

export function fromCounterItem(item: Item): TermCounter {
  return {
    licenceKey: text(item, 'licenceKey'),
    dimension: text(item, 'dimension'),
    termStart: hour(item, 'termStart'),
    used: whole(item, 'used'),
    overage: whole(item, 'overage'),
  };
}

/** By the month of the act's id, which begins with its instant. */
export function auditKey({ actionId }: Pick<AuditEntry, 'actionId'>): Item {
  return { pk: auditPartition(actionId.slice(0, 7)), sk: actionId };
}

export function auditPartition(month: string): string {
  return `audit#${month}`;
}

export function toAuditItem(audit: AuditEntry): Item {
  return { ...auditKey(audit), v: LAYOUT, ...audit, ...subjectOf(audit) };
}

/** What an act was on, for whoever asks what was done to it; nothing for an act on many. */
export function subjectOf({ licenceKey, facts }: AuditEntry): { subject?: string } {
  const subject = licenceKey ?? facts['customerId'];
  return subject === undefined ? {} : { subject: String(subject) };
}

export function fromAuditItem(item: Item): AuditEntry {
  const facts = Object.entries(optionalMap(item, 'facts') ?? {});
  return {
    actionId: text(item, 'actionId'),
    at: whole(item, 'at'),
    who: text(item, 'who'),
    why: text(item, 'why'),
    action: oneOf(item, 'action', ACTIONS),
    facts: Object.fromEntries(facts.map(([name, value]) => [name, typeof value === 'number' ? value : String(value)])),
    ...present({
      licenceKey: optionalText(item, 'licenceKey'),
      dimension: optionalText(item, 'dimension'),
      hour: item['hour'] === undefined ? undefined : hour(item, 'hour'),
    }),
  };
}

const ACTIONS: readonly ActionKind[] = [
  'release',
  'accept',
  'carryOn',
  'withhold',
  'credit',
  'confirm',
  'resubmit',
  'releaseGroup',
  'cutOver',
  'eraseBuyer',
  'setPrice',
  'setListingUrl',
  'link',
  'resend',
  'redrive',
  'migrate',
];

export function fromSealedItem(item: Item): SealedHour {
  const seen = optionalMap(item, 'seen') ?? {};
  return {
    kind: 'sealed',
    ...place(item),
    customerId: text(item, 'customerId'),
    productCode: text(item, 'productCode'),
    identityStyle: oneOf(item, 'identityStyle', IDENTITY_STYLES),
    meteringRegion: text(item, 'meteringRegion'),
    record: fromRecord(optionalMap(item, 'record') ?? {}),
    accounted: whole(item, 'accounted'),
    accountedByTagSet: wholes(optionalMap(item, 'accountedByTagSet') ?? {}),
    carriedOut: whole(item, 'carriedOut'),
    heldLate: whole(item, 'heldLate'),
    heldReasons: textList(item, 'heldReasons'),
    seen: {
      recorded: whole(seen, 'recorded'),
      carriedIn: whole(seen, 'carriedIn'),
      count: whole(seen, 'count'),
      rowsHash: text(seen, 'rowsHash'),
    },
    status: oneOf(item, 'status', RECORD_STATUSES),
    deadlineAt: whole(item, 'deadlineAt'),
    attempts: attempts(optionalMap(item, 'attempts') ?? {}),
    refusals: mapList(item, 'refusals').map(fromRefusal),
    sealedAt: whole(item, 'sealedAt'),
    ...present({
      reason: optionalText(item, 'reason'),
      refusalCount: optionalWhole(item, 'refusalCount'),
      nextAttemptAt: optionalWhole(item, 'nextAttemptAt'),
      meteringRecordId: optionalText(item, 'meteringRecordId'),
      settledAt: optionalWhole(item, 'settledAt'),
      rehearsal: optionalOneOf(item, 'rehearsal', REHEARSALS),
      withheldQuantity: optionalWhole(item, 'withheldQuantity'),
      creditedQuantity: optionalWhole(item, 'creditedQuantity'),
      settledQuantity: optionalWhole(item, 'settledQuantity'),
      tagOverflowQuantity: optionalWhole(item, 'tagOverflowQuantity'),
      entitlement: entitlementIn(optionalMap(item, 'entitlement')),
    }),
  };
}

const REHEARSALS = ['dryRun', 'shadow'] as const;
const BASES = ['perTerm', 'perHour', 'none'] as const;

function entitlementIn(item: Item | undefined): AppliedEntitlement | undefined {
  return (
    item && {
      basis: oneOf(item, 'basis', BASES),
      entitledQuantity: whole(item, 'entitledQuantity'),
      usedBefore: whole(item, 'usedBefore'),
      termStart: hour(item, 'termStart'),
      ownAccounted: whole(item, 'ownAccounted'),
      ownOverage: whole(item, 'ownOverage'),
    }
  );
}

/** Where an item stands. DynamoDB lets no item be without a key, and both of its members are text. */
export function itemKeyOf(item: Item): ItemKey {
  return { partition: String(item['pk']), meter: String(item['sk']) };
}

/** What the state index tells of a live record. */
export function fromLiveItem(item: Item): LiveRecord {
  const deadlineAt = Date.parse(text(item, 'stateSort').slice(0, 24));
  return {
    ...itemKeyOf(item),
    // A deadline that no instant passes would keep the record from being sent, and from expiring, without a word.
    deadlineAt: Number.isNaN(deadlineAt) ? malformed('stateSort') : deadlineAt,
    status: oneOf(item, 'status', RECORD_STATUSES),
    ...present({ nextAttemptAt: optionalWhole(item, 'nextAttemptAt') }),
  };
}

const IDENTITY_STYLES: readonly IdentityStyle[] = ['licence', 'legacy'];

export const RECORD_STATUSES: readonly RecordStatus[] = [
  'open',
  'honoured',
  'presumed',
  'disputed',
  'held',
  'quarantined',
  'withheld',
  'uncertain',
  'expired',
  'carried',
];

function place(item: Item) {
  return {
    hour: hour(item, 'hour'),
    shard: whole(item, 'shard'),
    licenceKey: text(item, 'licenceKey'),
    dimension: text(item, 'dimension'),
  };
}

function fromRecord(record: Item): WireRecord {
  const allocations = record['allocations'] === undefined ? undefined : mapList(record, 'allocations');
  return {
    timestampSeconds: whole(record, 'timestampSeconds'),
    dimension: text(record, 'dimension'),
    quantity: whole(record, 'quantity'),
    ...present({
      licenceArn: optionalText(record, 'licenceArn'),
      customerIdentifier: optionalText(record, 'customerIdentifier'),
      customerAwsAccountId: optionalText(record, 'customerAwsAccountId'),
      allocations: allocations?.map(fromAllocation),
    }),
  };
}

function fromAllocation(item: Item): Allocation {
  const tags = Array.isArray(item['tags']) ? item['tags'] : [];
  return { quantity: whole(item, 'quantity'), tags: tags.map(([key, value]) => [String(key), String(value)] as const) };
}

function fromRefusal(item: Item): AttemptRefusal {
  return {
    at: whole(item, 'at'),
    code: text(item, 'code'),
    ...present({ requestId: optionalText(item, 'requestId') }),
  };
}

function attempts(items: Item): Record<string, Attempt> {
  return Object.fromEntries(Object.keys(items).map((id) => [id, { at: whole(optionalMap(items, id) ?? {}, 'at') }]));
}

function wholes(item: Item): Record<string, number> {
  return Object.fromEntries(Object.keys(item).map((name) => [name, whole(item, name)]));
}

function hour(item: Item, name: string) {
  return parseHour(text(item, name)) ?? malformed(name);
}

function malformed(name: string): never {
  throw new BrokenInvariant('ItemMalformed', `A stored ledger item's member ${name} has an unknown value.`, {
    facts: { member: name },
  });
}
