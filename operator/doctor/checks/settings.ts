// The settings: right by themselves, no longer the example, and deployed as they are written.
import { isDeepStrictEqual } from 'node:util';
import { type Deployment, productsSetting, webhooksSetting } from '../../../lib/deployment.ts';
import { mailSetting } from '../../../lib/mail-deployment.ts';
import type { Facts } from '../facts.ts';
import { type Finding, note, ok, problem } from '../finding.ts';
import { unseen } from '../probed.ts';

const SUBJECT = 'settings in cdk.json';

export function checkSettings({
  settings,
  functions,
  isLaptop,
}: Pick<Facts, 'settings' | 'functions' | 'isLaptop'>): Finding[] {
  if ('problem' in settings) {
    const expected = 'settings that docs/deployment.md lists, and no others';
    const remedy = 'Correct cdk.json; npm run synth says the same.';
    return [problem('SettingsWrong', SUBJECT, { seen: settings.problem, expected, remedy })];
  }
  if (isLaptop) return [ALL_WELL];
  return [...checkExample(settings.deployment), ...checkDeployed(settings.deployment, functions)];
}

const ALL_WELL = ok('SettingsWrong', SUBJECT, 'They are complete, and none is unknown.');

function checkExample({ products, registration }: Deployment): Finding[] {
  const examples = products.filter(({ productCode }) => /^example/i.test(productCode));
  const found: Finding[] = examples.map(({ productCode }) =>
    problem('SettingsExample', SUBJECT, {
      seen: `The product code is ${productCode}.`,
      expected: 'the code that AWS Marketplace gave the product',
      remedy: 'Copy "Product code" from the product’s page in the management portal into products[].productCode.',
    }),
  );
  if (/@([\w-]+\.)?example\.(com|org|net)$/i.test(registration.supportEmail)) {
    found.push(
      problem('SettingsExample', SUBJECT, {
        seen: `Buyers are told to write to ${registration.supportEmail}.`,
        expected: 'an address that somebody reads',
        remedy: 'Set registration.supportEmail; AWS requires a support contact on the page.',
      }),
    );
  }
  const open = products.filter(
    ({ dimensions, pricingModel }) => dimensions.length === 0 && pricingModel !== 'contract',
  );
  found.push(
    ...open.map(({ productCode }) =>
      note('DimensionsOpen', `product ${productCode}`, {
        seen: 'No dimensions are listed: usage of any name is taken, and AWS refuses a misspelt one a day too late.',
        expected: 'the API names of the listing',
        remedy: `Set products[].dimensions of ${productCode}.`,
      }),
    ),
  );
  return found.length > 0 ? found : [ALL_WELL];
}

/** What the stacks put into the functions' environment; see lib/. */
function expectedEnvironment(deployment: Deployment): Readonly<Record<string, string>> {
  return {
    PRODUCTS: productsSetting(deployment.products),
    METERING_POLICY: JSON.stringify(deployment.meteringPolicy),
    REGISTRATION: JSON.stringify(deployment.registration),
    WEBHOOKS: webhooksSetting(deployment.webhooks),
    USAGE_WARNING_HOURS: JSON.stringify(deployment.usageWarningHours),
    MARKETPLACE_REGION: deployment.marketplaceRegion,
    ...(deployment.mail ? { MAIL: mailSetting(deployment.mail) } : {}),
  };
}

function checkDeployed(deployment: Deployment, functions: Facts['functions']): Finding[] {
  const expected = expectedEnvironment(deployment);
  const stale = new Map<string, string[]>();
  let compared = 0;
  for (const { handler, probed } of functions) {
    if (probed.kind !== 'seen') continue;
    for (const [name, value] of Object.entries(probed.value.environment)) {
      const wanted = expected[name];
      if (wanted === undefined) continue;
      compared += 1;
      if (!isSame(value, wanted)) stale.set(name, [...(stale.get(name) ?? []), handler]);
    }
  }
  if (stale.size > 0) {
    return [...stale].map(([name, handlers]) =>
      problem('SettingsNotDeployed', SUBJECT, {
        seen: `${name} of ${handlers.join(', ')} is not what cdk.json says.`,
        expected: 'deployed settings that are the written ones',
        remedy: 'npx cdk diff shows the difference; npx cdk deploy --all deploys it.',
      }),
    );
  }
  return compared === 0 ? [] : [ok('SettingsNotDeployed', SUBJECT, 'They are deployed as they are written.')];
}

/** JSON whose members may stand in another order; an empty object stands for all defaults. */
function isSame(one: string, other: string): boolean {
  if (one === other) return true;
  try {
    return isDeepStrictEqual(JSON.parse(one), JSON.parse(other));
  } catch {
    return false;
  }
}

/** Where two accounts are named, the deployment is looked at from its own. */
export function checkAccount({ settings, account }: Pick<Facts, 'settings' | 'account'>): Finding[] {
  const home = 'deployment' in settings ? settings.deployment.publishingAccount?.homeAccountId : undefined;
  if (home === undefined || account.kind !== 'seen') return [];
  if (account.value === home) return [ok('AccountOther', 'credentials', `They are of the home account, ${home}.`)];
  return [
    problem('AccountOther', 'credentials', {
      seen: `They are of account ${account.value}.`,
      expected: `the home account, ${home} (publishingAccount.homeAccountId)`,
      remedy: 'Set AWS_PROFILE to one of that account, or sign in there.',
    }),
  ];
}

/** How a function is: there, running its latest version. */
export function checkFunctions({ functions }: Pick<Facts, 'functions'>): Finding[] {
  const found = functions.flatMap(({ name, handler, probed }): Finding[] => {
    const subject = `function ${handler}`;
    const missed = unseen('FunctionBroken', subject, probed);
    if (missed) return [missed];
    if (probed.kind !== 'seen') return [];
    const { state, lastUpdate } = probed.value;
    if (state === 'Active' && lastUpdate === 'Successful') return [];
    return [
      problem('FunctionBroken', subject, {
        seen: `It is ${state}, and its last update ${lastUpdate}.`,
        expected: 'Active, and Successful',
        remedy: `aws lambda get-function-configuration --function-name ${name} says why; then npx cdk deploy --all.`,
      }),
    ];
  });
  if (found.length > 0 || functions.length === 0) return found;
  return [ok('FunctionBroken', 'functions', `All ${functions.length} are active.`)];
}
