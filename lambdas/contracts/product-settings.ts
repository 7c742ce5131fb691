// The PRODUCTS and METERING_POLICY settings: what is sold, and by which times it is metered.
import * as v from 'valibot';
import { Misconfigured } from '../domain/failure.ts';
import { parseHour } from '../domain/hour.ts';
import { MAX_DIMENSION_LENGTH } from '../domain/marketplace-limits.ts';
import { DEFAULT_METERING_POLICY, type MeteringPolicy } from '../domain/metering-policy.ts';
import type { Products } from '../domain/product.ts';

const Region = v.pipe(v.string(), v.regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'has to be a region such as us-east-1'));

const Hour = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const hour = parseHour(dataset.value);
    if (hour !== undefined) return hour;
    addIssue({ message: 'has to be an hour in UTC such as 2026-11-23T07' });
    return NEVER;
  }),
);

export const ProductSchema = v.strictObject({
  // `ProductCode` in AWS's API model.
  productCode: v.pipe(
    v.string(),
    v.regex(/^[-a-zA-Z0-9/=:_.@]{1,255}$/, 'has to be a product code of AWS Marketplace'),
  ),
  title: v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(200)),
  pricingModel: v.optional(v.picklist(['subscription', 'contract', 'contractWithConsumption']), 'subscription'),
  identityStyle: v.optional(v.picklist(['licence', 'legacy']), 'licence'),
  meteringRegion: v.optional(Region, 'us-east-1'),
  dimensions: v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), v.nonEmpty(), v.maxLength(MAX_DIMENSION_LENGTH))),
      v.maxLength(200),
      v.check((dimensions) => new Set(dimensions).size === dimensions.length, 'names a dimension twice'),
    ),
    [],
  ),
  zeroRecords: v.optional(v.picklist(['off', 'oneDimension', 'all']), 'oneDimension'),
  lateUsage: v.optional(v.picklist(['carry', 'hold']), 'carry'),
  included: v.optional(v.record(v.string(), v.picklist(['perTerm', 'perHour', 'none']))),
  rehearsal: v.optional(v.strictObject({ mode: v.picklist(['dryRun', 'shadow']), until: v.optional(Hour) })),
});

/** A list of products, each once; `product` may ask for more than the functions meter by. */
export function productsSchema<S extends v.GenericSchema<unknown, { readonly productCode: string }>>(product: S) {
  return v.pipe(
    v.array(product),
    v.minLength(1, 'has to name at least one product'),
    v.check(
      (products) => new Set(products.map(({ productCode }) => productCode)).size === products.length,
      'names a product twice',
    ),
  );
}

const Ms = v.pipe(v.number(), v.integer(), v.minValue(0));
const defaults = DEFAULT_METERING_POLICY;

export const MeteringPolicySchema = v.strictObject({
  intakeWindowMs: v.optional(Ms, defaults.intakeWindowMs),
  futureToleranceMs: v.optional(Ms, defaults.futureToleranceMs),
  settleDelayMs: v.optional(Ms, defaults.settleDelayMs),
  laterLooksMs: v.optional(v.pipe(v.array(Ms), v.minLength(1)), [...defaults.laterLooksMs]),
  meteringWindowMs: v.optional(Ms, defaults.meteringWindowMs),
  monthCutOffMs: v.optional(Ms, defaults.monthCutOffMs),
  finalWindowMs: v.optional(Ms, defaults.finalWindowMs),
  nearDeadlineMs: v.optional(Ms, defaults.nearDeadlineMs),
  noticeToRevokeMs: v.optional(Ms, defaults.noticeToRevokeMs),
  drainMs: v.optional(Ms, defaults.drainMs),
  lastHourMarginMs: v.optional(Ms, defaults.lastHourMarginMs),
  lingerMs: v.optional(Ms, defaults.lingerMs),
  callsPerSecond: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000)),
    defaults.callsPerSecond,
  ),
});

/** Reads the PRODUCTS setting. Throws Misconfigured, naming each member that is wrong. */
export function parseProducts(json: string): Products {
  const products = parsed('PRODUCTS', productsSchema(ProductSchema), json);
  return new Map(products.map((product) => [product.productCode, product]));
}

/** Reads the METERING_POLICY setting; `{}` stands for all defaults. Throws Misconfigured. */
export function parseMeteringPolicy(json: string): MeteringPolicy {
  return parsed('METERING_POLICY', MeteringPolicySchema, json);
}

function parsed<S extends v.GenericSchema>(setting: string, schema: S, json: string): v.InferOutput<S> {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), json);
  if (result.success) return result.output;
  const wrong = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`).join('; ');
  throw new Misconfigured('SettingMalformed', `The setting ${setting} is wrong. ${wrong}`, { facts: { setting } });
}
