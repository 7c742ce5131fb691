// For containers and AMIs that meter their own dimensions: counts units on the instance and reports each hour once.
import { randomUUID } from 'node:crypto';
import { MarketplaceMeteringClient, MeterUsageCommand } from '@aws-sdk/client-marketplace-metering';
import { InvalidInput } from '../lambdas/domain/failure.ts';
import { hourOf, hourStartMs, MINUTE_MS } from '../lambdas/domain/hour.ts';
import { isQuantity } from '../lambdas/domain/quantity.ts';
import { codeOf, type Patience, type Stop, stopOf, type Unanswered, untilAnswered } from './container-answer.ts';
import {
  answered,
  counted,
  dueHours,
  failing,
  type Hours,
  intended,
  type MeterAnswer,
  type MeteredHour,
  type MeteringStanding,
  nameOf,
  pruned,
  sealed,
  settledByTime,
  standingAfter,
  troubledSince,
} from './container-hours.ts';
import { CALL_TIMEOUT_MS } from './container-limits.ts';
import { MeteringJournal } from './metering-journal.ts';

export type { MeteredHour, MeteringStanding } from './container-hours.ts';

export interface ContainerMeterOptions extends Partial<Patience> {
  readonly productCode: string;
  /** The listing's usage dimensions; the first is asked about at the start. At least one. */
  readonly dimensions: readonly [string, ...string[]];
  /** A file on a disk that outlives a restart of the process, of this instance, task or pod alone. */
  readonly journal: string;
  /** Yours to close; with `maxAttempts: 1`. Without it, one is made for the Region in which the software runs. */
  readonly client?: MarketplaceMeteringClient;
  /** How often hours that are over are looked for, a minute where absent; 0 for by `report` alone. */
  readonly reportEveryMs?: number;
  /** Told when the standing changes, and of hours that AWS did not take, or of which nobody knows. */
  readonly onStanding?: (standing: MeteringStanding) => void;
  readonly onTrouble?: (hour: MeteredHour) => void;
  /** Epoch milliseconds, now. */
  readonly clock?: () => number;
}

export type MeterStart = { readonly kind: 'ready'; readonly meter: ContainerMeter } | Stop;

export interface ContainerMeter {
  /**
   * Counts whole units of a dimension into the running hour; resolves once they stand in the journal. Throws
   * InvalidInput for a dimension that was not named, or units that are not whole, and after `close`.
   */
  record(dimension: string, quantity: number): Promise<void>;
  /** Sends the hours that are over and due. Runs by itself, too; two at once are one. */
  report(): Promise<MeteringStanding>;
  readonly standing: MeteringStanding;
  /** What the journal holds: hours that are counted, wait, or need a person, and the last day's. */
  hours(): readonly MeteredHour[];
  /**
   * The software ends: the running hour is sealed as it stands and sent with what waits, once. Answers what AWS has
   * not taken; it stands in the journal and is sent by the next start on it. A second call changes nothing.
   */
  close(): Promise<readonly MeteredHour[]>;
}

/**
 * Asks by a dry run whether this instance may report usage, and begins to. AWS takes one record per hour and dimension
 * from each instance, so units are counted here and sent when the hour is over: quantity and ClientToken fixed, the
 * call noted in the journal before it is made and its answer after. An hour that AWS did not take within its window of
 * six hours goes on into a later one where AWS cannot have it, and is `uncertain` where a call was never answered.
 *
 * `stop`: do not serve, and tell the buyer. AWS being silent or throttling is no reason to stop: it is asked again for
 * `retryForMs`, a minute where absent, and then the meter begins, `failing`. Throws where the journal is damaged.
 * (API reference MeterUsage; seller guide, container metering with MeterUsage, custom metering of AMI products.)
 */
export async function startContainerMeter(options: ContainerMeterOptions): Promise<MeterStart> {
  const { client: given, retryForMs = MINUTE_MS, signal, clock = Date.now } = options;
  const journal = await MeteringJournal.open(options.journal);
  const client = given ?? new MarketplaceMeteringClient({ maxAttempts: 1 });
  const answer = await untilAnswered(() => dryRun(client, options, clock()), { retryForMs, signal });
  if (answer.kind === 'stop') {
    if (!given) client.destroy();
    return answer;
  }
  const standing: MeteringStanding = answer.kind === 'ready' ? { kind: 'ok' } : failing(clock(), answer.code);
  const meter = new JournalledMeter({ ...options, clock }, journal, client, standing, given === undefined);
  return { kind: 'ready', meter };
}

interface Ready {
  readonly kind: 'ready';
}

/** Success of a dry run comes as an error of this name. (API reference MeterUsage, `DryRun`.) */
const DRY_RUN_SUCCEEDED = 'DryRunOperation';

