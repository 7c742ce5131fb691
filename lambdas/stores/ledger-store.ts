// The ledger table: every seal, carry, attempt and result, each once, each under its condition.
import { type DynamoDBClient, QueryCommand, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { Amendment, AuditEntry } from '../domain/amendment.ts';
import type { CounterStep, Inclusion, TermCounter } from '../domain/entitlement.ts';
import type { HourStart } from '../domain/hour.ts';
import { KEY_SEPARATOR, shardOf } from '../domain/keys.ts';
import type { Carry, Credit, LedgerEntry, SealedHour } from '../domain/ledger.ts';
import type { Settlement } from '../domain/metering-result.ts';
import { ANY_TAGS, type TagSet, tagSetDigest } from '../domain/tag-set.ts';
import {
  type ItemKey,
  type LateHold,
  type LedgerStore,
  type LiveRecord,
  type MeterName,
  type OnMalformed,
  REFERENCES_PER_LONG_PAGE,
  REFERENCES_PER_PAGE,
} from '../flow/ports.ts';
import {
  fromItem,
  getItem,
  getItems,
  type Item,
  putItem,
  queryAll,
  queryPages,
  toItem,
  transact,
  updateItem,
} from './dynamo.ts';
import { present, text } from './item-reader.ts';
import { LAYOUT } from './layout.ts';
import {
  ATTENTION,
  auditKey,
  auditPartition,
  counterKey,
  counterPartition,
  creditKey,
  creditPartition,
  fromAuditItem,
  fromCounterItem,
  fromCreditItem,
  fromLedgerItem,
  fromLiveItem,
  fromSealedItem,
  itemKeyOf,
  openKey,
  REFUSED,
  sealedKey,
  statePlace,
  stateSort,
  toAuditItem,
  toCarryItem,
  toSealedItem,
} from './ledger-items.ts';
import { BY_STATE, BY_SUBJECT } from './tables.ts';
import { partitionQuery } from './usage-store.ts';

/** How many refusals a record keeps; the latest tell the story, and an item must stay small. */
const REFUSALS_KEPT = 8;

/** What becomes of late units: carried on, held with a reason, or neither where the contract includes them all. */
type LateFate =
  | { readonly carriedOut: number; readonly heldLate?: undefined }
  | { readonly heldLate: number; readonly reason: string; readonly carriedOut?: undefined }
  | { readonly heldLate?: undefined; readonly carriedOut?: undefined };

/** Of a period such as `2026-11-23`. */
const MONTH_LENGTH = 7;

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

  async seal(
    sealed: SealedHour,
    credit?: Credit,
    step?: CounterStep,
  ): Promise<'sealed' | 'exists' | 'creditMoved' | 'counterMoved'> {
    const put = { TableName: this.#table, Item: toItem(toSealedItem(sealed)), ConditionExpression: ABSENT };
    const writeOff = credit && sealed.creditedQuantity ? [this.#writeOff(credit, sealed.creditedQuantity)] : [];
    if (writeOff.length === 0 && !step) {
      const written = await putItem(this.#client, put);
      return written.kind === 'written' ? 'sealed' : 'exists';
    }
    const written = await transact(this.#client, [{ Put: put }, ...writeOff, ...this.#counted(step)]);
    if (written.kind === 'written') return 'sealed';
    if (written.failed.includes(0)) return 'exists';
    return written.failed.includes(1) && writeOff.length > 0 ? 'creditMoved' : 'counterMoved';
  }

  async sealCarried(
    sealed: SealedHour,
    carries: readonly Carry[],
    onlyInto: 'any' | 'unsealed' = 'any',
    step?: CounterStep,
  ): Promise<'sealed' | 'exists' | 'targetSealed' | 'counterMoved'> {
    const [first] = carries;
    const puts = [
      { Put: { TableName: this.#table, Item: toItem(toSealedItem(sealed)), ConditionExpression: ABSENT } },
      ...carries.map((carry) => this.#putCarry(carry)),
    ];
    // All carries of one hour go into one other.
    const check = onlyInto === 'unsealed' && first ? [this.#checkUnsealed(first)] : [];
    const written = await transact(this.#client, [...puts, ...check, ...this.#counted(step)]);
    if (written.kind === 'written') return 'sealed';
    if (written.failed.some((index) => index < puts.length)) return 'exists';
    return check.length > 0 && written.failed.includes(puts.length) ? 'targetSealed' : 'counterMoved';
  }

  async carry(
    origin: SealedHour,
    carry: Carry,
    onlyInto: 'any' | 'unsealed',
    inclusion?: Inclusion,
  ): Promise<'carried' | 'moved' | 'targetSealed'> {
    const { tagSet, quantity } = carry;
    const written = await transact(this.#client, [
      { Update: this.#raise(origin, tagSet, { carriedOut: quantity }, inclusion) },
      this.#putCarry(carry),
      ...(onlyInto === 'any' ? [] : [this.#checkUnsealed(carry)]),
      ...this.#counted(inclusion?.step),
    ]);
    if (written.kind === 'written') return 'carried';
    return onlyInto === 'unsealed' && written.failed.includes(2) ? 'targetSealed' : 'moved';
  }

  async holdLate(origin: SealedHour, late: LateHold, inclusion?: Inclusion): Promise<'held' | 'moved'> {
    const { tagSet, quantity, reason } = late;
    return (await this.#raiseAlone(origin, tagSet, { heldLate: quantity, reason }, inclusion)) ? 'held' : 'moved';
  }

  async include(origin: SealedHour, tagSet: TagSet, inclusion: Inclusion): Promise<'included' | 'moved'> {
    return (await this.#raiseAlone(origin, tagSet, {}, inclusion)) ? 'included' : 'moved';
  }

  async counter(name: Pick<TermCounter, 'licenceKey' | 'dimension' | 'termStart'>): Promise<TermCounter> {
    const item = await getItem(this.#client, { TableName: this.#table, Key: toItem(counterKey(name)) });
    const { licenceKey, dimension, termStart } = name;
    return item ? fromCounterItem(item) : { licenceKey, dimension, termStart, used: 0, overage: 0 };
  }

  async counters(licenceKey: string): Promise<readonly TermCounter[]> {
    const items = await queryAll(this.#client, {
      TableName: this.#table,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :shard AND begins_with(sk, :licence)',
      ExpressionAttributeValues: toItem({
        ':shard': counterPartition(shardOf(licenceKey)),
        ':licence': `${licenceKey}${KEY_SEPARATOR}`,
      }),
    });
    return items.map(fromCounterItem);
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

  open(stateShard: number, onMalformed: OnMalformed): AsyncGenerator<readonly LiveRecord[]> {
    return this.#byState(openKey(stateShard), REFERENCES_PER_PAGE, onMalformed);
  }

  refused(onMalformed: OnMalformed): AsyncGenerator<readonly LiveRecord[]> {
    return this.#byState(REFUSED, REFERENCES_PER_LONG_PAGE, onMalformed);
  }

  attention(onMalformed: OnMalformed, sinceMs?: number): AsyncGenerator<readonly LiveRecord[]> {
    return this.#byState(ATTENTION, REFERENCES_PER_LONG_PAGE, onMalformed, { isLatestFirst: true, sinceMs });
  }

  async *#byState(
    key: string,
    limit: number,
    onMalformed: OnMalformed,
    { isLatestFirst = false, sinceMs }: { isLatestFirst?: boolean; sinceMs?: number | undefined } = {},
  ): AsyncGenerator<readonly LiveRecord[]> {
    const since = sinceMs === undefined ? undefined : new Date(sinceMs).toISOString();
    const pages = queryPages(this.#client, {
      TableName: this.#table,
      IndexName: BY_STATE,
      // The sort key begins with the deadline.
      KeyConditionExpression: since === undefined ? 'stateKey = :key' : 'stateKey = :key AND stateSort >= :since',
      Limit: limit,
      ScanIndexForward: !isLatestFirst,
      ExpressionAttributeValues: toItem({ ':key': key, ...(since === undefined ? {} : { ':since': since }) }),
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

  async action(actionId: string): Promise<AuditEntry | undefined> {
    const item = await getItem(this.#client, { TableName: this.#table, Key: toItem(auditKey({ actionId })) });
    return item && fromAuditItem(item);
  }

  async auditOf(subject: string, limit: number): Promise<readonly AuditEntry[]> {
    const { Items: listed = [] } = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        IndexName: BY_SUBJECT,
        KeyConditionExpression: 'subject = :subject',
        ExpressionAttributeValues: toItem({ ':subject': subject }),
        ScanIndexForward: false,
        Limit: limit,
      }),
    );
    const keys = listed.map(fromItem).map((item) => ({ pk: text(item, 'pk'), sk: text(item, 'sk') }));
    const lines = (await getItems(this.#client, this.#table, keys)).map(fromAuditItem);
    return lines.sort((one, other) => (one.actionId < other.actionId ? 1 : -1));
  }

  async *audit(period: string): AsyncGenerator<readonly AuditEntry[]> {
    const pages = queryPages(this.#client, {
      TableName: this.#table,
      // An act's id begins with its instant.
      KeyConditionExpression: 'pk = :month AND begins_with(sk, :period)',
      ExpressionAttributeValues: toItem({ ':month': auditPartition(period.slice(0, MONTH_LENGTH)), ':period': period }),
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

  #checkUnsealed(carry: Carry): TransactWriteItem {
    return { ConditionCheck: { TableName: this.#table, Key: toItem(sealedKey(carry)), ConditionExpression: ABSENT } };
  }

  #putCarry(carry: Carry): TransactWriteItem {
    return { Put: { TableName: this.#table, Item: toItem(toCarryItem(carry)), ConditionExpression: ABSENT } };
  }

  #writeOff(credit: Credit, quantity: number): TransactWriteItem {
    return {
      Update: {
        TableName: this.#table,
        Key: toItem(creditKey(credit)),
        UpdateExpression: 'SET applied = applied + :quantity',
        // Granted may have grown meanwhile; what is written off was there all the same.
        ConditionExpression: 'applied = :applied',
        ExpressionAttributeValues: toItem({ ':quantity': quantity, ':applied': credit.applied }),
      },
    };
  }

  /** Counts units of a term, from what was read of its counter. */
  #counted(step: CounterStep | undefined): TransactWriteItem[] {
    if (!step) return [];
    const { counter } = step;
    const isNew = counter.used === 0 && counter.overage === 0;
    return [
      {
        Update: {
          TableName: this.#table,
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

  /** One update where nothing is counted besides, which is nearly always. */
  async #raiseAlone(origin: SealedHour, tagSet: TagSet, into: LateFate, inclusion?: Inclusion): Promise<boolean> {
    const raised = this.#raise(origin, tagSet, into, inclusion);
    if (!inclusion?.step) return updateItem(this.#client, raised);
    const written = await transact(this.#client, [{ Update: raised }, ...this.#counted(inclusion.step)]);
    return written.kind === 'written';
  }

  #raise(origin: SealedHour, tagSet: TagSet, into: LateFate, inclusion?: Inclusion) {
    const held = into.heldLate !== undefined;
    const included = inclusion?.included ?? 0;
    const quantity = (into.carriedOut ?? into.heldLate ?? 0) + included;
    const part = raisedPart(origin, tagSet, quantity);
    // Only an hour that was sealed by an entitlement keeps count of its own units.
    const counts = inclusion !== undefined && origin.entitlement !== undefined;
    // A settled record that now holds usage has to show on the attention list; a live one is listed already.
    const place = held ? statePlace({ ...origin, heldLate: origin.heldLate + into.heldLate }) : undefined;
    return {
      TableName: this.#table,
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
