// How entries of the ledger table are written: each expression with the condition under which it may be.
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { AuditEntry } from '../domain/amendment.ts';
import type { CounterStep, Inclusion } from '../domain/entitlement.ts';
import type { Carry, Credit, SealedHour } from '../domain/ledger.ts';
import type { Settlement } from '../domain/metering-result.ts';
import { ANY_TAGS, type TagSet, tagSetDigest } from '../domain/tag-set.ts';
import { type Item, toItem } from './dynamo.ts';
import { present } from './item-reader.ts';
import { LAYOUT } from './layout.ts';
import { counterKey, creditKey, sealedKey, statePlace, toAuditItem, toCarryItem } from './ledger-items.ts';

export const ABSENT = 'attribute_not_exists(pk)';

/** How many refusals a record keeps; the latest tell the story, and an item must stay small. */
const REFUSALS_KEPT = 8;

/** What becomes of late units: carried on, held with a reason, or neither where the contract includes them all. */
export type LateFate =
  | { readonly carriedOut: number; readonly heldLate?: undefined }
  | { readonly heldLate: number; readonly reason: string; readonly carriedOut?: undefined }
  | { readonly heldLate?: undefined; readonly carriedOut?: undefined };

/** The members of a record that an operator's act may change. */
const AMENDED = [
  'status',
  'reason',
  'record',
  'carriedOut',
  'heldLate',
  'heldReasons',
  'nextAttemptAt',
  'meteringRecordId',
  'settledAt',
  'withheldQuantity',
  'settledQuantity',
] as const;

export function auditPut(table: string, audit: AuditEntry): TransactWriteItem {
  return { Put: { TableName: table, Item: toItem(toAuditItem(audit)), ConditionExpression: ABSENT } };
}

export function carryPut(table: string, carry: Carry): TransactWriteItem {
  return { Put: { TableName: table, Item: toItem(toCarryItem(carry)), ConditionExpression: ABSENT } };
}

export function unsealedCheck(table: string, carry: Carry): TransactWriteItem {
  return { ConditionCheck: { TableName: table, Key: toItem(sealedKey(carry)), ConditionExpression: ABSENT } };
}

/** What an operator may change of a record; the condition is on all that such a change was decided by. */
export function amendedUpdate(table: string, before: SealedHour, after: SealedHour) {
  const place = statePlace(after);
  const values: Item = { ...Object.fromEntries(AMENDED.map((name) => [name, after[name]])), ...place };
  const names = [...AMENDED, 'stateKey', 'stateSort'];
  const sets = names.filter((name) => values[name] !== undefined);
  const removes = names.filter((name) => values[name] === undefined);
  const optional = (['withheldQuantity', 'settledQuantity'] as const).map((name) =>
    before[name] === undefined ? `attribute_not_exists(#${name})` : `#${name} = :was_${name}`,
  );
  return {
    TableName: table,
    Key: toItem(sealedKey(before)),
    UpdateExpression: [
      `SET ${sets.map((name) => `#${name} = :${name}`).join(', ')}`,
      removes.length > 0 ? `REMOVE ${removes.map((name) => `#${name}`).join(', ')}` : '',
    ].join(' '),
    ConditionExpression: [
      '#status = :was AND size(attempts) = :attempts AND size(refusals) = :refusals AND deadlineAt = :deadline',
      'accounted = :accounted AND #heldLate = :was_heldLate AND #carriedOut = :was_carriedOut',
      '#record.quantity = :quantity',
      ...optional,
    ].join(' AND '),
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: toItem({
      ...Object.fromEntries(sets.map((name) => [`:${name}`, values[name]])),
      ':was': before.status,
      ':attempts': Object.keys(before.attempts).length,
      ':refusals': before.refusals.length,
      ':deadline': before.deadlineAt,
      ':accounted': before.accounted,
      ':was_heldLate': before.heldLate,
      ':was_carriedOut': before.carriedOut,
      ':quantity': before.record.quantity,
      ':was_withheldQuantity': before.withheldQuantity,
      ':was_settledQuantity': before.settledQuantity,
    }),
  };
}

export function creditWriteOff(table: string, credit: Credit, quantity: number): TransactWriteItem {
  return {
    Update: {
      TableName: table,
      Key: toItem(creditKey(credit)),
      UpdateExpression: 'SET applied = applied + :quantity',
      // Granted may have grown meanwhile; what is written off was there all the same.
      ConditionExpression: 'applied = :applied',
      ExpressionAttributeValues: toItem({ ':quantity': quantity, ':applied': credit.applied }),
    },
  };
}

