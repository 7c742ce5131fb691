// Mistakes with money, most of which others have made, planted one by one to show that the worlds can fail. Each is a
// change of one port or one setting, so that the rest of the system is the real one.
import type { Inclusion } from '../../lambdas/domain/entitlement.ts';
import { addHours, HOUR_MS, type HourStart, SECOND_MS } from '../../lambdas/domain/hour.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import type { Carry, LedgerEntry, SealedHour } from '../../lambdas/domain/ledger.ts';
import type { Licence } from '../../lambdas/domain/licence.ts';
import type { BatchAnswer, RecordAnswer, Settlement } from '../../lambdas/domain/metering-result.ts';
import type { UsageRow } from '../../lambdas/domain/usage-row.ts';
import type { ItemKey, LateMarker, LiveRecord, MeteringGateway } from '../../lambdas/flow/ports.ts';
import { MemoryLedgerStore, MemoryUsageStore, raised } from '../doubles/memory-ports.ts';
import type { Io } from '../doubles/memory-table.ts';
import { type LicenceTable, MemoryLicences, MemoryWorkStore } from '../doubles/memory-work.ts';
import type { Defect } from './metering-world.ts';

type Metering = NonNullable<Defect['metering']>;

class SealsUnconditionally extends MemoryLedgerStore {
  override seal(sealed: SealedHour): Promise<'sealed'> {
    return this.io('write', sealed.shard, () => {
      this.tables.put(sealed);
      return 'sealed';
    });
  }
}

class CarriesInTwoWrites extends MemoryLedgerStore {
  override async carry(origin: SealedHour, carry: Carry): Promise<'carried' | 'moved' | 'targetSealed'> {
    await this.io('write', origin.shard, () => {
      if (!this.tables.hasCarry(carry)) this.tables.putCarry(carry);
    });
    return this.io('write', origin.shard, () => {
      const current = this.unmoved(origin, carry.tagSet);
      if (!current) return 'moved';
      this.tables.put({ ...raised(current, origin, carry), carriedOut: current.carriedOut + carry.quantity });
      return 'carried';
    });
  }
}

class CarriesWhateverStands extends MemoryLedgerStore {
  override carry(...[origin, carry, ...rest]: Parameters<MemoryLedgerStore['carry']>) {
    const originAccounted = this.tables.standing(origin)?.accounted ?? 0;
    return super.carry(origin, { ...carry, originAccounted }, ...rest);
  }

  protected override unmoved(origin: SealedHour): SealedHour | undefined {
    return this.tables.standing(origin);
  }
}

/** Raises what is accounted for, and puts the carry nowhere. */
class CarriesNowhere extends MemoryLedgerStore {
  override carry(origin: SealedHour, carry: Carry): Promise<'carried' | 'moved'> {
    return this.io('write', origin.shard, () => {
      const current = this.unmoved(origin, carry.tagSet);
      if (!current) return 'moved';
      this.tables.put({ ...raised(current, origin, carry), carriedOut: current.carriedOut + carry.quantity });
      return 'carried';
    });
  }
}

class CreditsForEver extends MemoryLedgerStore {
  override seal(sealed: SealedHour): ReturnType<MemoryLedgerStore['seal']> {
    return super.seal(sealed);
  }
}

class SendsRehearsals extends MemoryLedgerStore {
  override seal(...[sealed, ...rest]: Parameters<MemoryLedgerStore['seal']>): ReturnType<MemoryLedgerStore['seal']> {
    return super.seal(sealed.rehearsal ? { ...sealed, status: 'open' } : sealed, ...rest);
  }
}

/** Forgets what the rows of a seal were. */
class OverlooksOverwrites extends MemoryLedgerStore {
  override async *entries(...args: Parameters<MemoryLedgerStore['entries']>): AsyncGenerator<readonly LedgerEntry[]> {
    for await (const page of super.entries(...args)) {
      yield page.map((entry) => (entry.kind === 'sealed' ? { ...entry, seen: { ...entry.seen, count: -1 } } : entry));
    }
  }
}

class DropsWhatFollowsZero extends MemoryLedgerStore {
  override async carry(...args: Parameters<MemoryLedgerStore['carry']>): Promise<'carried' | 'moved' | 'targetSealed'> {
    return args[0].record.quantity === 0 ? 'carried' : super.carry(...args);
  }
}

class ZeroOverUsage extends MemoryLedgerStore {
  override seal(...[sealed, ...rest]: Parameters<MemoryLedgerStore['seal']>): ReturnType<MemoryLedgerStore['seal']> {
    if (sealed.record.quantity > 0) return super.seal(sealed, ...rest);
    return this.io('write', sealed.shard, () => {
      this.tables.put(sealed);
      return 'sealed';
    });
  }
}

