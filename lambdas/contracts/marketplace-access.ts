// The MARKETPLACE_ACCESS setting: as whom AWS Marketplace is called.
import * as v from 'valibot';
import { Misconfigured } from '../domain/failure.ts';

/** A role of the account that published the products. Empty where the deployment stands in that account itself. */
const MarketplaceAccessSchema = v.union([
  v.strictObject({ roleArn: v.string(), externalId: v.string() }),
  v.strictObject({}),
]);

export type MarketplaceAccess = v.InferOutput<typeof MarketplaceAccessSchema>;

/** Reads the MARKETPLACE_ACCESS setting. Throws Misconfigured. */
export function parseMarketplaceAccess(json: string): MarketplaceAccess {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), MarketplaceAccessSchema), json);
  if (parsed.success) return parsed.output;
  throw new Misconfigured(
    'SettingMalformed',
    'MARKETPLACE_ACCESS is neither {} nor {"roleArn","externalId"}: deploy the function through its stack, which supplies it.',
    { facts: { setting: 'MARKETPLACE_ACCESS' } },
  );
}
