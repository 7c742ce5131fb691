// The ledger table: every seal, carry, attempt and result, each once, each under its condition.
import type { DynamoDBClient, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { Amendment, AuditEntry } from '../domain/amendment.ts';
import type { HourStart } from '../domain/hour.ts';
import { shardOf } from '../domain/keys.ts';
import type { Carry, Credit, LedgerEntry, SealedHour } from '../domain/ledger.ts';
import type { Settlement } from '../domain/metering-result.ts';
import { tagSetDigest } from '../domain/tag-set.ts';
import type { ItemKey, LateHold, LedgerStore, LiveRecord, MeterName, OnMalformed } from '../flow/ports.ts';
import { getItem, getItems, type Item, putItem, queryAll, queryPages, toItem, transact, updateItem } from './dynamo.ts';
import { present, text } from './item-reader.ts';
import {
  auditPartition,
  creditKey,
  creditPartition,
  fromAuditItem,
  fromCreditItem,
  fromLedgerItem,
  fromLiveItem,
  fromSealedItem,
  itemKeyOf,
  LAYOUT,
  sealedKey,
  stateKey,
  statePlace,
  stateSort,
  toAuditItem,
  toCarryItem,
  toSealedItem,
} from './ledger-items.ts';
import { BY_STATE } from './tables.ts';
import { partitionQuery } from './usage-store.ts';

/** How many refusals a record keeps; the latest tell the story, and an item must stay small. */
const REFUSALS_KEPT = 8;

const ABSENT = 'attribute_not_exists(pk)';

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

export class DynamoLedgerStore implements LedgerStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async *entries(hour: HourStart, shard: number, licenceKey?: string): AsyncGenerator<readonly LedgerEntry[]> {
    const pages = queryPages(this.#client, {
      TableName: this.#table,
      ConsistentRead: true,
      ...partitionQuery(hour, shard, licenceKey === undefined ? {} : { licenceKey }),
    });
    for await (const page of pages) yield page.map(fromLedgerItem);
  }

  async seal(sealed: SealedHour, credit?: Credit): Promise<'sealed' | 'exists' | 'creditMoved'> {
    const item = toItem(toSealedItem(sealed));
    if (!credit || !sealed.creditedQuantity) {
      const written = await putItem(this.#client, { TableName: this.#table, Item: item, ConditionExpression: ABSENT });
      return written.kind === 'written' ? 'sealed' : 'exists';
    }
    const written = await transact(this.#client, [
      { Put: { TableName: this.#table, Item: item, ConditionExpression: ABSENT } },
      {
        Update: {
          TableName: this.#table,
          Key: toItem(creditKey(credit)),
          UpdateExpression: 'SET applied = applied + :quantity',
          // Granted may have grown meanwhile; what is written off was there all the same.
          ConditionExpression: 'applied = :applied',
          ExpressionAttributeValues: toItem({ ':quantity': sealed.creditedQuantity, ':applied': credit.applied }),
        },
      },
    ]);
    if (written.kind === 'written') return 'sealed';
    return written.failed.includes(0) ? 'exists' : 'creditMoved';
  }

  async sealCarried(
    sealed: SealedHour,
    carries: readonly Carry[],
    onlyInto: 'any' | 'unsealed' = 'any',
  ): Promise<'sealed' | 'exists' | 'targetSealed'> {
    const [first] = carries;
    const written = await transact(this.#client, [
      { Put: { TableName: this.#table, Item: toItem(toSealedItem(sealed)), ConditionExpression: ABSENT } },
      ...carries.map((carry) => this.#putCarry(carry)),
      // All carries of one hour go into one other.
      ...(onlyInto === 'unsealed' && first ? [this.#checkUnsealed(first)] : []),
    ]);
    if (written.kind === 'written') return 'sealed';
    const isTargetAlone = written.failed.length === 1 && written.failed[0] === carries.length + 1;
    return isTargetAlone ? 'targetSealed' : 'exists';
  }

  async carry(
    origin: SealedHour,
    carry: Carry,
    onlyInto: 'any' | 'unsealed',
  ): Promise<'carried' | 'moved' | 'targetSealed'> {
    const written = await transact(this.#client, [
      { Update: this.#raise(origin, carry.tagSet, carry.quantity, { carriedOut: carry.quantity }) },
      this.#putCarry(carry),
      ...(onlyInto === 'any' ? [] : [this.#checkUnsealed(carry)]),
    ]);
    if (written.kind === 'written') return 'carried';
    return written.failed.includes(2) ? 'targetSealed' : 'moved';
  }

  async holdLate(origin: SealedHour, late: LateHold): Promise<'held' | 'moved'> {
    const raised = this.#raise(origin, late.tagSet, late.quantity, { heldLate: late.quantity, reason: late.reason });
    return (await updateItem(this.#client, raised)) ? 'held' : 'moved';
  }

  async hasten(sealed: SealedHour, deadlineAt: number): Promise<boolean> {
    return updateItem(this.#client, {
      TableName: this.#table,
      Key: toItem(sealedKey(sealed)),
      UpdateExpression: 'SET deadlineAt = :deadline, stateSort = :sort REMOVE nextAttemptAt',
      ConditionExpression: 'deadlineAt > :deadline AND #status = :status',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: toItem({
        ':deadline': deadlineAt,
        ':sort': stateSort(deadlineAt, sealed),
        ':status': sealed.status,
      }),
    });
  }

  async *live(stateShard: number, onMalformed: OnMalformed): AsyncGenerator<readonly LiveRecord[]> {
    const pages = queryPages(this.#client, {
      TableName: this.#table,
      IndexName: BY_STATE,
      KeyConditionExpression: 'stateKey = :live',
      ExpressionAttributeValues: toItem({ ':live': stateKey('live', stateShard) }),
    });
    for await (const page of pages) yield readEach(page, fromLiveItem, onMalformed);
  }

  async records(references: readonly ItemKey[], onMalformed: OnMalformed): Promise<readonly SealedHour[]> {
    const keys = references.map(({ partition, meter }) => ({ pk: partition, sk: meter }));
    return readEach(await getItems(this.#client, this.#table, keys), fromSealedItem, onMalformed);
  }

  async sealed(hour: HourStart, licenceKey: string, dimension: string): Promise<SealedHour | undefined> {
    const key = sealedKey({ hour, shard: shardOf(licenceKey), licenceKey, dimension });
    const item = await getItem(this.#client, { TableName: this.#table, Key: toItem(key) });
    return item && fromSealedItem(item);
  }

  async intend(sealed: SealedHour, attempt: { id: string; at: number }): Promise<boolean> {
    return updateItem(this.#client, {
      TableName: this.#table,
      Key: toItem(sealedKey(sealed)),
      UpdateExpression: 'SET attempts.#id = :attempt',
      // A quarantined or settled record is not sent, whatever an index that lags a little said; nor one of which an
      // operator has withheld a part since it was read.
      ConditionExpression: '#status IN (:open, :held) AND #record.quantity = :quantity',
      ExpressionAttributeNames: { '#id': attempt.id, '#status': 'status', '#record': 'record' },
      ExpressionAttributeValues: toItem({
        ':attempt': { at: attempt.at },
        ':open': 'open',
        ':held': 'held',
        ':quantity': sealed.record.quantity,
      }),
    });
  }

  async settle(sealed: SealedHour, settlement: Settlement): Promise<boolean> {
    const after = settled(sealed, settlement);
    const place = statePlace(after);
    const sets: Record<string, unknown> = {
      status: after.status,
      refusals: after.refusals,
      ...present({
        reason: after.reason,
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
    return updateItem(this.#client, {
      TableName: this.#table,
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
    });
  }

  async credits(shard: number): Promise<ReadonlyMap<string, Credit>> {
    const items = await queryAll(this.#client, {
      TableName: this.#table,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :shard',
      FilterExpression: 'applied < granted',
      ExpressionAttributeValues: toItem({ ':shard': creditPartition(shard) }),
    });
    return new Map(items.map((item) => [text(item, 'sk'), fromCreditItem(item)]));
  }

  async amend(before: SealedHour, amendment: Amendment): Promise<'amended' | 'already' | 'moved' | 'targetSealed'> {
    const { carries, onlyInto, audit } = amendment;
    const [first] = carries;
    const written = await transact(this.#client, [
      this.#putAudit(audit),
      { Update: this.#amended(before, amendment.after) },
      ...carries.map((carry) => this.#putCarry(carry)),
      ...(onlyInto === 'unsealed' && first ? [this.#checkUnsealed(first)] : []),
    ]);
    if (written.kind === 'written') return 'amended';
    if (written.failed.includes(0)) return 'already';
    return written.failed.includes(1) ? 'moved' : 'targetSealed';
  }

  async grantCredit(meter: MeterName, quantity: number, audit: AuditEntry): Promise<'granted' | 'already'> {
    const written = await transact(this.#client, [
      this.#putAudit(audit),
      {
        Update: {
          TableName: this.#table,
          Key: toItem(creditKey(meter)),
          UpdateExpression:
            'SET granted = if_not_exists(granted, :none) + :quantity, applied = if_not_exists(applied, :none), licenceKey = :licence, dimension = :dimension, v = :layout',
          ExpressionAttributeValues: toItem({
            ':quantity': quantity,
            ':none': 0,
            ':licence': meter.licenceKey,
            ':dimension': meter.dimension,
            ':layout': LAYOUT,
          }),
        },
      },
    ]);
    return written.kind === 'written' ? 'granted' : 'already';
  }

  async noteAction(audit: AuditEntry): Promise<'noted' | 'already'> {
    const item = toItem(toAuditItem(audit));
    const written = await putItem(this.#client, { TableName: this.#table, Item: item, ConditionExpression: ABSENT });
    return written.kind === 'written' ? 'noted' : 'already';
  }

  async *audit(month: string): AsyncGenerator<readonly AuditEntry[]> {
    const pages = queryPages(this.#client, {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :month',
      ExpressionAttributeValues: toItem({ ':month': auditPartition(month) }),
    });
    for await (const page of pages) yield page.map(fromAuditItem);
  }

  #putAudit(audit: AuditEntry): TransactWriteItem {
    return { Put: { TableName: this.#table, Item: toItem(toAuditItem(audit)), ConditionExpression: ABSENT } };
  }

  /** What an operator may change of a record; the condition is on all that such a change was decided by. */
  #amended(before: SealedHour, after: SealedHour) {
    const place = statePlace(after);
    const values: Item = { ...Object.fromEntries(AMENDED.map((name) => [name, after[name]])), ...place };
    const names = [...AMENDED, 'stateKey', 'stateSort'];
    const sets = names.filter((name) => values[name] !== undefined);
    const removes = names.filter((name) => values[name] === undefined);
    const optional = (['withheldQuantity', 'settledQuantity'] as const).map((name) =>
      before[name] === undefined ? `attribute_not_exists(#${name})` : `#${name} = :was_${name}`,
    );
    return {
      TableName: this.#table,
      Key: toItem(sealedKey(before)),
      UpdateExpression: [
        `SET ${sets.map((name) => `#${name} = :${name}`).join(', ')}`,
        removes.length > 0 ? `REMOVE ${removes.map((name) => `#${name}`).join(', ')}` : '',
      ].join(' '),
      ConditionExpression: [
        '#status = :was AND size(attempts) = :attempts AND deadlineAt = :deadline AND accounted = :accounted',
        '#heldLate = :was_heldLate AND #carriedOut = :was_carriedOut AND #record.quantity = :quantity',
        ...optional,
      ].join(' AND '),
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: toItem({
        ...Object.fromEntries(sets.map((name) => [`:${name}`, values[name]])),
        ':was': before.status,
        ':attempts': Object.keys(before.attempts).length,
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

  #checkUnsealed(carry: Carry): TransactWriteItem {
    return { ConditionCheck: { TableName: this.#table, Key: toItem(sealedKey(carry)), ConditionExpression: ABSENT } };
  }

  #putCarry(carry: Carry): TransactWriteItem {
    return { Put: { TableName: this.#table, Item: toItem(toCarryItem(carry)), ConditionExpression: ABSENT } };
  }

  #raise(
    origin: SealedHour,
    tagSet: string,
    quantity: number,
    into: { carriedOut: number } | { heldLate: number; reason: string },
  ) {
    const digest = tagSetDigest(tagSet);
    const before = origin.accountedByTagSet[digest];
    const held = 'heldLate' in into;
    // A settled record that now holds usage has to show on the attention list; a live one is listed already.
    const place = held ? statePlace({ ...origin, heldLate: origin.heldLate + quantity }) : undefined;
    return {
      TableName: this.#table,
      Key: toItem(sealedKey(origin)),
      UpdateExpression: [
        'SET accountedByTagSet.#digest = :after, accounted = accounted + :quantity, seen = :seen',
        held
          ? ', heldLate = heldLate + :quantity, heldReasons = list_append(heldReasons, :reason)'
          : ', carriedOut = carriedOut + :quantity',
        place ? ', stateKey = :stateKey, stateSort = :stateSort' : '',
      ].join(''),
      ConditionExpression: [
        before === undefined
          ? 'attribute_exists(pk) AND attribute_not_exists(accountedByTagSet.#digest)'
          : 'accountedByTagSet.#digest = :before',
        ...(held ? ['#status = :status', 'deadlineAt = :deadline'] : []),
      ].join(' AND '),
      ExpressionAttributeNames: { '#digest': digest, ...(held ? { '#status': 'status' } : {}) },
      ExpressionAttributeValues: toItem({
        ':after': (before ?? 0) + quantity,
        ':quantity': quantity,
        ':seen': origin.seen,
        ...(before === undefined ? {} : { ':before': before }),
        ...(held
          ? {
              ':reason': origin.heldReasons.includes(into.reason) ? [] : [into.reason],
              ':status': origin.status,
              ':deadline': origin.deadlineAt,
            }
          : {}),
        ...(place ? { ':stateKey': place.stateKey, ':stateSort': place.stateSort } : {}),
      }),
    };
  }
}

/** Reads items one by one, so that a malformed one does not take the others with it. */
function readEach<T>(items: readonly Item[], read: (item: Item) => T, onMalformed: OnMalformed): T[] {
  return items.flatMap((item) => {
    try {
      return [read(item)];
    } catch (fault) {
      onMalformed(itemKeyOf(item), fault);
      return [];
    }
  });
}

function settled(sealed: SealedHour, settlement: Settlement): SealedHour {
  const { reason: _before, nextAttemptAt: _next, ...rest } = sealed;
  const isFinal = settlement.status !== 'open' && settlement.status !== 'held';
  return {
    ...rest,
    status: settlement.status,
    refusals: settlement.refusal ? [...sealed.refusals, settlement.refusal].slice(-REFUSALS_KEPT) : sealed.refusals,
    ...present({
      reason: settlement.reason,
      nextAttemptAt: settlement.nextAttemptAt,
      meteringRecordId: settlement.meteringRecordId,
      settledAt: isFinal ? settlement.at : undefined,
    }),
  };
}
