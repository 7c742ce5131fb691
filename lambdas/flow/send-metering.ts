// Reads:       records that are not settled, by deadline; held groups
// Writes:      one intent a record and call before the call; one result a record after it; one hold a fault group; at the
//              end, a mark an hour that is to be summarised anew, and one line a run
// Once per:    intent once an attempt; a result only while the record stands as it was judged
// If one fails: it is named and left to the next run; the records and calls beside it go on
// If it stops: the next run finds the intents, sends the same records again, and AWS removes the duplicates
import { asFailure, Unavailable } from '../domain/failure.ts';
import type { HourStart } from '../domain/hour.ts';
import { hourShardKey, meterKey } from '../domain/keys.ts';
import type { SealedHour } from '../domain/ledger.ts';
import { MAX_RECORDS_PER_CALL } from '../domain/marketplace-limits.ts';
import { cutBatches, halves, identityOf, type MeteringBatch } from '../domain/metering-batch.ts';
import {
  type CallFault,
  faultGroupKey,
  groupKeysOf,
  type InvalidCode,
  isHeldAtSecondHour,
  judgeAnswer,
  judgeDeadline,
  judgeFault,
  quarantine,
  type RecordAnswer,
  type Settlement,
} from '../domain/metering-result.ts';
import { type LiveList, liveLists, placeOf, soonestFirst } from './live-lists.ts';
import type { ItemKey, LedgerStore, LiveRecord, MeteringGateway, WorkStore } from './ports.ts';
import type { SendingLog } from './sending-ports.ts';

/** Keeps calls within AWS's quota. Slows down when AWS says that it was too much, and recovers by itself. */
interface Pace {
  /** Resolves when a call may be prepared: the long wait, after which time and deadlines are asked again. */
  take(): Promise<void>;
  /** Resolves when a prepared call may leave: a short wait, since preparing takes longer for some calls than for others. */
  depart(): Promise<void>;
  throttled(): void;
}

type Facts = Readonly<Record<string, string | number>>;

export interface SendPorts {
  readonly ledger: Pick<LedgerStore, 'open' | 'refused' | 'records' | 'intend' | 'settle' | 'sealed'>;
  readonly work: Pick<WorkStore, 'takeLease' | 'dropLease' | 'heldGroups' | 'holdGroup' | 'markTouched'>;
  readonly metering: MeteringGateway;
  readonly pace: Pace;
  readonly clock: () => number;
  readonly newId: () => string;
  /** Bounds the calls in flight. */
  readonly limitCalls: <T>(task: () => Promise<T>) => Promise<T>;
  /** Bounds the writes in flight. */
  readonly limitWrites: <T>(task: () => Promise<T>) => Promise<T>;
  readonly log: { warn(code: string, facts?: Facts): void; error(code: string, facts?: Facts): void };
  readonly lingerMs: number;
  readonly stateShards: number;
  /** Keeps what each run came to, for people to see; absent where nobody will look. */
  readonly sendings?: Pick<SendingLog, 'note'>;
}

export interface SendResult {
  calls: number;
  records: number;
  honoured: number;
  settled: number;
  expired: number;
  faults: number;
  /** Those of the faults with which AWS said that it was too much at once. */
  throttled: number;
  /** Records, calls and reads that failed, each named in the log. */
  failed: number;
  leaseTaken: boolean;
}

const LEASE = 'send-metering';
/** Longer than a run may take; a sender that died gives way after it. */
const LEASE_MS = 2 * 60_000;

/** How many records are in hand at a time, read and not yet written down: enough for full batches, few for memory. */
const RECORDS_IN_HAND = 2_000;

/** What the records in hand may take, as text: many times the usual 2 KB each, and a few times less than memory. */
const BYTES_IN_HAND = 20_000_000;

/** What is still in hand when more is read, as a part of the above: work for AWS for as long as the reading takes. */
const REFILL_AT = 0.5;

/** How many records are read at a time: at DynamoDB's 400 KB an item, as much again as may be in hand. */
const CHUNK_RECORDS = 50;

