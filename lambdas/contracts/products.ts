// The PRODUCTS setting: what the seller lists, and how each product's usage is to be treated.
import * as v from 'valibot';
import { Misconfigured } from '../domain/failure.ts';
import type { Products } from '../domain/product.ts';

const Product = v.strictObject({
  /** `ProductCode` in the API model. */
  productCode: v.pipe(v.string(), v.regex(/^[-a-zA-Z0-9/=:_.@]{1,255}$/)),
  title: v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(200)),
  pricingModel: v.optional(v.picklist(['subscription', 'contract', 'contractWithConsumption']), 'subscription'),
  identityStyle: v.optional(v.picklist(['licence', 'legacy']), 'licence'),
  meteringRegion: v.pipe(v.string(), v.regex(/^[a-z]{2}(-[a-z]+)+-\d$/)),
  dimensions: v.optional(v.array(v.pipe(v.string(), v.nonEmpty(), v.maxLength(255))), []),
  zeroRecords: v.optional(v.picklist(['off', 'oneDimension', 'all']), 'oneDimension'),
  lateUsage: v.optional(v.picklist(['carry', 'hold']), 'carry'),
});

const Setting = v.pipe(
  v.string(),
  v.parseJson(),
  v.pipe(v.array(Product), v.nonEmpty()),
  v.check((list) => new Set(list.map(({ productCode }) => productCode)).size === list.length, 'a product code twice'),
);

/** Reads the setting, a JSON list of products. Throws Misconfigured, naming each member that is wrong. */
export function parseProducts(json: string): Products {
  const parsed = v.safeParse(Setting, json);
  if (parsed.success) return new Map(parsed.output.map((product) => [product.productCode, product]));
  const wrong = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`).join('; ');
  throw new Misconfigured('SettingMalformed', `The setting PRODUCTS is wrong. ${wrong}`, {
    facts: { setting: 'PRODUCTS' },
  });
}
