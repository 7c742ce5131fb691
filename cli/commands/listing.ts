// fulfillment listing show, listing set-url: what AWS Marketplace lists of the products, and where it sends buyers.
import { setTimeout as pause } from 'node:timers/promises';
import { Misconfigured } from '../../lambdas/domain/failure.ts';
import { draftAct, newAct } from '../../operator/acts/act.ts';
import type { Aws } from '../../operator/aws.ts';
import { type Desk, LAPTOP_CREDENTIALS } from '../../operator/desk.ts';
import { listingFindings } from '../../operator/doctor/checks/marketplace.ts';
import type { Finding } from '../../operator/doctor/finding.ts';
import { probePages } from '../../operator/doctor/probes/web.ts';
import { type ChangeSet, ListingCatalog } from '../../operator/listing/catalog.ts';
import type { Listing } from '../../operator/listing/listing.ts';
import { asPublisher } from '../../operator/listing/publisher.ts';
import { setListingUrl } from '../../operator/listing/set-url.ts';
import { atDesk, DEPLOYMENT, JSON_OUTPUT } from '../at-desk.ts';
import { defineCommand, type Terminal } from '../command.ts';
import { EXIT, UsageMistake } from '../exit.ts';
import { changeText, findingText, isEnded, listingText, planText } from '../listing-report.ts';
import { flag, type ValuesOf, value } from '../options.ts';
import { ProgressLine } from '../progress.ts';

const PUBLISHER = {
  role: value('ARN', 'a role of yours in the publishing account, where the stacks stand in another'),
  'external-id': value('ID', "what that role's trust asks for"),
};

const SHARED = { ...PUBLISHER, ...DEPLOYMENT, ...JSON_OUTPUT };

const listingShow = defineCommand({
  name: 'listing show',
  about: `Every SaaS product of the account, those that the settings do not name as well. The pricing model is told by the terms of
the public offer. Exit code 1 where a product of the settings differs, or is not listed.
`,
  options: SHARED,
  examples: [
    'fulfillment listing show --stage prod',
    'fulfillment listing show --stage prod --role arn:aws:iam::111122223333:role/read-listing',
  ],
  run: ({ values }, terminal) =>
    atListings(values, terminal, async (desk, catalog) => {
      const listed: Listing[] = [];
      for (const each of await catalog.listings()) {
        listed.push({ ...each, pricingModel: await catalog.pricingModel(each.entityId) });
      }
      const findings = [...desk.products.values()].flatMap((product) => {
        const own = listed.find(({ productCode }) => productCode === product.productCode);
        return own ? listingFindings(product, own, desk.facts.urls.fulfillment) : [notListed(product.productCode)];
      });
      if (values.json) terminal.stdout.write(`${JSON.stringify({ listings: listed, findings })}\n`);
      else terminal.stdout.write(`${listed.map(listingText).join('\n')}\n${findings.map(findingText).join('')}`);
      return findings.some(({ level }) => level === 'problem') ? EXIT.refused : EXIT.done;
    }),
});

const SET_URL = {
  product: value('CODE', 'the product; may be left out where the settings name one'),
  url: value('URL', "the address; the stack's own FulfillmentUrl where absent"),
  apply: flag('has AWS change it; without, it is only shown'),
  why: value('TEXT', 'the reason, as the audit keeps it; needed with --apply'),
  'act-id': value('ID', 'the same act again: follows the change that it began'),
  wait: value('MINUTES', 'how long to follow the change; 10 where absent, 0 for not at all'),
};