/** With less than this left to its deadline, a record's call does not wait for the next round to fill it up. */
const NO_TIME_TO_FILL_MS = 5 * 60_000;

/** After this many infrastructure faults in a row, a run leaves a product's calls to a region alone until the next. */
const FAULTS_IN_A_ROW = 3;

/** Once this many products of a region got no answer in a row, it leaves the region alone: each call takes long to fail. */
const UNANSWERED_PRODUCTS = 3;

/** How many records whose calls fail a run passes over, in search of what AWS still takes. */
const PASSED_OVER_AT_MOST = 10_000;

/**
 * Sends what is open, soonest deadline first, until nothing is due or time runs out. Safe if two ever run. A fault at
 * one record or call leaves the others alone; throws Unavailable at the end where there was one, so that somebody is
 * woken.
 */
export async function sendMetering(ports: SendPorts, hasTime: () => boolean): Promise<SendResult> {
  const run = new SendRun(ports, hasTime);
  const holder = ports.newId();
  const nowMs = ports.clock();
  if (!(await ports.work.takeLease(LEASE, holder, nowMs, nowMs + LEASE_MS))) return run.result;
  run.result.leaseTaken = true;
  try {
    while (hasTime() && (await run.round())) {
      const atMs = ports.clock();
      if (!(await ports.work.takeLease(LEASE, holder, atMs, atMs + LEASE_MS))) break;
    }
  } finally {
    await run.allAnswered();
    await run.markTouched();
    await ports.work.dropLease(LEASE, holder);
  }
  await run.noteWhatItCameTo(holder, nowMs);
  if (run.result.failed === 0) return run.result;
  throw new Unavailable('SendingIncomplete', 'Some records could not be sent or written; the log names each.', {
    facts: { ...run.result },
  });
}

class SendRun {
  readonly result: SendResult = {
    calls: 0,
    records: 0,
    honoured: 0,
    settled: 0,
    expired: 0,
    faults: 0,
    throttled: 0,
    failed: 0,
    leaseTaken: false,
  };
  readonly #ports: SendPorts;
  readonly #hasTime: () => boolean;
  /** Held groups as last read. */
  #heldGroups: ReadonlySet<string> = new Set();
  /** Groups that this run has held: a look that was under way then may not have seen them. */
  readonly #heldByUs = new Set<string>();
  /** Where records stand that failed in this run, or whose calls did. They wait for the next, or a run would spin. */
  readonly #failed = new Set<string>();
  /** Calls under way or waiting for their turn, each until its results are written. */
  readonly #calls = new Set<Promise<void>>();
  /** Where their records stand, and what each takes: read again, they would be sent twice or expired meanwhile. */
  readonly #inHand = new Map<string, number>();
  #bytesInHand = 0;
  /** Hours of which a record stands otherwise than before this run. */
  readonly #touched = new Set<HourStart>();
  /** Where records stand that have waited once for a round to fill up their call. */
  readonly #waited = new Set<string>();
  /** Whether the last round left records for the next, or took all that was due. */
  #isMoreDue = false;
  /** Whether a round has come to nothing: another would not get anywhere either. */
  #isStuck = false;
  /** By `routeOf`. */
  readonly #faultsInARow = new Map<string, number>();
  /** By region, the products that got no answer there since it last gave one. */
  readonly #unanswered = new Map<string, Set<string>>();
  #passedOver = 0;

  constructor(ports: SendPorts, hasTime: () => boolean) {
    this.#ports = ports;
    this.#hasTime = hasTime;
  }

