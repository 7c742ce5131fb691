// The doctor against planted misconfigurations: each is found, and its remedy named.
import { describe, expect, test } from 'vitest';
import { DAY_MS } from '../../../lambdas/domain/hour.ts';
import { parseDeployment } from '../../../lib/deployment.ts';
import { examine } from '../../../operator/doctor/examine.ts';
import type { Facts } from '../../../operator/doctor/facts.ts';
import { anAlarm, anAnswer, aRule, aTable, healthy, SETTINGS, seen, someRuns } from './healthy.ts';

function troubles(overrides: Partial<Facts>) {
  return examine(healthy(overrides)).filter(({ level }) => level !== 'ok');
}

function settings(overrides: object): Pick<Facts, 'settings'> {
  return { settings: { deployment: parseDeployment({ ...SETTINGS, ...overrides }) } };
}

const [PRODUCT] = SETTINGS.products;
const pages = healthy().pages;
const SIGN_UP = 'https://app.metrics.test/aws';

describe('the doctor', () => {
  test('finds nothing in a healthy deployment, and tells what it looked at', () => {
    const findings = examine(healthy());

    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect(findings.length).toBeGreaterThan(14);
  });

  test.each<[string, string, Partial<Facts>, string]>([
    ['settings that are wrong', 'SettingsWrong', { settings: { problem: 'products is missing: add it' } }, 'cdk.json'],
    [
      'the example’s product',
      'SettingsExample',
      settings({ products: [{ ...PRODUCT, productCode: 'examplecode1' }] }),
      'products[].productCode',
    ],
    [
      'the example’s support address',
      'SettingsExample',
      settings({ registration: { ...SETTINGS.registration, supportEmail: 'a@example.com' } }),
      'registration.supportEmail',
    ],
    [
      'credentials of the account that published the products, where the deployment stands in another',
      'AccountOther',
      settings({
        publishingAccount: { id: '111122223333', homeAccountId: '444455556666', externalId: 'fulfillment-of-us' },
      }),
      'AWS_PROFILE',
    ],
    [
      'settings that are not deployed',
      'SettingsNotDeployed',
      settings({ marketplaceRegion: 'eu-west-1' }),
      'npx cdk deploy',
    ],
    [
      'a stack that is missing',
      'StackMissing',
      { stacks: [{ name: 'fulfillment-prod-metering', probed: { kind: 'absent' } }] },
      'npx cdk deploy --all',
    ],
    [
      'a stack that was rolled back',
      'StackUnfinished',
      { stacks: [{ name: 's', probed: seen({ status: 'UPDATE_ROLLBACK_COMPLETE', outputs: {}, resources: [] }) }] },
      'describe-stack-events',
    ],
    [
      'a first deployment that failed, and can’t be replaced',
      'StackUnfinished',
      { stacks: [{ name: 's', probed: seen({ status: 'ROLLBACK_COMPLETE', outputs: {}, resources: [] }) }] },
      'docs/deployment.md#how-to-deploy',
    ],
    [
      'a table with other keys',
      'TableShapeWrong',
      { tables: [aTable('buyers', { key: { partition: 'id' } })] },
      'cdk deploy',
    ],
    ['a table without its index', 'TableShapeWrong', { tables: [aTable('ledger', { indexes: [] })] }, 'cdk deploy'],
    [
      'a table that one command deletes',
      'TableUnprotected',
      { tables: [aTable('ledger', { isProtected: false })] },
      '--deletion-protection-enabled',
    ],
    [
      'a table that can’t be restored',
      'TableNotRecoverable',
      { recovery: [{ name: 'ledger', probed: seen(false) }] },
      'update-continuous-backups',
    ],
    [
      'a ledger that expires',
      'TableShapeWrong',
      { expiry: [{ kind: 'ledger', name: 'ledger', probed: seen('expiresAt') }] },
      'update-time-to-live',
    ],
    [
      'a secret that was deleted',
      'SecretMissing',
      { secrets: [{ name: 's', purpose: 'sessionKeys', probed: seen({ isBeingDeleted: true, isRotated: true }) }] },
      'restore-secret',
    ],
    [
      'the secret of a webhook that is not there',
      'SecretMissing',
      { secrets: [{ name: 's', purpose: 'webhook', probed: { kind: 'absent' } }] },
      'webhooks[].secretArn',
    ],
    ['a rule that is disabled', 'NoticeRuleDisabled', { rules: [aRule({ isEnabled: false })] }, 'enable-rule'],
    ['a rule without a target', 'NoticeRuleAimless', { rules: [aRule({ targetArns: [] })] }, 'cdk deploy'],
    [
      'a rule that takes some events only',
      'NoticeRuleNarrow',
      { rules: [aRule({ pattern: '{"source":["aws.agreement-marketplace"],"detail-type":["License Updated"]}' })] },
      'cdk deploy',
    ],
    ['no rule where AWS tells', 'NoticeRuleElsewhere', { rules: [aRule({}, 'eu-central-1')] }, 'NoticeForwarding'],
    [
      'a topic whose subscription waits',
      'TopicUnsubscribed',
      { topics: [{ name: 't', probed: seen('pending') }] },
      'Lifecycle',
    ],
    [
      'a legacy product without topics',
      'TopicUnnamed',
      settings({ products: [{ ...PRODUCT, identityStyle: 'legacy' }] }),
      'legacyTopics',
    ],
    [
      'dead letters',
      'DeadLetters',
      { queues: [{ name: 'q', isDeadLetters: true, probed: seen({ messages: 3, underWay: 0 }) }] },
      'redrive',
    ],
    [
      'a queue that nobody empties',
      'FeedStopped',
      { feeds: [{ name: 'u-1', probed: seen('Disabled') }] },
      'update-event-source-mapping',
    ],
    [
      'a schedule that is off',
      'ScheduleDisabled',
      { schedules: [{ name: 's', probed: seen({ isEnabled: false, expression: '', targetArn: 'a:b:send' }) }] },
      'Enable it',
    ],
    [
      'a function that does not run',
      'ScheduleSilent',
      { runs: [{ name: 'f', handler: 'send-metering', probed: seen(someRuns({ invocations: 0 })) }] },
      'runbook',
    ],
    [
      'an audit trail that has ended',
      'ScheduleSilent',
      { runs: [{ name: 'f', handler: 'export-audit', probed: seen(someRuns({ invocations: 0 })) }] },
      'docs/runbook.md#auditnotexported',
    ],
    [
      'a function that is throttled',
      'FunctionThrottled',
      { runs: [{ name: 'f', handler: 'send-metering', probed: seen(someRuns({ throttles: 4 })) }] },
      'L-B99A9384',
    ],
    ['alarms that nobody hears', 'AlarmUnheard', { alarms: seen([anAlarm({ actions: [] })]) }, 'alarmTopicArn'],
    ['a topic without readers', 'AlarmUnheard', { alarmTopics: [{ name: 't', probed: seen(0) }] }, 'aws sns subscribe'],
    ['an alarm that is raised', 'AlarmRaised', { alarms: seen([anAlarm({ isRaised: true })]) }, 'describe-alarms'],
    [
      'a region without the Metering API',
      'RegionUnknown',
      settings({ products: [{ ...PRODUCT, meteringRegion: 'mx-central-1' }] }),
      'meteringRegion',
    ],
    [
      'a region that is disabled',
      'RegionDisabled',
      { metering: [{ name: 'af-south-1', probed: seen({ error: 'DisabledApiException' }) }] },
      'Enable af-south-1',
    ],
    ['another account’s product', 'ProductElsewhere', { catalog: seen([]) }, 'publishing account'],
    [
      'a misspelt dimension',
      'DimensionUnlisted',
      settings({ products: [{ ...PRODUCT, dimensions: ['Requests', 'gb_stored'] }] }),
      'products[].dimensions',
    ],
    [
      'a role that may not meter',
      'PermissionMissing',
      {
        decisions: [
          {
            name: 'send-metering',
            probed: seen([
              {
                handler: 'send-metering',
                action: 'aws-marketplace:BatchMeterUsage',
                isAllowed: false,
                decision: 'implicitDeny',
                isForbiddenByOrganization: true,
              },
            ]),
          },
        ],
      },
      'service control policy',
    ],
    [
      'a page that redirects its POST',
      'PagesRedirect',
      { pages: { ...pages, post: anAnswer(301, { location: 'https://www.metrics.test/register' }) } },
      'https://www.metrics.test/register',
    ],
    ['a page that takes no GET', 'PagesGetRefused', { pages: { ...pages, get: anAnswer(403) } }, 'Let GET through'],
    ['a page that takes no POST', 'PagesPostRefused', { pages: { ...pages, post: anAnswer(405) } }, 'Let POST'],
    ['a page without its headers', 'PagesUnguarded', { pages: { ...pages, get: anAnswer(200, {}) } }, 'headers'],
    [
      'a page that is not https',
      'PagesInsecure',
      { pages: { ...pages, url: 'http://www.metrics.test/register' } },
      'https',
    ],
    [
      'a function that AWS refuses',
      'ResolveRefused',
      { pages: { ...pages, postToken: anAnswer(500) } },
      'resolve-buyer',
    ],
    [
      'a sign-up page that does not answer',
      'SignUpUnreachable',
      { signUps: [{ name: SIGN_UP, probed: { kind: 'failed', message: 'GET: ENOTFOUND' } }] },
      'products[].signUp.url',
    ],
    [
      'a sign-up page at another address',
      'SignUpUnreachable',
      { signUps: [{ name: SIGN_UP, probed: anAnswer(404) }] },
      'products[].signUp.url',
    ],
    [
      'a name of the pages that DNS does not know',
      'PagesUnreachable',
      { pages: { ...pages, get: { kind: 'failed', message: 'GET: ENOTFOUND' } } },
      'PagesDomainTarget',
    ],
    [
      'a certificate that has ended',
      'PagesUnreachable',
      { pages: { ...pages, get: { kind: 'failed', message: 'GET: CERT_HAS_EXPIRED' } } },
      'certificate',
    ],
    [
      'alarms that CloudWatch may not tell',
      'AlarmUndelivered',
      { undelivered: seen([{ topic: 'arn:aws:sns:us-east-1:1:pager', reason: 'is not authorized to perform' }]) },
      'docs/alarms.md#who-is-told',
    ],
    ['usage that is open to anyone', 'UsageOpen', { usage: { ...healthy().usage, post: anAnswer(200) } }, 'Metering'],
    ['a clock that is four minutes off', 'ClockWrong', { clockAheadMs: seen(-240_000) }, 'NTP'],
    [
      'mail from an unverified identity',
      'MailUnverified',
      { mail: { ...healthy().mail, identity: seen(false) } },
      'DKIM',
    ],
    [
      'mail in the sandbox',
      'MailSandboxed',
      { mail: { ...healthy().mail, account: seen({ isProduction: false, isSending: true }) } },
      'Account dashboard',
    ],
    [
      'mail that AWS has paused',
      'MailPaused',
      { mail: { ...healthy().mail, account: seen({ isProduction: true, isSending: false }) } },
      'docs/mail.md',
    ],
    ['a new account’s quota', 'ConcurrencyLow', { concurrency: seen(10) }, 'request-service-quota-increase'],
  ])('finds %s', (_what, code, planted, remedy) => {
    const found = troubles(planted).filter((finding) => finding.code === code);

    expect(found.map(({ level }) => level)).toContain('problem');
    expect(found.map((finding) => finding.remedy).join('\n')).toContain(remedy);
    for (const finding of found) expect(finding.expected).toBeTruthy();
  });

  test.each<[string, Partial<Facts>]>([
    ['dimensions that are not listed', { ...settings({ products: [{ ...PRODUCT, dimensions: [] }] }), functions: [] }],
    [
      'a stack that is being updated',
      { stacks: [{ name: 's', probed: seen({ status: 'UPDATE_IN_PROGRESS', outputs: {}, resources: [] }) }] },
    ],
    [
      'many messages that wait',
      { queues: [{ name: 'q', isDeadLetters: false, probed: seen({ messages: 4_000, underWay: 0 }) }] },
    ],
    ['no role for logs', { gateway: seen({ ratePerSecond: 10_000, logsRole: undefined, isLogsRoleGone: false }) }],
    [
      'a role for logs that somebody deleted',
      { gateway: seen({ ratePerSecond: 10_000, logsRole: 'arn:aws:iam::1:role/other-logs', isLogsRoleGone: true }) },
    ],
    ['a certificate that ends in ten days', { certificateLeftMs: seen(10 * DAY_MS) }],
  ])('notes %s, which is no problem', (_what, planted) => {
    expect(troubles(planted).map(({ level }) => level)).toEqual(['note']);
  });

  test('notes once that the billing data may go where the settings ask for it twice, and what keeps it', () => {
    const tables = (['ledger', 'usage'] as const).map((kind) => aTable(kind, { isProtected: false }));
    const asked = (removal: object) => troubles({ ...settings({ removal }), tables });

    expect(asked({ billingData: 'delete', confirmStage: 'prod' })).toMatchObject([
      {
        code: 'TablesDeletable',
        level: 'note',
        seen: expect.stringContaining('2 of 2 tables'),
        remedy: expect.stringContaining('Take removal out'),
      },
    ]);
    expect(asked({ billingData: 'delete' }).map(({ code, level }) => [code, level])).toEqual([
      ['TableUnprotected', 'problem'],
      ['TableUnprotected', 'problem'],
    ]);
  });

  test('says of what it may not look at that it does not know, and looks at everything else', () => {
    const denied = { kind: 'denied', action: 'events:DescribeRule' } as const;

    const found = troubles({
      rules: [{ ...aRule(), probed: denied }],
      alarms: { kind: 'failed', message: 'no answer' },
    });

    expect(found).toMatchObject([
      { code: 'NoticeRuleMissing', level: 'unknown', seen: expect.stringContaining('events:DescribeRule') },
      { code: 'AlarmUnheard', level: 'unknown', seen: expect.stringContaining('no answer') },
    ]);
  });

  test('asks nobody at a laptop’s door who he is, and for no topic of its legacy product', () => {
    const usage = { url: 'http://127.0.0.1:7300/usage', post: anAnswer(200) };

    expect(
      troubles({
        ...settings({ products: [{ ...PRODUCT, identityStyle: 'legacy' }] }),
        functions: [],
        isLaptop: true,
        usage,
        pages: { ...pages, url: 'http://127.0.0.1:7300/register' },
      }),
    ).toEqual([]);
  });
});
