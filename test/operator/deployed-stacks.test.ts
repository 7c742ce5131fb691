// Finding a deployment by its stacks: the ids are those that the CDK code gives today.
import { describe, expect, test } from 'vitest';
import { deployedFacts, type StackReader } from '../../operator/deployed-stacks.ts';
import { EVERYTHING, type Found, synthesize } from '../lib/synthesized.ts';

/** The account after a deployment: each resource's physical id is `made:` and its logical one. */
function accountOf(resources: readonly Found[], stage: string): StackReader {
  const byStack = Map.groupBy(resources, ({ id }) => id.split('/')[0]?.toLowerCase() ?? '');
  const logicalId = ({ id }: Found) => id.split('/')[1] ?? '';
  const outputs = { registration: { FulfillmentUrl: 'https://x/register' }, metering: { UsageUrl: 'https://x/usage' } };
  return {
    stack: async (name) => {
      const [, part = ''] = new RegExp(`^fulfillment-${stage}-(.+)$`).exec(name) ?? [];
      const found = byStack.get(part);
      if (!found) return undefined;
      return {
        resources: found.map((each) => ({
          logicalId: logicalId(each),
          type: each.Type,
          physicalId: `made:${logicalId(each)}`,
        })),
        outputs: { ...outputs[part as keyof typeof outputs] },
      };
    },
    environment: async (functionName) => {
      const found = resources.find((each) => `made:${logicalId(each)}` === functionName);
      const { Variables } = (found?.Properties['Environment'] ?? {}) as { Variables?: Record<string, unknown> };
      const texts = Object.entries(Variables ?? {}).filter(([, value]) => typeof value === 'string');
      return Object.fromEntries(texts) as Record<string, string>;
    },
    stages: async () => [stage],
  };
}

describe('a deployment of everything', () => {
  test('is found with all its tables, queues, functions and settings', async () => {
    const facts = await deployedFacts(accountOf(synthesize(EVERYTHING).all, 'prod'), 'prod', 'eu-central-1');

    for (const [kind, name] of Object.entries(facts.tables)) {
      expect(name).toMatch(new RegExp(`^made:${kind}Table[0-9A-F]{8}$`, 'i'));
    }
    expect(facts.queues).toEqual({
      mail: {
        url: expect.stringMatching(/^made:MailQueue/),
        deadLettersUrl: expect.stringMatching(/^made:MailDeadLettersQueue/),
      },
      notices: {
        url: expect.stringMatching(/^made:NoticesQueue/),
        deadLettersUrl: expect.stringMatching(/^made:NoticesDeadLettersQueue/),
      },
      webhooks: {
        url: expect.stringMatching(/^made:WebhooksQueue/),
        deadLettersUrl: expect.stringMatching(/^made:WebhooksDeadLettersQueue/),
      },
    });
    expect(facts.functions['close-hours']).toMatch(/^made:CloseHoursFunction/);
    expect(facts.functions['rotate-session-keys']).toMatch(/^made:SessionKeysRotationFunction/);
    expect(facts.eventBus).toMatch(/^made:AccessEvents/);
    expect(facts.urls).toEqual({ fulfillment: 'https://x/register', usage: 'https://x/usage' });
    expect(JSON.parse(facts.settings.WEBHOOKS)).toMatchObject([{ name: 'crm' }, { name: 'audit' }]);
    expect(JSON.parse(facts.settings.USAGE_WARNING_HOURS)).toEqual([12, 6, 2]);
  });

  test('has a name for every function that its stacks deploy', async () => {
    const resources = synthesize(EVERYTHING).all;
    const deployed = resources.filter(
      ({ Type, id }) => Type === 'AWS::Lambda::Function' && /Function[0-9A-F]{8}$/.test(id),
    );

    const { functions } = await deployedFacts(accountOf(resources, 'prod'), 'prod', 'eu-central-1');

    expect(Object.keys(functions).length).toBe(deployed.length);
    expect(Object.keys(functions).every((name) => /^[a-z]+(-[a-z]+)+$/.test(name))).toBe(true);
  });
});

test('a deployment without webhooks has no queue of them, and an empty list', async () => {
  const facts = await deployedFacts(accountOf(synthesize().all, 'prod'), 'prod', 'us-east-1');

  expect(Object.keys(facts.queues)).toEqual(['notices']);
  expect(facts.settings.WEBHOOKS).toBe('[]');
});

describe('what is not there', () => {
  test('a stage that nobody deployed is refused, with the stages that there are', async () => {
    const finding = deployedFacts(accountOf(synthesize().all, 'prod'), 'test', 'us-east-1');

    await expect(finding).rejects.toThrow(/No deployment of stage test is in us-east-1.*There are: prod\./);
  });

  test('a deployment that lacks a stack is refused, with the stack', async () => {
    const resources = synthesize().all.filter(({ id }) => !id.startsWith('Access/'));

    const finding = deployedFacts(accountOf(resources, 'prod'), 'prod', 'us-east-1');

    await expect(finding).rejects.toThrow(/lacks the stacks fulfillment-prod-access\. Deploy all/);
  });

  test('a deployment of an older version is refused, with what it lacks', async () => {
    const resources = synthesize().all.filter(({ id }) => !id.includes('/RejectsTable'));

    const finding = deployedFacts(accountOf(resources, 'prod'), 'prod', 'us-east-1');

    await expect(finding).rejects.toThrow(/lacks a AWS::DynamoDB::Table of the name RejectsTable/);
  });
});