  /**
   * Reads what is due and hands it to the calls, while those of the rounds before are still under way; false where
   * there is nothing more to do in this run.
   */
  async round(): Promise<boolean> {
    await (this.#isMoreDue ? this.#room() : this.allAnswered());
    if (this.#isStuck || this.#passedOver >= PASSED_OVER_AT_MOST) return false;
    const { lingerMs, work, clock } = this.#ports;
    const nowMs = clock();
    this.#heldGroups = new Set((await work.heldGroups()).keys());
    const read = await this.#sendable(nowMs);
    const batches = cutBatches(read, { nowMs, lingerMs });
    const waiting = new Set(batches.filter((batch) => this.#mayFillUp(batch, nowMs)));
    for (const { records } of waiting) for (const record of records) this.#waited.add(placeOf(keyOf(record)));
    const leaving = batches.filter((batch) => !waiting.has(batch));
    const inCalls = new Set(leaving.flatMap(({ records }) => records));
    for (const record of read) if (!inCalls.has(record)) this.#layDown(record);
    this.#start(leaving);
    return waiting.size + this.#calls.size > 0;
  }

  /** Has the hours summarised anew whose records stand otherwise now. A mark that is lost costs a day at most. */
  async markTouched(): Promise<void> {
    await this.#contained({ step: 'mark' }, [], () => this.#ports.work.markTouched(this.#touched));
  }

  /** For people to see; a line that is lost takes nothing from what was sent. */
  async noteWhatItCameTo(runId: string, startedAt: number): Promise<void> {
    const { calls, records, honoured, faults } = this.result;
    const sending = { runId, startedAt, calls, records, honoured, faults };
    if (calls > 0) await this.#contained({ step: 'note' }, [], async () => this.#ports.sendings?.note(sending));
  }

  /** Resolves when every call under way has been answered and its results written. */
  async allAnswered(): Promise<void> {
    await Promise.all(this.#calls);
  }

  /** Resolves when there is room in hand for another round. */
  async #room(): Promise<void> {
    const isFull = () =>
      this.#inHand.size > RECORDS_IN_HAND * REFILL_AT || this.#bytesInHand > BYTES_IN_HAND * REFILL_AT;
    while (isFull()) await Promise.race(this.#calls);
  }

  /** Where more is due than was read, a call that is not full waits for the next round, unless it has in vain. */
  #mayFillUp({ records }: MeteringBatch, nowMs: number): boolean {
    if (!this.#isMoreDue || records.length >= MAX_RECORDS_PER_CALL) return false;
    const hasTime = records.every((record) => record.deadlineAt - nowMs > NO_TIME_TO_FILL_MS);
    return hasTime && records.some((record) => !this.#waited.has(placeOf(keyOf(record))));
  }

  #start(batches: readonly MeteringBatch[]): void {
    const before = this.#stepsTaken();
    const unanswered = new Set(batches);
    for (const batch of batches) {
      const call = this.#ports
        .limitCalls(() => this.#call(batch))
        .finally(() => {
          for (const record of batch.records) this.#layDown(record);
          this.#calls.delete(call);
          unanswered.delete(batch);
          if (unanswered.size === 0 && this.#stepsTaken() === before) this.#isStuck = true;
        });
      this.#calls.add(call);
    }
  }

  /** Calls made, and records that this run leaves alone from now on: as long as these grow, a run gets somewhere. */
  #stepsTaken(): number {
    return this.result.calls + this.#failed.size;
  }

  #takeInHand(record: SealedHour): void {
    const bytes = Buffer.byteLength(JSON.stringify(record));
    this.#inHand.set(placeOf(keyOf(record)), bytes);
    this.#bytesInHand += bytes;
  }

  #layDown(record: SealedHour): void {
    const place = placeOf(keyOf(record));
    this.#bytesInHand -= this.#inHand.get(place) ?? 0;
    this.#inHand.delete(place);
  }

  /** Takes what is due in hand until there is no more room, and ends what has passed its deadline on the way. */
  async #sendable(nowMs: number): Promise<SealedHour[]> {
    const sendable: SealedHour[] = [];
    const isFull = () => this.#inHand.size >= RECORDS_IN_HAND || this.#bytesInHand >= BYTES_IN_HAND;
    this.#isMoreDue = false;
    // A held group may be large: what stands behind it in the order must not wait for its release.
    for await (const references of this.#due(nowMs)) {
      this.#isMoreDue = isFull() || !this.#hasTime() || this.#passedOver >= PASSED_OVER_AT_MOST;
      if (this.#isMoreDue) break;
      const records = await this.#read(references);
      await this.#each(
        'expire',
        records.filter((record) => nowMs >= record.deadlineAt),
        (record) => this.#settle(record, (now) => judgeDeadline(now, this.#ports.clock())),
      );
      for (const record of records) {
        if (!isDue(record, nowMs) || this.#isHeld(record)) continue;
        if (this.#isDown(record)) {
          this.#passOver(record);
          continue;
        }
        sendable.push(record);
        this.#takeInHand(record);
      }
    }
    return sendable;
  }

  async #read(references: readonly LiveRecord[]): Promise<readonly SealedHour[]> {
    const { ledger } = this.#ports;
    const read = () => ledger.records(references, (key, fault) => this.#noteMalformed(key, fault));
    return (await this.#contained({ step: 'read', records: references.length }, references, read)) ?? [];
  }

  /** References to what may be sent, or has passed its deadline, soonest deadline first, as many at a time as are read. */
  #due(nowMs: number): AsyncGenerator<readonly LiveRecord[]> {
    const { ledger, stateShards } = this.#ports;
    const lists = liveLists(ledger, stateShards).map((list) => this.#dueOf(list, nowMs));
    return soonestFirst(lists, CHUNK_RECORDS);
  }

  /** One list's references; none, and its fault named, where they can't be listed. */
  async *#dueOf({ name, pages: pagesOf }: LiveList, nowMs: number): AsyncGenerator<readonly LiveRecord[]> {
    const pages = pagesOf((key, fault) => this.#noteMalformed(key, fault))[Symbol.asyncIterator]();
    const isWanted = (each: LiveRecord) => nowMs >= each.deadlineAt || isDue(each, nowMs);
    for (;;) {
      const next = await this.#contained({ step: 'list', list: name }, [], () => pages.next());
      if (!next || next.done) return;
      yield next.value.filter((each) => isWanted(each) && !this.#isElsewhere(each));
    }
  }

  /** Whether a record is in a call already, or has failed in this run. */
  #isElsewhere(key: ItemKey): boolean {
    const place = placeOf(key);
    return this.#failed.has(place) || this.#inHand.has(place);
  }

  #isDown(of: Route): boolean {
    const unanswered = this.#unanswered.get(of.meteringRegion)?.size ?? 0;
    return unanswered >= UNANSWERED_PRODUCTS || (this.#faultsInARow.get(routeOf(of)) ?? 0) >= FAULTS_IN_A_ROW;
  }

  #passOver(record: SealedHour): void {
    this.#failed.add(placeOf(keyOf(record)));
    this.#passedOver += 1;
  }

  #call(batch: MeteringBatch): Promise<void> {
    const [first] = batch.records;
    const facts = {
      step: 'call',
      productCode: batch.productCode,
      hour: first?.hour ?? '',
      records: batch.records.length,
    };
    return this.#contained(facts, batch.records.map(keyOf), () => this.#callContained(batch));
  }

  /** What of a batch may be sent now: nothing once time has run out or its like keep failing. */
  #stillSendable(batch: MeteringBatch): SealedHour[] {
    if (!this.#hasTime() || this.#isDown(batch)) return [];
    const nowMs = this.#ports.clock();
    return batch.records.filter(
      (record) => nowMs < record.deadlineAt && !this.#isHeld(record) && !this.#failed.has(placeOf(keyOf(record))),
    );
  }

  /** Intent, call, results; on a validation error, its halves, down to the record at fault. */
  async #callContained(batch: MeteringBatch): Promise<void> {
    const ports = this.#ports;
    if (this.#stillSendable(batch).length === 0) return;
    await ports.pace.take();
    // Waiting for the pace takes half a minute after throttles: time, AWS and deadlines are asked again.
    const sendable = this.#stillSendable(batch);
    const attemptId = ports.newId();
    const intended = await this.#each('intend', sendable, (record) => this.#intend(record, attemptId));
    const records = intended.filter((record) => record !== undefined);
    if (records.length === 0) return;
    await ports.pace.depart();
    this.result.calls += 1;
    this.result.records += records.length;
    const answer = await ports.metering.send({ ...batch, records });
    const nowMs = ports.clock();
    const judgement = { attemptId, nowMs, ...(answer.requestId === undefined ? {} : { requestId: answer.requestId }) };
    if (answer.kind === 'answered') {
      this.#noteAnswer(batch);
      const answers: ReadonlyMap<string, RecordAnswer | undefined> = new Map(
        records.map((record, index) => [identityOf(record), answer.answers[index]]),
      );
      await this.#each('settle', records, (record) =>
        this.#settle(record, (now) =>
          judgeAnswer(now, answers.get(identityOf(record)) ?? { kind: 'missing' }, judgement),
        ),
      );
      return;
    }
    await this.#each('settle', records, (record) => this.#settle(record, (now) => judgeFault(now, answer, judgement)));
    // As they stood before, where a refused attempt has been taken off them again; the call may have left some out.
    const before = sendable.filter((_, index) => intended[index] !== undefined);
    await this.#afterFault({ ...batch, records: answer.kind === 'unlisted' ? records : before }, answer);
  }

  async #afterFault(batch: MeteringBatch, fault: CallFault): Promise<void> {
    const [first] = batch.records;
    switch (fault.kind) {
      case 'refused':
        if (fault.isThrottled) {
          this.result.throttled += 1;
          this.#ports.pace.throttled();
        }
        this.#noteFault(batch, fault.code, !fault.isThrottled);
        return;
      case 'unknown':
        this.#noteFault(batch, fault.code, true);
        this.#noteUnanswered(batch);
        return;
      case 'unlisted':
        // One record at fault alone says as much as a fault of all: three in a row, and the run leaves their like alone.
        this.#noteFault(batch, fault.code, batch.records.length === 1);
        await this.#callHalves(batch);
        return;
      case 'invalid':
        this.#noteAnswer(batch);
        this.#ports.log.warn('BatchInvalid', { awsCode: fault.code, records: batch.records.length });
        // The product code stands once in a call, not in its records: halving could not find a culprit.
        if (first && fault.code === 'InvalidProductCodeException') await this.#holdGroup(first, fault.code);
        else if (first && batch.records.length === 1) await this.#quarantine(first, fault.code);
        else await this.#callHalves(batch);
    }
  }

