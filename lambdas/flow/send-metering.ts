// Reads:       records that are not settled, by deadline; held groups
// Writes:      one intent a record and call before the call; one result a record after it; one hold a fault group
// Once per:    intent once an attempt; a result only while the record stands as it was judged
// If it stops: the next run finds the intents, sends the same records again, and AWS removes the duplicates
import type { SealedHour } from '../domain/ledger.ts';
import { cutBatches, halves, identityOf, type MeteringBatch } from '../domain/metering-batch.ts';
import {
  type CallFault,
  faultGroupKey,
  groupKeysOf,
  type InvalidCode,
  judgeAnswer,
  judgeDeadline,
  judgeFault,
  quarantine,
  type RecordAnswer,
  type Settlement,
} from '../domain/metering-result.ts';
import type { LedgerStore, LiveRecord, MeteringGateway, WorkStore } from './ports.ts';

/** Keeps calls within AWS's quota. Slows down when AWS says that it was too much, and recovers by itself. */
interface Pace {
  take(): Promise<void>;
  throttled(): void;
}

export interface SendPorts {
  readonly ledger: Pick<LedgerStore, 'live' | 'records' | 'intend' | 'settle' | 'sealed'>;
  readonly work: Pick<WorkStore, 'takeLease' | 'dropLease' | 'heldGroups' | 'holdGroup'>;
  readonly metering: MeteringGateway;
  readonly pace: Pace;
  readonly clock: () => number;
  readonly newId: () => string;
  /** Bounds the calls in flight. */
  readonly limitCalls: <T>(task: () => Promise<T>) => Promise<T>;
  /** Bounds the writes in flight. */
  readonly limitWrites: <T>(task: () => Promise<T>) => Promise<T>;
  readonly log: { warn(code: string, facts?: Readonly<Record<string, string | number>>): void };
  readonly lingerMs: number;
  readonly stateShards: number;
}

export interface SendResult {
  calls: number;
  records: number;
  honoured: number;
  settled: number;
  expired: number;
  faults: number;
  leaseTaken: boolean;
}

const LEASE = 'send-metering';
/** Longer than a run may take; a sender that died gives way after it. */
const LEASE_MS = 2 * 60_000;

/** How many records one round sends: enough for full batches, few enough for memory. */
const ROUND_RECORDS = 2_000;

/** How many references one round looks through, a shard of the state index; some 200 bytes each. */
const ROUND_REFERENCES = 20_000;

/** After this many infrastructure faults in a row, a run leaves AWS alone until the next. */
const FAULTS_IN_A_ROW = 3;

/** Sends what is open, soonest deadline first, until nothing is due or time runs out. Safe if two ever run. */
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
    return run.result;
  } finally {
    await ports.work.dropLease(LEASE, holder);
  }
}

class SendRun {
  readonly result: SendResult = {
    calls: 0,
    records: 0,
    honoured: 0,
    settled: 0,
    expired: 0,
    faults: 0,
    leaseTaken: false,
  };
  readonly #ports: SendPorts;
  readonly #hasTime: () => boolean;
  /** Held groups as last read, and those that this run has held since. */
  #heldGroups: ReadonlySet<string> = new Set();
  #faultsInARow = 0;

  constructor(ports: SendPorts, hasTime: () => boolean) {
    this.#ports = ports;
    this.#hasTime = hasTime;
  }

