// BatchMeterUsage in a few lines for the randomised worlds: the first quantity of a key stays, answers get lost.
import { HOUR_MS, type HourStart, hourOf } from '../../lambdas/domain/hour.ts';
import type { SealedHour } from '../../lambdas/domain/ledger.ts';
import { identityOf, type MeteringBatch } from '../../lambdas/domain/metering-batch.ts';
import type { BatchAnswer, RecordAnswer } from '../../lambdas/domain/metering-result.ts';
import type { MeteringGateway } from '../../lambdas/flow/ports.ts';
import type { Random } from './turns.ts';

export interface AwsTemper {
  readonly random: Random;
  readonly clock: () => number;
  readonly step: () => Promise<void>;
  readonly isOut: () => boolean;
  /** Whether an identical resend is called a duplicate. */
  readonly callsResendsDuplicates: boolean;
  readonly windowMs: number;
  readonly finalWindowEndsAt: () => number | undefined;
}

export class SimulatedAws implements MeteringGateway {
  readonly billed = new Map<string, number>();
  /** The first sight of each record's wire form: every later one has to be the same. */
  readonly #sent = new Map<string, string>();
  readonly changed: string[] = [];
  readonly #temper: AwsTemper;

  constructor(temper: AwsTemper) {
    this.#temper = temper;
  }

  async send(batch: MeteringBatch): Promise<BatchAnswer> {
    const { random, step, isOut } = this.#temper;
    await step();
    for (const record of batch.records) this.#compare(record);
    const fate = random();
    if (isOut() || fate < 0.12) {
      return fate < 0.06
        ? { kind: 'refused', code: 'AccessDeniedException', isThrottled: false }
        : { kind: 'unknown', code: 'InternalServiceErrorException' };
    }
    const { windowMs, clock } = this.#temper;
    if (batch.records.some(({ record }) => clock() >= record.timestampSeconds * 1_000 + windowMs)) {
      return { kind: 'invalid', code: 'TimestampOutOfBoundsException' };
    }
    const unprocessed = random() < 0.05 ? random() : 0;
    const answers = batch.records.map((record): RecordAnswer => {
      return random() < unprocessed ? { kind: 'unprocessed' } : this.#bill(record);
    });
    await step();
    return fate < 0.24 ? { kind: 'unknown', code: 'TimeoutError' } : { kind: 'answered', answers };
  }

  #bill(sealed: SealedHour): RecordAnswer {
    const { clock, finalWindowEndsAt, callsResendsDuplicates } = this.#temper;
    if (clock() >= (finalWindowEndsAt() ?? Infinity)) return { kind: 'notSubscribed' };
    const key = billingKey(sealed);
    const billed = this.billed.get(key);
    if (billed === undefined) this.billed.set(key, sealed.record.quantity);
    const isSame = billed === undefined || billed === sealed.record.quantity;
    const isHonoured = billed === undefined || (isSame && !callsResendsDuplicates);
    return isHonoured ? { kind: 'success', meteringRecordId: key } : { kind: 'duplicate' };
  }

  #compare(sealed: SealedHour): void {
    const wire = JSON.stringify(sealed.record);
    const known = this.#sent.get(identityOf(sealed));
    if (known === undefined) this.#sent.set(identityOf(sealed), wire);
    else if (known !== wire) this.changed.push(identityOf(sealed));
    const allocated = sealed.record.allocations?.reduce((sum, { quantity }) => sum + quantity, 0);
    if (allocated !== undefined && allocated !== sealed.record.quantity) this.changed.push('allocations');
  }
}

/** AWS's key: licence, dimension and the hour of the stamp. */
export function billingKey({ licenceKey, record }: SealedHour): string {
  const hour: HourStart = hourOf(Math.floor((record.timestampSeconds * 1_000) / HOUR_MS) * HOUR_MS);
  return `${licenceKey} ${record.dimension} ${hour}`;
}