const listingSetUrl = defineCommand({
  name: 'listing set-url',
  about: `Looks first whether the address answers GET and POST as AWS and a browser need it, and whether AWS is at another change of
the product. AWS takes minutes to hours. Exit code 1 where it is refused, by us or by AWS; 3 where AWS is still at it:
the same --act-id follows the change. Who did it, and why, is kept in the audit for ever.
`,
  options: { ...SET_URL, ...SHARED },
  examples: [
    'fulfillment listing set-url --stage prod',
    'fulfillment listing set-url --stage prod --product 4ulx0metricscloud --url https://aws.example.com/register --apply --why "our own domain"',
  ],
  run: ({ values }, terminal) => {
    const why = values.why?.trim();
    if (values.apply && !why) throw new UsageMistake('Say why it is done: --why TEXT. The audit keeps it.');
    const waitMs = minutesOf(values.wait) * 60_000;
    return atListings(values, terminal, async (desk, catalog) => {
      const wanted = {
        productCode: values.product ?? onlyProduct(desk),
        url: values.url ?? desk.facts.urls.fulfillment,
      };
      const act = why ? await newAct(desk, why, values['act-id']) : await draftAct(desk);
      const ports = { ...desk, catalog, askPages: probePages };
      const outcome = await setListingUrl(ports, wanted, act, { dryRun: !values.apply });
      if (outcome.kind === 'refused') {
        if (values.json) terminal.stdout.write(`${JSON.stringify(outcome)}\n`);
        else terminal.stderr.write(`Refused: ${outcome.message}\n`);
        return EXIT.refused;
      }
      const told = { ...outcome, ...(outcome.kind === 'started' ? { actionId: act.actionId } : {}) };
      if (!values.json) terminal.stderr.write(planText(told));
      if (outcome.kind !== 'started') {
        if (values.json) terminal.stdout.write(`${JSON.stringify(told)}\n`);
        return EXIT.done;
      }
      const change = await followed(catalog, outcome.changeSetId, waitMs, terminal);
      if (values.json) terminal.stdout.write(`${JSON.stringify({ ...told, ...change })}\n`);
      else terminal.stdout.write(changeText(change, act.actionId));
      if (change.status === 'SUCCEEDED') return EXIT.done;
      return isEnded(change) ? EXIT.refused : EXIT.fault;
    });
  },
});

/** Does something at the desk with the listings of AWS, which stand in no simulator: nothing has to run to say so. */
async function atListings<T>(
  values: ValuesOf<typeof SHARED>,
  terminal: Terminal,
  work: (desk: Desk, catalog: ListingCatalog) => Promise<T>,
): Promise<T> {
  try {
    return await atDesk(values, terminal, (desk) => withCatalog(desk, values, (catalog) => work(desk, catalog)));
  } catch (error) {
    throw error instanceof Misconfigured && error.code === 'NothingRuns' ? noListings() : error;
  }
}

async function withCatalog<T>(
  { facts }: Desk,
  values: ValuesOf<typeof PUBLISHER>,
  work: (catalog: ListingCatalog) => Promise<T>,
): Promise<T> {
  const endpoint = facts.endpoints.MARKETPLACE_CATALOG;
  if (facts.simulator && endpoint === undefined) {
    throw noListings();
  }
  const own: Aws = {
    region: facts.region,
    ...(facts.simulator ? { credentials: LAPTOP_CREDENTIALS } : {}),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
  const { role, 'external-id': externalId } = values;
  const catalog = new ListingCatalog(role === undefined ? own : await asPublisher(own, { roleArn: role, externalId }));
  try {
    return await work(catalog);
  } finally {
    catalog.close();
  }
}

function noListings(): Misconfigured {
  const remedy = 'Name a deployment on AWS: --stage prod --region us-east-1.';
  return new Misconfigured('NoListing', `The simulated AWS Marketplace has no listings. ${remedy}`);
}

/** AWS has no word of how soon; the portal itself shows minutes. */
const LOOK_EVERY_MS = 5_000;

async function followed(
  catalog: ListingCatalog,
  changeSetId: string,
  waitMs: number,
  terminal: Terminal,
): Promise<ChangeSet> {
  const line = new ProgressLine(terminal);
  const until = performance.now() + waitMs;
  let change = await catalog.changeSet(changeSetId);
  while (!isEnded(change) && performance.now() < until) {
    const { status } = change;
    line.show(() => `AWS: ${status.toLowerCase()} …`);
    await pause(LOOK_EVERY_MS, undefined, { signal: terminal.signal });
    change = await catalog.changeSet(changeSetId);
  }
  line.clear();
  return change;
}

function minutesOf(text = '10'): number {
  const minutes = Number(text);
  if (text !== '' && minutes >= 0 && minutes <= 1_440) return minutes;
  throw new UsageMistake('--wait takes minutes, 0 to 1440.');
}

function onlyProduct({ products }: Desk): string {
  const [only, ...others] = products.keys();
  if (only !== undefined && others.length === 0) return only;
  throw new UsageMistake(`Say which product: --product ${[...products.keys()].join(' or ')}.`);
}

function notListed(productCode: string): Finding {
  return {
    code: 'ProductElsewhere',
    level: 'problem',
    subject: `product ${productCode}`,
    seen: 'This account has no SaaS product with this code in AWS Marketplace.',
    expected: 'a product that this account published',
    remedy: 'Correct products[].productCode, or ask as the publishing account: --role.',
  };
}

export const commands = [listingShow, listingSetUrl];
