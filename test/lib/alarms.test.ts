// The book of alarms against the runbook, and against what the deployment's settings say.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseDeployment } from '../../lib/deployment.ts';
import { EVERYTHING, exampleSettings, type Found, synthesize } from './synthesized.ts';

const HOME = 'arn:aws:sns:eu-central-1:111122223333';

let alarms: readonly Found[];

beforeAll(() => {
  alarms = synthesize(EVERYTHING).ofType('AWS::CloudWatch::Alarm');
});

interface Said {
  readonly name: string;
  readonly impact: string;
  readonly severity: string;
  readonly anchor: string;
}

/** What an alarm tells whoever it wakes. */
function saidBy({ id, Properties }: Found): Said {
  const [, impact = '', severity = '', anchor = ''] =
    /^(.*)\. Severity: (high|low)\. What to do: docs\/runbook\.md#([a-z0-9-]+)$/.exec(
      String(Properties['AlarmDescription']),
    ) ?? [];
  const stack = id.split('/')[0] ?? '';
  const prefix = `fulfillment-prod-${stack.replace(/(?<!^)[A-Z]/g, '-$&').toLowerCase()}-`;
  return { name: String(Properties['AlarmName']).replace(prefix, ''), impact, severity, anchor };
}

interface Documented {
  readonly anchor: string;
  readonly pattern: RegExp;
  readonly severities: readonly string[];
}

