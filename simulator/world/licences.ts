// A licence as metering sees it: one life, even where several agreements follow one another under the same ARN.
import type { LicencePeriod } from '../rules/standing.ts';
import { type Agreement, agreementsOfAccount, agreementsOfLicence } from './agreements.ts';
import type { World } from './world.ts';

interface Licence extends LicencePeriod {
  /** The newest agreement under the licence. */
  readonly agreement: Agreement;
}

/** The licence of an ARN, or undefined where no agreement ever had it. */
export function findLicence(world: World, licenceArn: string): Licence | undefined {
  return merge(agreementsOfLicence(world, licenceArn));
}

/** Every licence of an account for a product, ended ones included; the newest first. */
export function licencesOfAccount(world: World, productCode: string, awsAccountId: string): Licence[] {
  const agreements = agreementsOfAccount(world, productCode, awsAccountId);
  const byArn = Map.groupBy(agreements, (agreement) => agreement.licenceArn);
  return [...byArn.values()].flatMap((sharing) => merge(sharing) ?? []);
}

/** From the first start to the last end; `agreements` newest first. What never got its licence takes no part, unless all did not. */
function merge(agreements: readonly Agreement[]): Licence | undefined {
  const given = agreements.filter(({ provisionedMs }) => provisionedMs !== undefined);
  const lives = given.length > 0 ? given : agreements;
  const [newest] = lives;
  const oldest = lives.at(-1);
  if (newest === undefined || oldest === undefined) return undefined;
  return {
    agreement: newest,
    startsMs: oldest.startsMs,
    provisionedMs: oldest.provisionedMs,
    endedMs: newest.endedMs,
    deprovisionedMs: newest.deprovisionedMs,
    suspended: newest.suspended,
  };
}