/** Counts units of a term, from what was read of its counter. */
export function countedUpdates(table: string, step: CounterStep | undefined): TransactWriteItem[] {
  if (!step) return [];
  const { counter } = step;
  const isNew = counter.used === 0 && counter.overage === 0;
  return [
    {
      Update: {
        TableName: table,
        Key: toItem(counterKey(counter)),
        UpdateExpression:
          'SET #used = :used, overage = :overage, licenceKey = :licence, dimension = :dimension, termStart = :term, v = :layout',
        ConditionExpression: isNew ? ABSENT : '#used = :usedBefore AND overage = :overageBefore',
        ExpressionAttributeNames: { '#used': 'used' },
        ExpressionAttributeValues: toItem({
          ':used': counter.used + step.used,
          ':overage': counter.overage + step.overage,
          ':licence': counter.licenceKey,
          ':dimension': counter.dimension,
          ':term': counter.termStart,
          ':layout': LAYOUT,
          ...(isNew ? {} : { ':usedBefore': counter.used, ':overageBefore': counter.overage }),
        }),
      },
    },
  ];
}

/** Accounts for late units of a tag set, from what was read of it. */
export function raisedUpdate(table: string, origin: SealedHour, tagSet: TagSet, into: LateFate, inclusion?: Inclusion) {
  const held = into.heldLate !== undefined;
  const included = inclusion?.included ?? 0;
  const quantity = (into.carriedOut ?? into.heldLate ?? 0) + included;
  const part = raisedPart(origin, tagSet, quantity);
  // Only an hour that was sealed by an entitlement keeps count of its own units.
  const counts = inclusion !== undefined && origin.entitlement !== undefined;
  // A settled record that now holds usage has to show on the attention list; a live one is listed already.
  const place = held ? statePlace({ ...origin, heldLate: origin.heldLate + into.heldLate }) : undefined;
  return {
    TableName: table,
    Key: toItem(sealedKey(origin)),
    UpdateExpression: [
      `SET ${part.path} = :after, accounted = accounted + :quantity, seen = :seen`,
      held ? ', heldLate = heldLate + :heldLate, heldReasons = list_append(heldReasons, :reason)' : '',
      into.carriedOut === undefined ? '' : ', carriedOut = carriedOut + :carriedOut',
      included > 0 ? ', withheldQuantity = if_not_exists(withheldQuantity, :none) + :included' : '',
      counts ? ', entitlement.ownAccounted = :ownAccounted, entitlement.ownOverage = :ownOverage' : '',
      place ? ', stateKey = :stateKey, stateSort = :stateSort' : '',
    ].join(''),
    ConditionExpression: [
      part.condition,
      // An operator who carried on what was held before took its reasons away, too.
      ...(held ? ['#status = :status', 'deadlineAt = :deadline', 'heldLate = :heldBefore'] : []),
      ...(counts ? ['entitlement.ownAccounted = :ownBefore'] : []),
    ].join(' AND '),
    ...namesOf({ ...part.names, ...(held ? { '#status': 'status' } : {}) }),
    ExpressionAttributeValues: toItem({
      ...part.values,
      ':quantity': quantity,
      ':seen': origin.seen,
      ...(into.carriedOut === undefined ? {} : { ':carriedOut': into.carriedOut }),
      ...(included > 0 ? { ':included': included, ':none': 0 } : {}),
      ...(counts
        ? {
            ':ownBefore': origin.entitlement.ownAccounted,
            ':ownAccounted': origin.entitlement.ownAccounted + inclusion.own,
            ':ownOverage': origin.entitlement.ownOverage + inclusion.own - included,
          }
        : {}),
      ...(held
        ? {
            ':heldLate': into.heldLate,
            ':reason': origin.heldReasons.includes(into.reason) ? [] : [into.reason],
            ':status': origin.status,
            ':deadline': origin.deadlineAt,
            ':heldBefore': origin.heldLate,
          }
        : {}),
      ...(place ? { ':stateKey': place.stateKey, ':stateSort': place.stateSort } : {}),
    }),
  };
}

