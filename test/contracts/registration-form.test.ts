import { describe, expect, it } from 'vitest';
import { readMarketplaceForm, readSubmission } from '../../lambdas/contracts/registration-form.ts';
import { parseRegistrationSettings } from '../../lambdas/contracts/registration-settings.ts';
import { parseSessionKeys } from '../../lambdas/contracts/session-keys.ts';

const BASE = { sellerName: 'Sample', supportEmail: 'help@sample.example', nextSteps: 'Wait.' };
const SETTINGS = parseRegistrationSettings(JSON.stringify(BASE));

function submitted(fields: Record<string, string>) {
  return readSubmission(new URLSearchParams({ name: 'Ada', company: 'Engines', ...fields }), SETTINGS);
}

describe('the page’s form', () => {
  it.each(['ada@gmail.com', 'a@b.co', "o'hara+tag@mail.example.org", 'ünï@exämple.de', 'x@xn--p1ai.xn--p1ai'])(
    'takes %s: no provider is refused',
    (email) => {
      expect(submitted({ email })).toMatchObject({ kind: 'complete', email });
    },
  );

  it.each([
    '',
    '   ',
    'ada',
    'ada@',
    '@b.co',
    'a@b',
    'a b@c.de',
    'a@b@c.de',
    'a@b.',
    'a@b.co, c@d.co',
    `${'a'.repeat(250)}@b.co`,
  ])('asks again for "%s"', (email) => {
    expect(submitted({ email })).toMatchObject({ kind: 'incomplete', problems: [{ name: 'email' }] });
  });

  it('makes one tidy line of what was written, so that no mail header can be smuggled in', () => {
    const name = '  Ada\r\nBcc: all@example.com\u0000\u2028x ';
    expect(submitted({ email: 'a@b.co', name })).toMatchObject({ fields: { name: 'Ada Bcc: all@example.com x' } });
  });

  it('passes over what it did not ask for, and leaves out what is empty', () => {
    const form = new URLSearchParams('email=a@b.co&name=Ada&company=E&company=F&phone=&isAdmin=1&__proto__=x');
    const submission = readSubmission(form, SETTINGS);
    expect(submission).toMatchObject({ kind: 'complete', fields: { name: 'Ada', company: 'E' } });
  });

  // A pattern that went back and forth over such texts would not end within any test's patience.
  it.each([`a@${'a.'.repeat(30_000)}`, `${'1'.repeat(60_000)}x`, '('.repeat(60_000)])(
    'comes to an end with text made to keep patterns busy',
    (text) => {
      expect(submitted({ email: text, phone: text })).toMatchObject({ kind: 'incomplete' });
    },
  );
});

describe('the form of AWS Marketplace', () => {
  it('restores plus signs that were posted unencoded, since no token holds a space', () => {
    const form = new URLSearchParams('x-amzn-marketplace-token=a+b%2Bc/d==%20');
    expect(readMarketplaceForm(form)).toEqual({ token: 'a+b+c/d==', hints: {} });
  });

  it.each(['+a/b==', 'a/b+', '++a', '+'])(
    'keeps every plus sign of the token %s, also where it is not encoded',
    (token) => {
      for (const text of [token, encodeURIComponent(token)]) {
        const form = new URLSearchParams(`x-amzn-marketplace-token=${text}`);
        expect(readMarketplaceForm(form)).toEqual({ token, hints: {} });
      }
    },
  );

  it('believes nothing but the token, and takes a free trial as a hint', () => {
    const form = new URLSearchParams({
      'x-amzn-marketplace-offer-type': 'free-trial',
      'x-amzn-marketplace-agreement-id': 'agmt-forged',
    });
    expect(readMarketplaceForm(form)).toEqual({ hints: { freeTrial: true } });
  });
});

describe('the setting REGISTRATION', () => {
  it('asks for name, company and phone where no fields are set', () => {
    expect(SETTINGS.fields.map(({ name, required }) => [name, required])).toEqual([
      ['name', true],
      ['company', true],
      ['phone', false],
    ]);
  });

  it.each([
    [{ logoUrl: 'https://cdn.example/logo.png' }, 'logoUrl'],
    [{ logoUrl: '//cdn.example/logo.png' }, 'logoUrl'],
    [{ logoUrl: 'data:text/html;base64,AAAA' }, 'logoUrl'],
    [{ accessUrl: 'http://app.example' }, 'accessUrl'],
    [{ privacyUrl: 'javascript:alert(1)' }, 'privacyUrl'],
    [{ supportEmail: 'nobody' }, 'supportEmail'],
    [{ colour: 'red' }, 'colour'],
    [{ fields: [{ name: 'email', label: 'E-mail' }] }, 'fields.0.name'],
    [{ fields: [{ name: 'constructor', label: 'Builder' }] }, 'fields.0.name'],
    [{ fields: [{ name: 'card', label: 'Card', autocomplete: 'cc-number' }] }, 'fields.0.autocomplete'],
    [
      {
        fields: [
          { name: 'a', label: 'A' },
          { name: 'a', label: 'B' },
        ],
      },
      'a name twice',
    ],
  ])('is refused with %j, naming %s', (wrong, named) => {
    expect(() => parseRegistrationSettings(JSON.stringify({ ...BASE, ...wrong }))).toThrow(named);
  });

  it('is refused where it is no JSON', () => {
    expect(() => parseRegistrationSettings('{')).toThrow('REGISTRATION');
  });
});

describe('the secret of the session keys', () => {
  it('takes keys of the list, and the one that Secrets Manager generated beside it', () => {
    const key = 'k'.repeat(44);
    expect(parseSessionKeys(JSON.stringify({ current: 'k2', keys: { k2: key }, first: key }))).toEqual({
      current: 'k2',
      keys: new Map([
        ['first', key],
        ['k2', key],
      ]),
    });
    expect(parseSessionKeys(JSON.stringify({ current: 'first', first: key })).keys.size).toBe(1);
  });

  it('is refused without its current key, with a short one or as no JSON, and never repeated', () => {
    for (const secret of ['x-secret', '{"current":"k1","keys":{}}', '{"current":"k1","keys":{"k1":"x-secret"}}']) {
      expect(() => parseSessionKeys(secret)).toThrow(expect.not.objectContaining({ message: /x-secret/ }));
    }
  });
});
