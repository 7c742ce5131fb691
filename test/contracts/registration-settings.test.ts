import { describe, expect, test } from 'vitest';
import { parseRegistrations } from '../../lambdas/contracts/registration-settings.ts';
import { pagesOf } from '../../lambdas/domain/registration-settings.ts';

const SHARED = {
  sellerName: 'Example Software',
  supportEmail: 'support@example.com',
  supportUrl: 'https://example.com/support',
  privacyUrl: 'https://example.com/privacy',
  accessUrl: 'https://app.example.com/',
  accent: '#0f766e',
  nextSteps: 'We write to you.',
};

function lookOf(registration: object) {
  const registrations = parseRegistrations(JSON.stringify(SHARED), JSON.stringify({ maps: { registration } }));
  return pagesOf(registrations, 'maps').settings;
}

describe('what a product has of its own', () => {
  test('stands in place of what the deployment sets, member by member', () => {
    const look = lookOf({ sellerName: 'Example Maps', supportUrl: 'https://maps.example.com/support' });

    expect(look).toMatchObject({
      ...SHARED,
      sellerName: 'Example Maps',
      supportUrl: 'https://maps.example.com/support',
    });
  });

  test('takes away by null what may be left out: a product without a sign-in of its own shows no other’s', () => {
    const look = lookOf({ accessUrl: null, supportUrl: null, privacyUrl: null, accent: null, logoUrl: null });

    for (const name of ['accessUrl', 'supportUrl', 'privacyUrl', 'accent', 'logoUrl'])
      expect(look).not.toHaveProperty(name);
    expect(look).toMatchObject({ sellerName: 'Example Software', supportEmail: 'support@example.com' });
  });

  test.each(['sellerName', 'supportEmail', 'nextSteps', 'fields'])(
    'can’t take away %s, which each page needs',
    (name) => {
      expect(() => lookOf({ [name]: null })).toThrow(name);
    },
  );
});

test('the deployment itself leaves out what it has not, and writes no null', () => {
  expect(() => parseRegistrations(JSON.stringify({ ...SHARED, accessUrl: null }), '{}')).toThrow('accessUrl');
});