class ClosesOnAccessDenied extends MemoryLedgerStore {
  override settle(sealed: SealedHour, settlement: Settlement): Promise<boolean> {
    const isDenied = settlement.refusal?.code === 'AccessDeniedException';
    return super.settle(sealed, isDenied ? { ...settlement, status: 'expired' } : settlement);
  }
}

class ForgetsAttempts extends MemoryLedgerStore {
  override intend(sealed: SealedHour): Promise<boolean> {
    return this.io('write', sealed.shard, () => true);
  }

  protected override isAsJudged(current: SealedHour, judged: SealedHour): boolean {
    return super.isAsJudged(current, { ...judged, attempts: current.attempts });
  }
}

class JudgesByItself extends MemoryLedgerStore {
  override async records(references: readonly ItemKey[]): Promise<readonly SealedHour[]> {
    return (await super.records(references)).map((sealed) => ({ ...sealed, attempts: {} }));
  }

  override async sealed(hour: HourStart, licenceKey: string, dimension: string): Promise<SealedHour | undefined> {
    const sealed = await super.sealed(hour, licenceKey, dimension);
    return sealed && { ...sealed, attempts: {} };
  }

  protected override isAsJudged(current: SealedHour, judged: SealedHour): boolean {
    return super.isAsJudged(current, { ...judged, attempts: current.attempts });
  }
}

class SettlesWhateverStands extends MemoryLedgerStore {
  protected override isAsJudged(): boolean {
    return true;
  }
}

class ExpiresWhatWasAttempted extends MemoryLedgerStore {
  override settle(sealed: SealedHour, settlement: Settlement): Promise<boolean> {
    const { status } = settlement;
    return super.settle(sealed, { ...settlement, status: status === 'uncertain' ? 'expired' : status });
  }
}

/** The counter of a contract's term in a write of its own, from what was read. */
class CountsApart extends MemoryLedgerStore {
  override async seal(...[sealed, credit, step]: Parameters<MemoryLedgerStore['seal']>) {
    const outcome = await super.seal(sealed, credit);
    if (outcome === 'sealed' && step) await this.io('write', sealed.shard, () => this.tables.count(step));
    return outcome;
  }
}

class CountsLateTwice extends MemoryLedgerStore {
  override carry(...[origin, carry, onlyInto, inclusion]: Parameters<MemoryLedgerStore['carry']>) {
    return super.carry(origin, carry, onlyInto, this.#twice(inclusion));
  }

  override include(...[origin, tagSet, inclusion]: Parameters<MemoryLedgerStore['include']>) {
    return super.include(origin, tagSet, this.#twice(inclusion) ?? inclusion);
  }

  #twice(inclusion: Inclusion | undefined): Inclusion | undefined {
    const { step } = inclusion ?? {};
    return inclusion && step ? { ...inclusion, step: { ...step, used: 2 * step.used } } : inclusion;
  }
}

class ListsOnePage extends MemoryLedgerStore {
  override async *open(stateShard: number): AsyncGenerator<readonly LiveRecord[]> {
    for await (const page of super.open(stateShard)) return yield page;
  }
}

class ReadsOnePage extends MemoryUsageStore {
  override async *rows(...args: Parameters<MemoryUsageStore['rows']>): AsyncGenerator<readonly UsageRow[]> {
    for await (const page of super.rows(...args)) return yield page;
  }
}

/** Looks for a reported event nowhere but where it would put it. */
class FindsNothingElsewhere extends MemoryUsageStore {
  override async standing(): Promise<'absent'> {
    return 'absent';
  }
}

class CountsBadRows extends MemoryUsageStore {
  override async *rows(...args: Parameters<MemoryUsageStore['rows']>): AsyncGenerator<readonly UsageRow[]> {
    for await (const page of super.rows(...args)) yield page.map((row) => believed(row, args[0]));
  }
}

/** A bad row as a good one, by whatever of it can be read. */
function believed(row: UsageRow, hour: HourStart): UsageRow {
  const [licenceKey = '', dimension = ''] = row.sortKey.split('#');
  if (row.kind === 'good' || row.meter === undefined) return row;
  const { sortKey, meter, quantity } = row;
  return {
    kind: 'good',
    sortKey,
    meter,
    licenceKey,
    dimension,
    quantity,
    tagSet: '',
    atMs: Date.parse(`${hour}:00:00Z`),
  };
}

class ClearsAnyVersion extends MemoryWorkStore {
  override clearLate({ hour, shard }: LateMarker, nowMs: number): Promise<void> {
    return this.io('write', shard, () => {
      const key = `${hour}#${shard}`;
      const standing = this.table.late.get(key);
      if (standing) this.table.cleared.set(key, { version: standing.version, atMs: nowMs });
    });
  }
}

/** Takes an hour for done that some shard has failed at. */
class NotesEveryLook extends MemoryWorkStore {
  override noteShards(hour: HourStart, { looks }: { looks: number }): Promise<void> {
    return this.noteLooks({ hour, looksDone: looks });
  }
}

class ForgetsWaiting extends MemoryWorkStore {
  override async awaitLicence(): Promise<void> {}
}

/** Tells an end to the name alone that its buyer was metered by before. */
class EndsOldNameAlone extends MemoryLicences {
  override async noteEnding(...args: Parameters<MemoryLicences['noteEnding']>): Promise<Licence | undefined> {
    const licence = this.table.licences.get(args[0]);
    const tookOver = licence?.identityStyle === 'licence' && licence.cutOverHour !== undefined;
    return tookOver ? licence : super.noteEnding(...args);
  }
}

class KnowsNoEnd extends MemoryLicences {
  override async *licencesOfShard(shard: number): AsyncGenerator<readonly Licence[]> {
    for await (const page of super.licencesOfShard(shard)) yield page.map(({ ending: _ending, ...licence }) => licence);
  }
}

function withoutCutOver({ cutOverHour: _hour, counterpartKey: _other, ...licence }: Licence): Licence {
  return licence;
}

class ClosesWithoutCutOver extends MemoryLicences {
  override async *licencesOfShard(shard: number): AsyncGenerator<readonly Licence[]> {
    for await (const page of super.licencesOfShard(shard)) yield page.map(withoutCutOver);
  }
}

class AdmitsWithoutCutOver extends MemoryLicences {
  override async licence(licenceKey: string): Promise<Licence | undefined> {
    const licence = await super.licence(licenceKey);
    return licence && withoutCutOver(licence);
  }
}

/** Leaves an ending licence to the usual looks until its time is nearly over. */
class LooksAtEndsLate extends MemoryLicences {
  readonly #clock: () => number;

