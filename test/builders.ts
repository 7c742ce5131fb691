// Things of the metering story with values of real size; a test names only what matters to it.
import type { CloseStep, MeterHour } from '../lambdas/domain/close.ts';
import { type HourStart, hourOf } from '../lambdas/domain/hour.ts';
import { meterKey, shardOf } from '../lambdas/domain/keys.ts';
import type { Carry, SealedHour } from '../lambdas/domain/ledger.ts';
import type { Licence } from '../lambdas/domain/licence.ts';
import { DEFAULT_METERING_POLICY, type MeteringPolicy } from '../lambdas/domain/metering-policy.ts';
import type { Product } from '../lambdas/domain/product.ts';
import { sealForSending } from '../lambdas/domain/seal.ts';
import { type Tags, tagSetOf } from '../lambdas/domain/tag-set.ts';
import { type Tally, TallyBuilder } from '../lambdas/domain/tally.ts';
import type { UsageEvent } from '../lambdas/domain/usage-event.ts';

export const LICENCE_KEY = 'l-0123456789abcdef0123456789abcdef';
export const LICENCE_ARN = `arn:aws:license-manager::294406891311:license:${LICENCE_KEY}`;

/** An instant written as `2026-09-21T10:05:00Z`, in epoch milliseconds. */
export function at(text: string): number {
  return Date.parse(text);
}

/** An hour written as `2026-09-21T10`. */
export function anHour(text = '2026-09-21T10'): HourStart {
  return hourOf(Date.parse(`${text}:00:00Z`));
}

export function aPolicy(overrides: Partial<MeteringPolicy> = {}): MeteringPolicy {
  return { ...DEFAULT_METERING_POLICY, ...overrides };
}

export function aProduct(overrides: Partial<Product> = {}): Product {
  return {
    productCode: 'metrics-cloud',
    title: 'Metrics Cloud',
    pricingModel: 'subscription',
    identityStyle: 'licence',
    meteringRegion: 'us-east-1',
    dimensions: ['requests', 'gb_stored'],
    zeroRecords: 'off',
    lateUsage: 'carry',
    ...overrides,
  };
}

export function aLicence(overrides: Partial<Licence> = {}): Licence {
  return {
    licenceKey: LICENCE_KEY,
    identityStyle: 'licence',
    licenceArn: LICENCE_ARN,
    customerAwsAccountId: '111122223333',
    productCode: 'metrics-cloud',
    pricingModel: 'subscription',
    meteringRegion: 'us-east-1',
    customerId: 'cus_AAAAAAAAAAAAAAAAAAAAAAAA',
    firstSeenAt: at('2026-09-01T08:30:00Z'),
    periods: [{}],
    ...overrides,
  };
}

export function aTally(
  rows: readonly { quantity: number; tags?: Tags }[] = [{ quantity: 12_500 }],
  carriedIn = 0,
): Tally {
  const builder = new TallyBuilder();
  for (const [index, { quantity, tags }] of rows.entries()) {
    builder.addRow({
      kind: 'good',
      sortKey: `${meterKey(LICENCE_KEY, 'requests')}#event-${index}`,
      meter: meterKey(LICENCE_KEY, 'requests'),
      licenceKey: LICENCE_KEY,
      dimension: 'requests',
      quantity,
      tagSet: tagSetOf(tags),
      atMs: at('2026-09-21T10:05:00Z'),
    });
  }
  if (carriedIn > 0) builder.addCarry(aCarry({ quantity: carriedIn }));
  return builder.tally();
}

export function aMeter(overrides: Partial<MeterHour> = {}): MeterHour {
  return {
    hour: anHour(),
    shard: shardOf(LICENCE_KEY),
    licenceKey: LICENCE_KEY,
    dimension: 'requests',
    tally: aTally(),
    sealed: undefined,
    licence: aLicence(),
    product: aProduct(),
    earlierSettled: false,
    ...overrides,
  };
}

export function aSealedHour(overrides: Partial<SealedHour> = {}, tally: Tally = aTally()): SealedHour {
  const { hour = anHour(), dimension = 'requests', licenceKey = LICENCE_KEY } = overrides;
  const licence = aLicence({ licenceKey });
  const meter = { hour, shard: shardOf(licenceKey), dimension, licence };
  const sealed = sealForSending(
    meter,
    tally,
    { pricingModel: 'subscription' },
    at('2026-09-21T11:10:00Z'),
    DEFAULT_METERING_POLICY,
  );
  return { ...sealed, ...overrides };
}

export function aCarry(overrides: Partial<Carry> = {}): Carry {
  return {
    kind: 'carry',
    hour: anHour('2026-09-21T12'),
    shard: shardOf(overrides.licenceKey ?? LICENCE_KEY),
    licenceKey: LICENCE_KEY,
    dimension: 'requests',
    originHour: anHour(),
    originAccounted: 0,
    tagSet: '',
    quantity: 700,
    carriedAt: at('2026-09-21T12:31:00Z'),
    ...overrides,
  };
}

export function aUsageEvent(overrides: Partial<UsageEvent> = {}): UsageEvent {
  const licenceKey = overrides.licenceKey ?? LICENCE_KEY;
  return {
    hour: anHour(),
    shard: shardOf(licenceKey),
    licenceKey,
    dimension: 'requests',
    eventId: '7f9c3d0a-0001',
    quantity: 250,
    atMs: at('2026-09-21T10:05:00Z'),
    ...overrides,
  };
}

/** The step, if it is of the kind that a test expects. */
export function stepOf<K extends CloseStep['kind']>(step: CloseStep, kind: K): Extract<CloseStep, { kind: K }> {
  if (step.kind !== kind) throw new Error(`Expected ${kind}, not ${JSON.stringify(step)}.`);
  return step as Extract<CloseStep, { kind: K }>;
}
