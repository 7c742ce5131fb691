// What the probes see of a deployment where all is well.

import { DAY_MS } from '../../../lambdas/domain/hour.ts';
import { TABLES, type TableKind, type TableShape } from '../../../lambdas/stores/tables.ts';
import { parseDeployment, productsSetting } from '../../../lib/deployment.ts';
import type { AlarmFacts, Facts, HttpAnswer, ResourceFacts } from '../../../operator/doctor/facts.ts';
import type { Probed } from '../../../operator/doctor/probed.ts';

export function seen<T>(value: T): Probed<T> {
  return { kind: 'seen', value };
}

export const SETTINGS = {
  products: [{ productCode: '4ulx0metricscloud', title: 'Metrics Cloud', dimensions: ['requests', 'gb_stored'] }],
  registration: { sellerName: 'Metrics Ltd', supportEmail: 'help@metrics.test', nextSteps: 'We write to you.' },
};

const URL = 'https://abc123.execute-api.us-east-1.amazonaws.com/prod';

const HEADERS = {
  'content-security-policy': "default-src 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

export function anAnswer(status: number, headers: Readonly<Record<string, string>> = HEADERS): Probed<HttpAnswer> {
  return seen({ status, headers, body: '' });
}

export function aRule(overrides: object = {}, region = 'us-east-1') {
  const resource: ResourceFacts = {
    stack: 'fulfillment-prod-lifecycle',
    region,
    logicalId: 'NoticesOfAws1234',
    type: 'AWS::Events::Rule',
    physicalId: 'notices-of-aws',
  };
  const rule = {
    isEnabled: true,
    pattern: '{"source":["aws.agreement-marketplace"]}',
    targetArns: ['arn:aws:sqs:us-east-1:111122223333:notices'],
    ...overrides,
  };
  return { name: 'notices-of-aws', resource, probed: seen(rule) };
}

export function aTable(kind: TableKind, overrides: object = {}) {
  const { key, indexes }: TableShape = TABLES[kind];
  const table = {
    status: 'ACTIVE',
    key,
    indexes: indexes.map((index) => ({ ...index, status: 'ACTIVE' })),
    isProtected: true,
    ...overrides,
  };
  return { kind, name: `prod-${kind}`, probed: seen(table) };
}

export function anAlarm(overrides: Partial<AlarmFacts> = {}): AlarmFacts {
  return { name: 'send-metering-silence', isRaised: false, actions: [TOPIC], ...overrides };
}

export function someRuns(overrides: object = {}) {
  return { spanMinutes: 35, invocations: 30, errors: 0, throttles: 0, ...overrides };
}

const TOPIC = 'arn:aws:sns:us-east-1:111122223333:alarms';
const KINDS = Object.keys(TABLES) as TableKind[];

export function healthy(overrides: Partial<Facts> = {}): Facts {
  const deployment = parseDeployment(SETTINGS);
  const environment = { PRODUCTS: productsSetting(deployment.products), MARKETPLACE_REGION: 'us-east-1' };
  return {
    stage: 'prod',
    region: 'us-east-1',
    isLaptop: false,
    account: seen('111122223333'),
    settings: { deployment },
    stacks: [
      {
        name: 'fulfillment-prod-registration',
        probed: seen({ status: 'UPDATE_COMPLETE', outputs: { FulfillmentUrl: `${URL}/register` }, resources: [] }),
      },
    ],
    tables: KINDS.map((kind) => aTable(kind)),
    recovery: KINDS.map((kind) => ({ name: kind, probed: seen(true) })),
    expiry: KINDS.map((kind) => {
      const { expiry }: TableShape = TABLES[kind];
      return { kind, name: kind, probed: seen(expiry) };
    }),
    rules: [aRule()],
    topics: [],
    queues: [{ name: 'notices', isDeadLetters: false, probed: seen({ messages: 0, underWay: 0 }) }],
    feeds: [{ name: 'mapping-1', probed: seen('Enabled') }],
    schedules: [
      {
        name: 'close-every-minute',
        probed: seen({
          isEnabled: true,
          expression: 'rate(1 minute)',
          targetArn: 'arn:aws:lambda:us-east-1:1:function:close',
        }),
      },
    ],
    functions: [
      {
        name: 'resolve-1234',
        handler: 'resolve-buyer',
        probed: seen({
          state: 'Active',
          lastUpdate: 'Successful',
          roleArn: 'arn:aws:iam::1:role/resolve',
          environment,
        }),
      },
    ],
    runs: [{ name: 'close-1234', handler: 'close-hours', probed: seen(someRuns()) }],
    decisions: [
      {
        name: 'send-metering',
        probed: seen([
          {
            handler: 'send-metering',
            action: 'aws-marketplace:BatchMeterUsage',
            isAllowed: true,
            decision: 'allowed',
            isForbiddenByOrganization: false,
          },
        ]),
      },
    ],
    alarms: seen([anAlarm()]),
    alarmTopics: [{ name: TOPIC, probed: seen(1) }],
    undelivered: seen([]),
    secrets: [
      { name: 'session-keys', purpose: 'sessionKeys', probed: seen({ isBeingDeleted: false, isRotated: true }) },
    ],
    metering: [{ name: 'us-east-1', probed: seen({}) }],
    catalog: seen([
      {
        productCode: '4ulx0metricscloud',
        dimensions: ['requests', 'gb_stored'],
        fulfillmentUrls: [`${URL}/register`],
      },
    ]),
    clockAheadMs: seen(400),
    pages: { url: `${URL}/register`, get: anAnswer(200), post: anAnswer(400), postToken: anAnswer(400) },
    certificateLeftMs: seen(200 * DAY_MS),
    signUps: [],
    usage: { url: `${URL}/usage`, post: anAnswer(403) },
    mail: { identity: seen(true), account: seen({ isProduction: true, isSending: true }) },
    concurrency: seen(1_000),
    gateway: seen({ ratePerSecond: 10_000, logsRole: 'arn:aws:iam::1:role/logs', isLogsRoleGone: false }),
    ...overrides,
  };
}