  constructor(io: Io, table: LicenceTable, clock: () => number) {
    super(io, table);
    this.#clock = clock;
  }

  override async endingLicences(): Promise<readonly Licence[]> {
    const isNearlyOver = ({ ending }: Licence) => (ending?.deprovisionedAt ?? Infinity) + 0.9 * HOUR_MS < this.#clock();
    return (await super.endingLicences()).filter(isNearlyOver);
  }
}

/** Sends what is used now instead of what was sealed, as one does who keeps no sealed record. */
const sendsCurrentUsage: Metering = (aws, usage) => {
  const usedOf = async (sealed: SealedHour) => {
    let used = 0;
    for await (const page of usage.rows(sealed.hour, shardOf(sealed.licenceKey), sealed)) {
      for (const row of page) if (row.kind === 'good' && row.dimension === sealed.dimension) used += row.quantity;
    }
    return { ...sealed, record: { ...sealed.record, quantity: used } };
  };
  return { send: async (batch) => aws.send({ ...batch, records: await Promise.all(batch.records.map(usedOf)) }) };
};

const stampsNow: Metering = (aws, _usage, clock) => ({
  send: (batch) => {
    const timestampSeconds = Math.floor(clock() / SECOND_MS);
    const stamped = (sealed: SealedHour) => ({ ...sealed, record: { ...sealed.record, timestampSeconds } });
    return aws.send({ ...batch, records: batch.records.map(stamped) });
  },
});

/** Turns to another region where one gives no answer. */
const failsOver: Metering = (aws) => ({
  send: async (batch) => {
    const answer = await aws.send(batch);
    return answer.kind === 'unknown' ? aws.send({ ...batch, meteringRegion: 'us-west-2' }) : answer;
  },
});

function believing(believe: (answer: BatchAnswer, records: number) => BatchAnswer): Metering {
  return (aws: MeteringGateway) => ({
    send: async (batch) => believe(await aws.send(batch), batch.records.length),
  });
}

const success: RecordAnswer = { kind: 'success' };

const believesEveryCall = believing((answer, records) =>
  answer.kind === 'answered' ? answer : { kind: 'answered', answers: Array.from({ length: records }, () => success) },
);

function takingFor(kind: RecordAnswer['kind']): Metering {
  return believing((answer) =>
    answer.kind === 'answered'
      ? { ...answer, answers: answer.answers.map((each) => (each.kind === kind ? success : each)) }
      : answer,
  );
}

/** Each defect by what it does; `firstSeed` is the first world that shows it. */
export const PLANTED_DEFECTS: Readonly<Record<string, Defect & { readonly firstSeed: number }>> = {
  'a seal overwrites a seal': { firstSeed: 4, ledger: (io, tables) => new SealsUnconditionally(io, tables) },
  'a carry is written in two steps': { firstSeed: 306, ledger: (io, tables) => new CarriesInTwoWrites(io, tables) },
  'a carry does not ask what is accounted for': {
    firstSeed: 5,
    ledger: (io, tables) => new CarriesWhateverStands(io, tables),
  },
  'a carry is put nowhere': { firstSeed: 1, ledger: (io, tables) => new CarriesNowhere(io, tables) },
  'a credit is never used up': { firstSeed: 4, ledger: (io, tables) => new CreditsForEver(io, tables) },
  'rehearsed hours are sent': { firstSeed: 4, ledger: (io, tables) => new SendsRehearsals(io, tables) },
  'a row that was written over wakes nobody': {
    firstSeed: 5,
    ledger: (io, tables) => new OverlooksOverwrites(io, tables),
  },
  'usage is carried past the end of its licence': {
    firstSeed: 21,
    licences: (io, table) => new KnowsNoEnd(io, table),
  },
  'usage found after a zero record is dropped': {
    firstSeed: 4,
    ledger: (io, tables) => new DropsWhatFollowsZero(io, tables),
  },
  'a zero record overwrites usage': { firstSeed: 5, ledger: (io, tables) => new ZeroOverUsage(io, tables) },
  'only the first page of usage is read': { firstSeed: 2, usage: (io, table) => new ReadsOnePage(io, table) },
  'a repeat after a replacement is recorded anew': {
    firstSeed: 59,
    usage: (io, table) => new FindsNothingElsewhere(io, table),
  },
  'only the first page of open records is read': {
    firstSeed: 72,
    ledger: (io, tables) => new ListsOnePage(io, tables),
  },
  'a bad row of a seller is counted': { firstSeed: 1, usage: (io, table) => new CountsBadRows(io, table) },
  'a late marker is cleared whatever its version': {
    firstSeed: 79,
    work: (io, table) => new ClearsAnyVersion(io, table),
  },
  'a look that failed at a shard counts as done': {
    firstSeed: 73,
    work: (io, table) => new NotesEveryLook(io, table),
  },
  'usage that waits for its licence is not noted': {
    firstSeed: 12,
    work: (io, table) => new ForgetsWaiting(io, table),
  },
  'late usage is sealed in place whatever its deadline': {
    firstSeed: 39,
    policy: (policy) => ({ ...policy, nearDeadlineMs: -1_000 * HOUR_MS }),
  },
  'the end of the month is ignored': {
    firstSeed: 3,
    policy: (policy) => ({ ...policy, monthCutOffMs: 31 * 24 * HOUR_MS }),
  },
  'the last hour is sealed before the earlier ones': {
    firstSeed: 201,
    policy: (policy) => ({ ...policy, lastHourMarginMs: 24 * HOUR_MS }),
    licences: (io, table, clock) => new LooksAtEndsLate(io, table, clock),
  },
  'access denied closes a record': { firstSeed: 19, ledger: (io, tables) => new ClosesOnAccessDenied(io, tables) },
  'attempts are not noted before the call': { firstSeed: 1, ledger: (io, tables) => new ForgetsAttempts(io, tables) },
  'a duplicate is judged by the own attempt alone': {
    firstSeed: 1,
    ledger: (io, tables) => new JudgesByItself(io, tables),
  },
  'a result is written over whatever stands': {
    firstSeed: 9,
    ledger: (io, tables) => new SettlesWhateverStands(io, tables),
  },
  'an attempted record expires like one never sent': {
    firstSeed: 8,
    ledger: (io, tables) => new ExpiresWhatWasAttempted(io, tables),
  },
  'the usage of the moment is sent, not the sealed one': { firstSeed: 1, metering: sendsCurrentUsage },
  'records are stamped with the time of the call': { firstSeed: 1, metering: stampsNow },
  'a call without an answer is made again in another region': { firstSeed: 1, metering: failsOver },
  'a failed call counts as a success': { firstSeed: 1, metering: believesEveryCall },
  'an unprocessed record counts as a success': { firstSeed: 1, metering: takingFor('unprocessed') },
  'a counter is moved outside of its transaction': {
    firstSeed: 12,
    ledger: (io, tables) => new CountsApart(io, tables),
  },
  'late usage of a contract is counted twice': {
    firstSeed: 5,
    ledger: (io, tables) => new CountsLateTwice(io, tables),
  },
  'the cut-over is ignored at the close': {
    firstSeed: 4,
    licences: (io, table) => new ClosesWithoutCutOver(io, table),
  },
  'the cut-over is ignored at the door': {
    firstSeed: 4,
    licences: (io, table) => new AdmitsWithoutCutOver(io, table),
  },
  'a confirmation reads the log an hour off': {
    firstSeed: 29,
    trail: (records) => records.map((each) => ({ ...each, hour: addHours(each.hour, 1) })),
  },
  'an end is told to the name before a cut-over alone': {
    firstSeed: 21,
    licences: (io, table) => new EndsOldNameAlone(io, table),
  },
  'a buyer who is not subscribed counts as billed': { firstSeed: 11, metering: takingFor('notSubscribed') },
};
