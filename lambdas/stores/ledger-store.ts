// The ledger table: every seal, carry, attempt and result, each once, each under its condition.
import { type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { Amendment, AuditEntry } from '../domain/amendment.ts';
import type { CounterStep, Inclusion, TermCounter } from '../domain/entitlement.ts';
import type { HourStart } from '../domain/hour.ts';
import { KEY_SEPARATOR, shardOf } from '../domain/keys.ts';
import type { Carry, Credit, LedgerEntry, SealedHour } from '../domain/ledger.ts';
import type { Settlement } from '../domain/metering-result.ts';
import type { TagSet } from '../domain/tag-set.ts';
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
import { readEach, text } from './item-reader.ts';
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
  stateSort,
  toAuditItem,
  toSealedItem,
} from './ledger-items.ts';
import {
  ABSENT,
  amendedUpdate,
  auditPut,
  carryPut,
  countedUpdates,
  creditWriteOff,
  type LateFate,
  raisedUpdate,
  settledUpdate,
  unsealedCheck,
} from './ledger-updates.ts';
import { BY_STATE, BY_SUBJECT } from './tables.ts';
import { partitionQuery } from './usage-store.ts';

/** Of a period such as `2026-11-23`. */
const MONTH_LENGTH = 7;

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
    const writeOff =
      credit && sealed.creditedQuantity ? [creditWriteOff(this.#table, credit, sealed.creditedQuantity)] : [];
    if (writeOff.length === 0 && !step) {
      const written = await putItem(this.#client, put);
      return written.kind === 'written' ? 'sealed' : 'exists';
    }
    const written = await transact(this.#client, [{ Put: put }, ...writeOff, ...countedUpdates(this.#table, step)]);
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
      ...carries.map((carry) => carryPut(this.#table, carry)),
    ];
    // All carries of one hour go into one other.
    const check = onlyInto === 'unsealed' && first ? [unsealedCheck(this.#table, first)] : [];
    const written = await transact(this.#client, [...puts, ...check, ...countedUpdates(this.#table, step)]);
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
      { Update: raisedUpdate(this.#table, origin, tagSet, { carriedOut: quantity }, inclusion) },
      carryPut(this.#table, carry),
      ...(onlyInto === 'any' ? [] : [unsealedCheck(this.#table, carry)]),
      ...countedUpdates(this.#table, inclusion?.step),
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
    for await (const page of pages) yield readEach(page, fromLiveItem, byKey(onMalformed));
  }

  async records(references: readonly ItemKey[], onMalformed: OnMalformed): Promise<readonly SealedHour[]> {
    const keys = references.map(({ partition, meter }) => ({ pk: partition, sk: meter }));
    return readEach(await getItems(this.#client, this.#table, keys), fromSealedItem, byKey(onMalformed));
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
    return updateItem(this.#client, settledUpdate(this.#table, sealed, settlement));
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
      auditPut(this.#table, audit),
      { Update: amendedUpdate(this.#table, before, amendment.after) },
      ...carries.map((carry) => carryPut(this.#table, carry)),
      ...(onlyInto === 'unsealed' && first ? [unsealedCheck(this.#table, first)] : []),
    ]);
    if (written.kind === 'written') return 'amended';
    if (written.failed.includes(0)) return 'already';
    return written.failed.includes(1) ? 'moved' : 'targetSealed';
  }

  async grantCredit(meter: MeterName, quantity: number, audit: AuditEntry): Promise<'granted' | 'already'> {
    const written = await transact(this.#client, [
      auditPut(this.#table, audit),
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

  /** One update where nothing is counted besides, which is nearly always. */
  async #raiseAlone(origin: SealedHour, tagSet: TagSet, into: LateFate, inclusion?: Inclusion): Promise<boolean> {
    const raised = raisedUpdate(this.#table, origin, tagSet, into, inclusion);
    if (!inclusion?.step) return updateItem(this.#client, raised);
    const written = await transact(this.#client, [{ Update: raised }, ...countedUpdates(this.#table, inclusion.step)]);
    return written.kind === 'written';
  }
}

/** Tells of an item that can't be read by where it stands. */
function byKey(onMalformed: OnMalformed) {
  return (item: Item, fault: unknown) => onMalformed(itemKeyOf(item), fault);
}
