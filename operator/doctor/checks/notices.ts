// AWS's notices on their way into the queue: rules, and the topics of legacy products.
import { NOTICE_SOURCE } from '../../../lambdas/contracts/marketplace-notice.ts';
import type { Facts } from '../facts.ts';
import { type Finding, ok, problem } from '../finding.ts';
import { unseen } from '../probed.ts';
import { NOTICE_REGION } from '../regions.ts';

export function checkNotices({
  rules,
  topics,
  settings,
  region,
  isLaptop,
}: Pick<Facts, 'rules' | 'topics' | 'settings' | 'region' | 'isLaptop'>): Finding[] {
  // Its notices come by the simulator's feed.
  if (isLaptop) return [];
  const found: Finding[] = rules.flatMap(({ name, resource, probed }): Finding[] => {
    const subject = `rule ${name} in ${resource.region}`;
    const missed = unseen('NoticeRuleMissing', subject, probed);
    if (missed) return [missed];
    if (probed.kind !== 'seen') return [];
    const { isEnabled, pattern, targetArns } = probed.value;
    const harm = 'AWS tells of buyers who come and leave, and nobody hears it';
    const at = `--name ${name} --region ${resource.region}`;
    const wrong: Finding[] = [];
    if (!isEnabled) {
      const remedy = `aws events enable-rule ${at}`;
      wrong.push(
        problem('NoticeRuleDisabled', subject, { seen: `It is disabled: ${harm}.`, expected: 'enabled', remedy }),
      );
    }
    if (targetArns.length === 0) {
      const remedy = `npx cdk deploy --all; aws events list-targets-by-rule --rule ${name} --region ${resource.region} shows what is there.`;
      wrong.push(
        problem('NoticeRuleAimless', subject, { seen: `It has no target: ${harm}.`, expected: 'the queue', remedy }),
      );
    }
    if (!takesAll(pattern)) {
      wrong.push(
        problem('NoticeRuleNarrow', subject, {
          seen: `Its pattern is ${pattern}.`,
          expected: `every event of the source ${NOTICE_SOURCE}`,
          remedy: 'npx cdk deploy --all restores it.',
        }),
      );
    }
    return wrong;
  });
  const isToldFromElsewhere = 'deployment' in settings && settings.deployment.publishingAccount !== undefined;
  const hears = isToldFromElsewhere || rules.some(({ resource }) => resource.region === NOTICE_REGION);
  if (!hears && rules.length > 0) {
    found.push(
      problem('NoticeRuleElsewhere', `rules in ${region}`, {
        seen: `No rule stands in ${NOTICE_REGION}, the only region in which AWS Marketplace puts its events on the bus.`,
        expected: `a rule in ${NOTICE_REGION} that hands them on`,
        remedy: `npx cdk deploy NoticeForwarding (npx cdk bootstrap ${NOTICE_REGION} first, once).`,
      }),
    );
  }
  found.push(...topicFindings(topics, settings));
  return found.length > 0 || rules.length === 0
    ? found
    : [ok('NoticeRuleMissing', 'AWS’s notices', 'The rules are enabled and take everything.')];
}

/** Anything narrower than the source loses events that AWS adds. */
function takesAll(pattern: string): boolean {
  try {
    const { source, ...narrower } = JSON.parse(pattern) as { source?: unknown };
    return Array.isArray(source) && source.includes(NOTICE_SOURCE) && Object.keys(narrower).length === 0;
  } catch {
    return false;
  }
}

function topicFindings(topics: Facts['topics'], settings: Facts['settings']): Finding[] {
  const found = topics.flatMap(({ name, probed }): Finding[] => {
    const subject = `topic ${name}`;
    if (probed.kind === 'seen' && probed.value === 'confirmed') return [];
    if (probed.kind === 'denied' || probed.kind === 'failed')
      return [unseen('TopicUnsubscribed', subject, probed)].flatMap((each) => each ?? []);
    return [
      problem('TopicUnsubscribed', subject, {
        seen:
          probed.kind === 'seen'
            ? 'The subscription waits for its confirmation.'
            : 'The queue of notices is not subscribed to it.',
        expected: 'a confirmed subscription of the queue',
        remedy: 'npx cdk deploy Lifecycle, as the account that published the product: AWS lets no other subscribe.',
      }),
    ];
  });
  if (!('deployment' in settings)) return found;
  const { products, legacyTopics } = settings.deployment;
  const silent = products.filter(
    ({ identityStyle, productCode }) =>
      identityStyle === 'legacy' && !legacyTopics.some((topic) => topic.endsWith(`-${productCode}`)),
  );
  return [
    ...found,
    ...silent.map(({ productCode }) =>
      problem('TopicUnnamed', `product ${productCode}`, {
        seen: 'AWS tells of it by SNS, and no topic of it is subscribed.',
        expected: 'its two topics in legacyTopics',
        remedy:
          'Copy both ARNs from the product’s page in the management portal into legacyTopics (docs/deployment.md#awss-notices).',
      }),
    ),
  ];
}
