import { describe, expect, test } from 'vitest';
import {
  parseUsageWarningHours,
  parseWebhookSecrets,
  parseWebhooks,
} from '../../lambdas/contracts/webhook-settings.ts';
import { targetProblem } from '../../lambdas/runtime/webhook-target.ts';

const CRM = {
  name: 'crm',
  url: 'https://hooks.example.com/aws',
  secretArn: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:crm-AbCdEf',
};

const parse = (...endpoints: readonly object[]) => parseWebhooks(JSON.stringify(endpoints), targetProblem);

describe('the WEBHOOKS setting', () => {
  test('takes endpoints for all types and for some', () => {
    const some = { ...CRM, name: 'billing', types: ['accessGranted', 'accessRevoked'] };
    expect(parse(CRM, some)).toEqual([CRM, some]);
    expect(parse()).toEqual([]);
  });

  test.each<[string, object, RegExp]>([
    ['an address without encryption', { url: 'http://hooks.example.com/' }, /0\.url.*https/],
    ['an address inside of a network', { url: 'https://10.0.0.7/' }, /0\.url.*private/],
    ['a password in the address', { url: 'https://me:secret@hooks.example.com/' }, /0\.url.*password/],
    ['a type that is none', { types: ['accessGiven'] }, /0\.types\.0.*type of event/],
    ['no type at all', { types: [] }, /0\.types/],
    ['a secret instead of its ARN', { secretArn: 'whsec_abc' }, /0\.secretArn.*ARN/],
    ['a name that is no name', { name: 'My CRM' }, /0\.name/],
    ['a member that is unknown', { retries: 3 }, /0\.retries/],
  ])('refuses %s, saying where', (_claim, change, words) => {
    expect(() => parse({ ...CRM, ...change })).toThrow(words);
  });

  test('refuses a name that stands twice, under which two targets would share one log', () => {
    expect(() => parse(CRM, { ...CRM, url: 'https://other.example.com/' })).toThrow(/name twice/);
  });
});

test('the USAGE_WARNING_HOURS setting takes hours up to a day', () => {
  expect(parseUsageWarningHours('[12, 6, 2]')).toEqual([12, 6, 2]);
  expect(parseUsageWarningHours('[]')).toEqual([]);
  for (const wrong of ['', '12', '[48]', '[0]', '[6, 6]', '["6"]']) {
    expect(() => parseUsageWarningHours(wrong)).toThrow(/USAGE_WARNING_HOURS/);
  }
});

describe('the text of a webhook secret', () => {
  const secret = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`;

  test('holds one secret, or the new and the old one while receivers change over', () => {
    expect(parseWebhookSecrets(CRM.secretArn, secret(7))).toEqual([Buffer.alloc(32, 7)]);
    expect(parseWebhookSecrets(CRM.secretArn, ` ${secret(7)}\n${secret(9)}\n`)).toHaveLength(2);
  });

  test('is refused as a whole where one is malformed, and never repeated in the fault', () => {
    const wrong = `${secret(7)} whsec_tooShort`;
    const thrown = (() => {
      try {
        return parseWebhookSecrets(CRM.secretArn, wrong);
      } catch (error) {
        return error as Error;
      }
    })();
    expect(thrown).toMatchObject({ name: 'Misconfigured', code: 'WebhookSecretMalformed' });
    expect(JSON.stringify([thrown, String(thrown)])).not.toContain('tooShort');
    expect(() => parseWebhookSecrets(CRM.secretArn, ' \n')).toThrow(/1 to 5/);
  });
});