async function dryRun(
  client: MarketplaceMeteringClient,
  { productCode, dimensions: [dimension] }: ContainerMeterOptions,
  nowMs: number,
): Promise<Ready | Stop | Unanswered> {
  const Timestamp = new Date(hourStartMs(hourOf(nowMs)));
  const command = { ProductCode: productCode, UsageDimension: dimension, UsageQuantity: 0, Timestamp, DryRun: true };
  try {
    await client.send(new MeterUsageCommand(command), { abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
    return { kind: 'ready' };
  } catch (fault) {
    const code = codeOf(fault);
    if (code === DRY_RUN_SUCCEEDED) return { kind: 'ready' };
    return stopOf(code) ?? { kind: 'unanswered', code };
  }
}

class JournalledMeter implements ContainerMeter {
  readonly #options: ContainerMeterOptions;
  readonly #clock: () => number;
  readonly #journal: MeteringJournal;
  readonly #client: MarketplaceMeteringClient;
  readonly #isOwnClient: boolean;
  readonly #timer: NodeJS.Timeout | undefined;
  #standing: MeteringStanding;
  #reporting: Promise<MeteringStanding> | undefined;
  #closing: Promise<readonly MeteredHour[]> | undefined;
  #isClosed = false;

  constructor(
    options: ContainerMeterOptions & { readonly clock: () => number },
    journal: MeteringJournal,
    client: MarketplaceMeteringClient,
    standing: MeteringStanding,
    isOwnClient: boolean,
  ) {
    this.#options = options;
    this.#clock = options.clock;
    this.#journal = journal;
    this.#client = client;
    this.#standing = standing;
    this.#isOwnClient = isOwnClient;
    const { reportEveryMs = MINUTE_MS } = options;
    // What one report can't do, a full disk say, is met again by the next and by whoever records or closes.
    if (reportEveryMs > 0) this.#timer = setInterval(() => void this.report().catch(() => {}), reportEveryMs).unref();
  }

  get standing(): MeteringStanding {
    return this.#standing;
  }

  hours(): readonly MeteredHour[] {
    return [...this.#journal.hours.values()];
  }

  async record(dimension: string, quantity: number): Promise<void> {
    if (this.#isClosed) throw new InvalidInput('MeterClosed', 'The meter was closed and counts no more units.');
    const { dimensions } = this.#options;
    if (!dimensions.includes(dimension)) {
      const named = dimensions.map((each) => `'${each}'`).join(', ');
      throw new InvalidInput(
        'DimensionUnknown',
        `'${dimension}' is no dimension of this meter. Known are ${named}: name it when the meter is started, and in the listing.`,
      );
    }
    if (!isQuantity(quantity)) {
      throw new InvalidInput(
        'QuantityInvalid',
        `${quantity} is no whole number of units, 0 or more. Count in units that are whole: AWS bills nothing else.`,
      );
    }
    if (quantity > 0) await this.#journal.change((hours) => counted(hours, dimension, quantity, this.#clock()));
  }

  report(): Promise<MeteringStanding> {
    this.#reporting ??= this.#report(false).finally(() => {
      this.#reporting = undefined;
    });
    return this.#reporting;
  }

  close(): Promise<readonly MeteredHour[]> {
    this.#isClosed = true;
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<readonly MeteredHour[]> {
    clearInterval(this.#timer);
    // A report under way may have begun before the last units were counted.
    await this.#reporting?.catch(() => {});
    try {
      await this.#report(true);
    } finally {
      if (this.#isOwnClient) this.#client.destroy();
    }
    return this.hours().filter(({ state, quantity }) => (state === 'open' || state === 'sealed') && quantity > 0);
  }

  async #report(isLast: boolean): Promise<MeteringStanding> {
    const nowMs = this.#clock();
    await this.#change((hours) => pruned(settledByTime(sealed(hours, nowMs, randomUUID, isLast), nowMs), nowMs));
    for (const due of dueHours(this.#journal.hours, nowMs, isLast)) await this.#send(due);
    return this.#standing;
  }

  async #send(due: MeteredHour): Promise<void> {
    await this.#journal.change((hours) => intended(hours, due));
    const answer = await this.#call(due);
    const nowMs = this.#clock();
    await this.#change((hours) => answered(hours, due, answer, nowMs));
    const { state } = this.#journal.hours.get(nameOf(due)) ?? {};
    this.#become(standingAfter(this.#standing, answer, state, nowMs));
  }

  /** Changes the journal, and tells of the hours that need a person since. */
  async #change(how: (hours: Hours) => Hours): Promise<void> {
    const before = this.#journal.hours;
    await this.#journal.change(how);
    for (const hour of troubledSince(before, this.#journal.hours)) this.#options.onTrouble?.(hour);
  }

  async #call({ hour, dimension, quantity, clientToken }: MeteredHour): Promise<MeterAnswer> {
    try {
      const { MeteringRecordId } = await this.#client.send(
        new MeterUsageCommand({
          ProductCode: this.#options.productCode,
          Timestamp: new Date(hourStartMs(hour)),
          UsageDimension: dimension,
          UsageQuantity: quantity,
          ClientToken: clientToken,
        }),
        { abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) },
      );
      return { kind: 'metered', meteringRecordId: MeteringRecordId };
    } catch (fault) {
      return { kind: 'fault', code: codeOf(fault) };
    }
  }

  #become(standing: MeteringStanding): void {
    const before = this.#standing;
    this.#standing = standing;
    const isSame =
      before.kind === standing.kind &&
      ('code' in before ? before.code : '') === ('code' in standing ? standing.code : '');
    if (!isSame) this.#options.onStanding?.(standing);
  }
}
