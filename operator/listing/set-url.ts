// Reads:       the listing, changes to it that AWS has not ended, the address as a browser and AWS meet it, the act's lines
// Writes:      the audit line, then the change at AWS, then a line with the change's id
// Once per:    act id; AWS takes the same token once
// If it stops: the same act, under the same id, follows the change, or asks for it by the same token
import { createHash } from 'node:crypto';
import { type Act, actProblem, auditOf, partOf, type Refused, refuse } from '../../lambdas/domain/operations/act.ts';
import type { LedgerStore } from '../../lambdas/flow/ports.ts';
import { checkPages } from '../doctor/checks/pages.ts';
import type { Facts } from '../doctor/facts.ts';
import type { ListingCatalog } from './catalog.ts';

export interface SetUrlPorts {
  readonly ledger: Pick<LedgerStore, 'action' | 'noteAction'>;
  readonly catalog: Pick<ListingCatalog, 'listings' | 'changeInFlight' | 'setUrl'>;
  /** Asks the address as a browser does, by GET and by POST. */
  readonly askPages: (url: string) => Promise<Facts['pages']>;
  readonly clock: () => number;
}

interface Change {
  readonly productCode: string;
  readonly entityId: string;
  readonly before: string;
  readonly after: string;
}

export type SetUrlOutcome =
  | Refused
  | ({ readonly kind: 'planned' | 'same' } & Change)
  /** AWS has the change and looks at it. */
  | ({ readonly kind: 'started'; readonly changeSetId: string } & Change);

/**
 * Points a product's listing at an address. It is AWS that changes it, within minutes or hours: `started` says that it
 * was asked to. The same act again follows the same change.
 */
export async function setListingUrl(
  ports: SetUrlPorts,
  { productCode, url }: { readonly productCode: string; readonly url: string },
  act: Act,
  { dryRun }: { readonly dryRun: boolean },
): Promise<SetUrlOutcome> {
  const problem = actProblem(act);
  if (problem) return problem;
  const noted = await ports.ledger.action(act.actionId);
  if (
    noted &&
    (noted.action !== 'setListingUrl' || noted.facts['product'] !== productCode || noted.facts['after'] !== url)
  ) {
    return refuse('actionIdTaken', `The act's id ${act.actionId} stands for another act (${noted.action}).`);
  }
  const asked = partOf(act, 'asked');
  const followed = noted && (await ports.ledger.action(asked.actionId));
  if (noted && followed) {
    const { entityId, before, after } = noted.facts;
    const change = { productCode, entityId: String(entityId), before: String(before), after: String(after) };
    return { kind: 'started', ...change, changeSetId: String(followed.facts['changeSetId']) };
  }
  const listing = (await ports.catalog.listings()).find((each) => each.productCode === productCode);
  if (!listing) {
    return refuse(
      'productUnknown',
      `This account has no SaaS product with the code '${productCode}' in AWS Marketplace. Ask the account that published it: sign in there, or name a role of it by --role.`,
    );
  }
  const { entityId, fulfillmentUrls, urlOptions } = listing;
  const change = { productCode, entityId, before: fulfillmentUrls.join(', ') || 'none', after: url };
  if (fulfillmentUrls.length === 1 && fulfillmentUrls[0] === url) return { kind: 'same', ...change };
  if (listing.hasQuickLaunch || urlOptions.length > 1 || fulfillmentUrls.length > urlOptions.length) {
    return refuse(
      'listingTooRich',
      `The listing of '${productCode}' has Quick Launch, an API, or several delivery options, of which a change here would repeat too little. Change the address in the portal: Request changes › Update fulfillment options.`,
    );
  }
  const unfit = await addressProblem(ports, url);
  if (unfit) return unfit;
  const inFlight = noted ? undefined : await ports.catalog.changeInFlight(entityId);
  if (inFlight !== undefined) return changeRuns(productCode, inFlight);
  if (dryRun) return { kind: 'planned', ...change };
  const facts = { product: productCode, entityId, before: change.before, after: url };
  await ports.ledger.noteAction(auditOf(act, 'setListingUrl', {}, ports.clock(), facts));
  try {
    const changeSetId = await ports.catalog.setUrl(listing, url, tokenOf(act));
    await ports.ledger.noteAction(auditOf(asked, 'setListingUrl', {}, ports.clock(), { ...facts, changeSetId }));
    return { kind: 'started', ...change, changeSetId };
  } catch (error) {
    // Somebody began another change since we looked.
    if (error instanceof Error && error.name === 'ResourceInUseException')
      return changeRuns(productCode, error.message);
    throw error;
  }
}

/** AWS takes 64 characters at most; an act's id may be longer. */
function tokenOf({ actionId }: Act): string {
  return createHash('sha256').update(actionId).digest('hex').slice(0, 32);
}

function changeRuns(productCode: string, which: string): Refused {
  return refuse(
    'changeRuns',
    `AWS is at another change of '${productCode}' (${which}), and takes one at a time. Wait for its end; the portal shows it under Requests.`,
  );
}

/** AWS would find out later, and refuse the change for it. */
async function addressProblem({ askPages }: SetUrlPorts, url: string): Promise<Refused | undefined> {
  if (!URL.canParse(url) || new URL(url).protocol !== 'https:') {
    return refuse('addressUnfit', `'${url}' is no https address, and AWS takes no other.`);
  }
  const wrong = checkPages({ pages: await askPages(url), isLaptop: false }).filter(({ level }) => level !== 'ok');
  const [first] = wrong.filter(({ level }) => level !== 'note');
  if (!first) return undefined;
  return refuse('addressUnfit', [first.seen, first.remedy].filter((text) => text !== undefined).join(' '));
}