  /** One after the other, so that what the first half shows of a group spares the second. */
  async #callHalves(batch: MeteringBatch): Promise<void> {
    if (batch.records.length > 1) for (const half of halves(batch)) await this.#call(half);
  }

  #noteAnswer(batch: MeteringBatch): void {
    this.#faultsInARow.delete(routeOf(batch));
    this.#unanswered.delete(batch.meteringRegion);
  }

  #noteUnanswered({ meteringRegion, productCode }: MeteringBatch): void {
    this.#unanswered.set(meteringRegion, new Set(this.#unanswered.get(meteringRegion)).add(productCode));
  }

  #noteFault(batch: MeteringBatch, code: string, countsAsDown: boolean): void {
    this.result.faults += 1;
    const before = this.#faultsInARow.get(routeOf(batch)) ?? 0;
    if (countsAsDown) this.#faultsInARow.set(routeOf(batch), before + 1);
    this.#ports.log.warn('CallFailed', { awsCode: code });
  }

  async #quarantine(record: SealedHour, code: InvalidCode): Promise<void> {
    await this.#each('settle', [record], () =>
      this.#settle(record, (now) =>
        now.status === 'open' || now.status === 'held' ? quarantine(code, this.#ports.clock()) : undefined,
      ),
    );
    await this.#holdGroup(record, code);
  }

  /** Holds what shares a fault; where one hour's refusal says too little of the others, at the second hour's. */
  async #holdGroup(record: SealedHour, code: InvalidCode): Promise<void> {
    const group = faultGroupKey(record, code);
    if (!group) return;
    const suspicion = `suspect ${group} `;
    const held = [...this.#heldGroups, ...this.#heldByUs];
    const isSecond = held.some((key) => key.startsWith(suspicion) && key !== suspicion + record.hour);
    const key = isHeldAtSecondHour(code) && !isSecond ? suspicion + record.hour : group;
    this.#heldByUs.add(key);
    await this.#ports.work.holdGroup({ key, code, since: this.#ports.clock() });
  }

  #isHeld(record: SealedHour): boolean {
    return groupKeysOf(record).some((key) => this.#heldGroups.has(key) || this.#heldByUs.has(key));
  }

  async #intend(record: SealedHour, attemptId: string): Promise<SealedHour | undefined> {
    const at = this.#ports.clock();
    const noted = await this.#ports.ledger.intend(record, { id: attemptId, at });
    return noted ? { ...record, attempts: { ...record.attempts, [attemptId]: { at } } } : undefined;
  }

  /** Writes what a judgement says, judged anew on the record as it stands where it has moved meanwhile. */
  async #settle(record: SealedHour, judge: (record: SealedHour) => Settlement | undefined): Promise<void> {
    const { ledger } = this.#ports;
    let current: SealedHour | undefined = record;
    for (let round = 0; current && round < 5; round++) {
      const settlement = judge(current);
      if (!settlement) return;
      // Before the write: one that is made twice, since its answer was lost, says the second time that it was not made.
      if (settlement.status !== current.status) this.#touched.add(current.hour);
      if (await ledger.settle(current, settlement)) return this.#count(settlement);
      current = await ledger.sealed(current.hour, current.licenceKey, current.dimension);
    }
    this.#ports.log.warn('SettleGivenUp', { hour: record.hour, licenceKey: record.licenceKey });
  }

  #count({ status }: Settlement): void {
    if (status === 'honoured') this.result.honoured += 1;
    if (status === 'expired' || status === 'uncertain') this.result.expired += 1;
    if (status !== 'open' && status !== 'held') this.result.settled += 1;
  }

  /** Does a step for each record; undefined for one at which it failed. */
  #each<R>(
    step: string,
    records: readonly SealedHour[],
    task: (record: SealedHour) => Promise<R>,
  ): Promise<(R | undefined)[]> {
    const one = (record: SealedHour) => {
      const { hour, licenceKey, dimension } = record;
      return this.#contained({ step, hour, licenceKey, dimension }, [keyOf(record)], () => task(record));
    };
    return Promise.all(records.map((record) => this.#ports.limitWrites(() => one(record))));
  }

  /** Does a piece of sending; its fault is logged and counted, keeps its records for the next run, and no others. */
  async #contained<R>(facts: Facts, keys: readonly ItemKey[], task: () => Promise<R>): Promise<R | undefined> {
    try {
      return await task();
    } catch (error) {
      for (const key of keys) this.#failed.add(placeOf(key));
      this.#noteFailure(facts, error);
      return undefined;
    }
  }

  #noteMalformed(key: ItemKey, fault: unknown): void {
    // Every round of a run meets it again.
    if (this.#failed.has(placeOf(key))) return;
    this.#failed.add(placeOf(key));
    this.#noteFailure({ step: 'parse', partition: key.partition, meter: key.meter }, fault);
  }

  #noteFailure(facts: Facts, error: unknown): void {
    this.result.failed += 1;
    const fault = error instanceof Error ? error.name : 'Unknown';
    this.#ports.log.error('SendFailed', { ...facts, failureCode: asFailure(error).code, fault });
  }
}

type Route = Pick<SealedHour, 'meteringRegion' | 'productCode'>;

/** What a fault of AWS is counted by: a product that AWS denies to us fails alone. */
function routeOf({ meteringRegion, productCode }: Route): string {
  return `${meteringRegion} ${productCode}`;
}

function keyOf({ hour, shard, licenceKey, dimension }: SealedHour): ItemKey {
  return { partition: hourShardKey(hour, shard), meter: meterKey(licenceKey, dimension) };
}

function isDue(record: Pick<LiveRecord, 'status' | 'nextAttemptAt' | 'deadlineAt'>, nowMs: number): boolean {
  const isSendable = record.status === 'open' || record.status === 'held';
  return isSendable && nowMs < record.deadlineAt && (record.nextAttemptAt ?? 0) <= nowMs;
}