/** The alarms that the runbook says are raised, by heading: `*Alarm*: \`a\`, \`b\` (high); \`c\` (low).` */
function documented(): Documented[] {
  const text = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
  return text.split(/^(?=#+ )/m).flatMap((section) => {
    const [, title = ''] = /^#+ (.*)$/m.exec(section) ?? [];
    // As GitHub makes it of a heading.
    const anchor = title
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-');
    const [, line = ''] = /^\*Alarm\*: (.*)\.$/m.exec(section) ?? [];
    return line.split(';').flatMap((group) => {
      const severities = /\(([a-z, ]+)\)/.exec(group)?.[1]?.split(', ') ?? [];
      return [...group.matchAll(/`([^`]+)`/g)].map(([, name = '']) => ({
        anchor,
        pattern: new RegExp(`^${name.replaceAll('*', '[\\w-]+')}$`),
        severities,
      }));
    });
  });
}

describe('the book of alarms', () => {
  test('says of each who is harmed, how urgent that is and what to do', () => {
    expect(alarms.length).toBeGreaterThan(30);
    for (const alarm of alarms) {
      const { impact, severity, anchor } = saidBy(alarm);
      expect(impact, alarm.id).toMatch(/\b(buyers?|product|sellers?|customers?|operator|nobody|billed)\b/);
      expect([severity, anchor], alarm.id).toEqual([expect.stringMatching(/^(high|low)$/), expect.stringMatching(/./)]);
      expect(String(alarm.Properties['AlarmDescription']).length, alarm.id).toBeLessThanOrEqual(1_024);
    }
  });

  test('has each under the heading of the runbook that it links to, with its severity', () => {
    const known = documented();

    const missing = alarms
      .map(saidBy)
      .filter(
        ({ name, anchor, severity }) =>
          !known.some(
            (each) => each.anchor === anchor && each.pattern.test(name) && each.severities.includes(severity),
          ),
      );
    expect(missing).toEqual([]);
  });

  test('leaves no heading of the runbook without its alarm', () => {
    const said = alarms.map(saidBy);

    const idle = documented().filter(
      ({ anchor, pattern, severities }) =>
        !severities.every((severity) =>
          said.some((each) => each.anchor === anchor && pattern.test(each.name) && each.severity === severity),
        ),
    );
    expect(idle).toEqual([]);
  });

  test('has no two of one name', () => {
    const names = alarms.map(({ Properties }) => String(Properties['AlarmName']));

    expect(new Set(names).size).toBe(names.length);
  });
});

describe('alarms go', () => {
  const actionsOf = (found: Found) => found.Properties['AlarmActions'] ?? [];

  test('by severity to the topics that the settings name, beside the one for all', () => {
    const found = synthesize({
      ...EVERYTHING,
      alarmTopicArn: `${HOME}:all`,
      alarms: { highTopicArn: `${HOME}:pager`, lowTopicArn: `${HOME}:board` },
    }).ofType('AWS::CloudWatch::Alarm');

    const atHome = found.filter(({ id }) => !id.startsWith('NoticeForwarding/'));
    for (const alarm of atHome) {
      const own = saidBy(alarm).severity === 'high' ? 'pager' : 'board';
      expect(actionsOf(alarm), alarm.id).toEqual([`${HOME}:all`, `${HOME}:${own}`]);
    }
  });

  test('by mail to everyone who is named, in each region, by a topic that takes nothing unencrypted', () => {
    const stacks = synthesize({ ...EVERYTHING, alarms: { emails: ['ada@example.com', 'bob@example.com'] } });

    const topics = stacks.ofType('AWS::SNS::Topic').map(({ id }) => id.split('/')[0]);
    expect(topics).toEqual(['Storage', 'NoticeForwarding']);
    const mailed = stacks
      .ofType('AWS::SNS::Subscription')
      .filter(({ Properties }) => Properties['Protocol'] === 'email');
    expect(mailed.map(({ Properties }) => Properties['Endpoint'])).toEqual([
      ...['ada@example.com', 'bob@example.com'],
      ...['ada@example.com', 'bob@example.com'],
    ]);
    expect(JSON.stringify(stacks.ofType('AWS::SNS::TopicPolicy'))).toContain('aws:SecureTransport');
    for (const alarm of stacks.ofType('AWS::CloudWatch::Alarm')) expect(actionsOf(alarm), alarm.id).toHaveLength(1);
  });

  test('to a topic of ours that CloudWatch may publish to, for the account’s own alarms', () => {
    const { ofType } = synthesize({ ...EVERYTHING, alarms: { emails: ['ada@example.com'] } });

    // A policy of our own takes the place of SNS's, which lets everything of the account in.
    const policies = ofType('AWS::SNS::TopicPolicy');
    expect(policies.map(({ id }) => id.split('/')[0])).toEqual(['Storage', 'NoticeForwarding']);
    for (const { Properties } of policies) {
      expect(Properties).toMatchObject({
        PolicyDocument: {
          Statement: expect.arrayContaining([
            expect.objectContaining({
              Effect: 'Allow',
              Principal: { Service: 'cloudwatch.amazonaws.com' },
              Action: 'sns:Publish',
              Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
            }),
          ]),
        },
      });
    }
  });

  test('nowhere where no topic and nobody is named', () => {
    for (const alarm of alarms) expect(actionsOf(alarm), alarm.id).toEqual([]);
  });

  test('with a link to the runbook where people read it', () => {
    const runbookUrl = 'https://git.example.com/fulfillment/docs/runbook.md';
    const found = synthesize({ ...EVERYTHING, alarms: { runbookUrl } }).ofType('AWS::CloudWatch::Alarm');

    for (const { id, Properties } of found) {
      expect(String(Properties['AlarmDescription']), id).toMatch(
        / What to do: https:\/\/git\.example\.com\/fulfillment\/docs\/runbook\.md#[a-z0-9-]+$/,
      );
    }
  });
});

test.each([
  ['an e-mail address that is none', { emails: ['ada'] }, 'alarms.emails.0: has to be an e-mail address'],
  ['a runbook that is not on the web', { runbookUrl: 'docs/runbook.md' }, 'alarms.runbookUrl: has to be an https'],
  ['a topic that is none', { highTopicArn: 'pager' }, 'alarms.highTopicArn: has to be an ARN of sns'],
  ['a step that is named twice', { timeLeftHours: [6, 6] }, 'alarms.timeLeftHours: names a number twice'],
  ['a misspelt key', { email: ['ada@example.com'] }, 'alarms.email is unknown'],
])('the settings refuse %s', (_, settings, message) => {
  expect(() => parseDeployment(exampleSettings({ alarms: settings }))).toThrow(message);
});