/** DynamoDB takes no empty map of names. */
function namesOf(names: Readonly<Record<string, string>>) {
  return Object.keys(names).length === 0 ? {} : { ExpressionAttributeNames: names };
}

/** Where an hour is accounted for by a tag set, raised by a quantity, and the condition that it stands as it was read. */
function raisedPart({ accounted, accountedByTagSet }: SealedHour, tagSet: TagSet, quantity: number) {
  const digest = tagSetDigest(tagSet);
  // From now on the tag sets are told apart no more: their sum stands in the place of them all.
  if (tagSet === ANY_TAGS) {
    const values = { ':before': accounted, ':after': { [digest]: accounted + quantity } };
    return { path: 'accountedByTagSet', condition: 'accounted = :before', names: {}, values };
  }
  const path = 'accountedByTagSet.#digest';
  const before = accountedByTagSet[digest];
  if (before !== undefined) {
    const values = { ':before': before, ':after': before + quantity };
    return { path, condition: `${path} = :before`, names: { '#digest': digest }, values };
  }
  return {
    path,
    condition: `attribute_exists(pk) AND attribute_not_exists(${path}) AND attribute_not_exists(accountedByTagSet.#any)`,
    names: { '#digest': digest, '#any': ANY_TAGS },
    values: { ':after': quantity },
  };
}

/** Writes what an answer means, while the record stands as it was judged. */
export function settledUpdate(table: string, sealed: SealedHour, settlement: Settlement) {
  const after = settled(sealed, settlement);
  const place = statePlace(after);
  const sets: Record<string, unknown> = {
    status: after.status,
    refusals: after.refusals,
    ...present({
      reason: after.reason,
      refusalCount: after.refusalCount,
      nextAttemptAt: after.nextAttemptAt,
      meteringRecordId: after.meteringRecordId,
      settledAt: after.settledAt,
      ...place,
    }),
  };
  const removes = [
    ...(place ? [] : ['stateKey', 'stateSort']),
    ...(after.nextAttemptAt === undefined ? ['nextAttemptAt'] : []),
    ...(after.reason === undefined ? ['reason'] : []),
  ];
  const refused = settlement.refusedAttemptId;
  const names = Object.keys(sets);
  return {
    TableName: table,
    Key: toItem(sealedKey(sealed)),
    UpdateExpression: [
      `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
      removes.length + (refused ? 1 : 0) > 0
        ? `REMOVE ${[...removes.map((name) => `#${name}`), ...(refused ? ['attempts.#refused'] : [])].join(', ')}`
        : '',
    ].join(' '),
    // What was judged must still stand: a further attempt, a hold or another's result changes the judgement.
    ConditionExpression:
      '#status = :was AND size(attempts) = :attempts AND heldLate = :heldLate AND deadlineAt = :deadline',
    ExpressionAttributeNames: {
      ...Object.fromEntries([...names, ...removes].map((name) => [`#${name}`, name])),
      ...(refused ? { '#refused': refused } : {}),
    },
    ExpressionAttributeValues: toItem({
      ...Object.fromEntries(Object.entries(sets).map(([name, value]) => [`:${name}`, value])),
      ':was': sealed.status,
      ':attempts': Object.keys(sealed.attempts).length,
      ':heldLate': sealed.heldLate,
      ':deadline': sealed.deadlineAt,
    }),
  };
}

function settled(sealed: SealedHour, settlement: Settlement): SealedHour {
  const { reason: _before, nextAttemptAt: _next, ...rest } = sealed;
  const isFinal = settlement.status !== 'open' && settlement.status !== 'held';
  return {
    ...rest,
    status: settlement.status,
    refusals: settlement.refusal ? [...sealed.refusals, settlement.refusal].slice(-REFUSALS_KEPT) : sealed.refusals,
    ...present({
      refusalCount: refusalsCounted(sealed, settlement),
      reason: settlement.reason,
      nextAttemptAt: settlement.nextAttemptAt,
      meteringRecordId: settlement.meteringRecordId,
      settledAt: isFinal ? settlement.at : undefined,
    }),
  };
}

/** Counted from when they no longer all stand on the record. */
function refusalsCounted({ refusals, refusalCount }: SealedHour, { refusal }: Settlement): number | undefined {
  if (!refusal) return refusalCount;
  const count = (refusalCount ?? refusals.length) + 1;
  return count > REFUSALS_KEPT ? count : undefined;
}