  /** One round over what is due; false where there is nothing more to do in this run. */
  async round(): Promise<boolean> {
    const ports = this.#ports;
    const nowMs = ports.clock();
    this.#heldGroups = new Set((await ports.work.heldGroups()).keys());
    const sendable: SealedHour[] = [];
    const due = await this.#due(nowMs);
    // A held group may be large: what stands behind it in the order must not wait for its release.
    for (let from = 0; from < due.length && sendable.length < ROUND_RECORDS; from += ROUND_RECORDS) {
      const records = await ports.ledger.records(due.slice(from, from + ROUND_RECORDS));
      await this.#each(
        records.filter((record) => nowMs >= record.deadlineAt),
        (record) => this.#expire(record),
      );
      sendable.push(...records.filter((each) => isDue(each, nowMs) && !this.#isHeld(each)));
    }
    const batches = cutBatches(sendable, { nowMs, lingerMs: ports.lingerMs });
    if (batches.length === 0) return false;
    await Promise.all(batches.map((batch) => ports.limitCalls(() => this.#callIfTime(batch))));
    return !this.#isAwsDown();
  }

  /** References to what may be sent, or has passed its deadline, soonest deadline first. */
  async #due(nowMs: number): Promise<LiveRecord[]> {
    const shards = Array.from({ length: this.#ports.stateShards }, (_, shard) => shard);
    const found = await Promise.all(shards.map((shard) => this.#dueOf(shard, nowMs)));
    return found
      .flat()
      .sort((a, b) => a.deadlineAt - b.deadlineAt || (a.partition + a.meter < b.partition + b.meter ? -1 : 1));
  }

  async #dueOf(shard: number, nowMs: number): Promise<LiveRecord[]> {
    const due: LiveRecord[] = [];
    for await (const page of this.#ports.ledger.live(shard)) {
      due.push(...page.filter((each) => nowMs >= each.deadlineAt || isDue(each, nowMs)));
      if (due.length >= ROUND_REFERENCES) break;
    }
    return due;
  }

  #isAwsDown(): boolean {
    return this.#faultsInARow >= FAULTS_IN_A_ROW;
  }

  async #callIfTime(batch: MeteringBatch): Promise<void> {
    if (!this.#hasTime() || this.#isAwsDown()) return;
    await this.#call(batch);
  }

  /** Intent, call, results; on a validation error, its halves, down to the record at fault. */
  async #call(batch: MeteringBatch): Promise<void> {
    const ports = this.#ports;
    const sendable = batch.records.filter((record) => !this.#isHeld(record));
    if (sendable.length === 0) return;
    await ports.pace.take();
    const attemptId = ports.newId();
    const intended = await this.#each(sendable, (record) => this.#intend(record, attemptId));
    const records = intended.filter((record) => record !== undefined);
    if (records.length === 0) return;
    this.result.calls += 1;
    this.result.records += records.length;
    const answer = await ports.metering.send({ ...batch, records });
    const nowMs = ports.clock();
    const judgement = { attemptId, nowMs, ...(answer.requestId === undefined ? {} : { requestId: answer.requestId }) };
    if (answer.kind === 'answered') {
      this.#faultsInARow = 0;
      const answers: ReadonlyMap<string, RecordAnswer | undefined> = new Map(
        records.map((record, index) => [identityOf(record), answer.answers[index]]),
      );
      await this.#each(records, (record) =>
        this.#settle(record, (now) =>
          judgeAnswer(now, answers.get(identityOf(record)) ?? { kind: 'missing' }, judgement),
        ),
      );
      return;
    }
    await this.#each(records, (record) => this.#settle(record, (now) => judgeFault(now, answer, judgement)));
    // As they stood before: a refused attempt has been taken off them again.
    const before = batch.records.filter((_, index) => intended[index] !== undefined);
    await this.#afterFault({ ...batch, records: before }, answer);
  }

  async #afterFault(batch: MeteringBatch, fault: CallFault): Promise<void> {
    const [first] = batch.records;
    switch (fault.kind) {
      case 'refused':
        if (fault.isThrottled) this.#ports.pace.throttled();
        this.#noteFault(fault.code, !fault.isThrottled);
        return;
      case 'unknown':
        this.#noteFault(fault.code, true);
        return;
      case 'invalid':
        this.#faultsInARow = 0;
        this.#ports.log.warn('BatchInvalid', { awsCode: fault.code, records: batch.records.length });
        // The product code stands once in a call, not in its records: halving could not find a culprit.
        if (first && fault.code === 'InvalidProductCodeException') await this.#holdGroup(first, fault.code);
        else if (first && batch.records.length === 1) await this.#quarantine(first, fault.code);
        else for (const half of halves(batch)) await this.#call(half);
    }
  }

  #noteFault(code: string, countsAsDown: boolean): void {
    this.result.faults += 1;
    if (countsAsDown) this.#faultsInARow += 1;
    this.#ports.log.warn('CallFailed', { awsCode: code });
  }

  async #quarantine(record: SealedHour, code: InvalidCode): Promise<void> {
    await this.#settle(record, (now) =>
      now.status === 'open' || now.status === 'held' ? quarantine(code, this.#ports.clock()) : undefined,
    );
    await this.#holdGroup(record, code);
  }

  async #holdGroup(record: SealedHour, code: InvalidCode): Promise<void> {
    const key = faultGroupKey(record, code);
    if (!key) return;
    this.#heldGroups = new Set([...this.#heldGroups, key]);
    await this.#ports.work.holdGroup({ key, code, since: this.#ports.clock() });
  }

  #isHeld(record: SealedHour): boolean {
    return groupKeysOf(record).some((key) => this.#heldGroups.has(key));
  }

  async #intend(record: SealedHour, attemptId: string): Promise<SealedHour | undefined> {
    const at = this.#ports.clock();
    const noted = await this.#ports.ledger.intend(record, { id: attemptId, at });
    return noted ? { ...record, attempts: { ...record.attempts, [attemptId]: { at } } } : undefined;
  }

  async #expire(record: SealedHour): Promise<void> {
    await this.#settle(record, (now) => judgeDeadline(now, this.#ports.clock()));
  }

  /** Writes what a judgement says, judged anew on the record as it stands where it has moved meanwhile. */
  async #settle(record: SealedHour, judge: (record: SealedHour) => Settlement | undefined): Promise<void> {
    const { ledger } = this.#ports;
    let current: SealedHour | undefined = record;
    for (let round = 0; current && round < 5; round++) {
      const settlement = judge(current);
      if (!settlement) return;
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

  #each<R>(records: readonly SealedHour[], task: (record: SealedHour) => Promise<R>): Promise<R[]> {
    return Promise.all(records.map((record) => this.#ports.limitWrites(() => task(record))));
  }
}

function isDue(record: Pick<LiveRecord, 'status' | 'nextAttemptAt' | 'deadlineAt'>, nowMs: number): boolean {
  const isSendable = record.status === 'open' || record.status === 'held';
  return isSendable && nowMs < record.deadlineAt && (record.nextAttemptAt ?? 0) <= nowMs;
}
