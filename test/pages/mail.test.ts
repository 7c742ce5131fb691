// Mail as it goes out: both parts say the same, and nothing that somebody wrote becomes HTML.
import { describe, expect, test } from 'vitest';
import { parseProducts } from '../../lambdas/contracts/product-settings.ts';
import { parseRegistrationSettings, parseRegistrations } from '../../lambdas/contracts/registration-settings.ts';
import type { MailFacts, MailTemplateName } from '../../lambdas/domain/mail.ts';
import { type OwnMailTemplates, PLACEHOLDERS, templateProblems } from '../../lambdas/domain/mail-template.ts';
import type { Registrations } from '../../lambdas/domain/registration-settings.ts';
import { mailComposer, unsetPlaceholders } from '../../lambdas/pages/mail.ts';
import { houseTemplates } from '../../lambdas/pages/mail-templates.ts';

const PLAIN = { sellerName: 'O"Brien <Inc>', supportEmail: 'help@sample.example', nextSteps: 'One.\n\nTwo <b>.' };
const FULL = { ...PLAIN, accessUrl: 'https://app.example/?a=1&b=2', supportUrl: 'https://help.example/' };
const PRODUCTS = parseProducts(JSON.stringify([{ productCode: 'code1', title: 'Graphs & Maps' }]));
const FACTS: MailFacts = {
  customer: {
    customerId: 'cus_1',
    productCode: 'code1',
    customerAwsAccountId: '123456784711',
    licenceKeys: [],
    sequence: 1,
    createdAt: 0,
  },
  buyer: {
    customerId: 'cus_1',
    email: 'ada@example.com',
    fields: { company: '<script>alert(1)</script>', name: 'Ada' },
    submittedAt: 0,
  },
  usage: {
    hour: '2026-09-21T11:00:00.000Z',
    dimension: 'requests',
    quantity: 12_500,
    deadlineAt: '2026-09-21T13:02:00.000Z',
  },
};

const NAMES = Object.keys(PLACEHOLDERS) as MailTemplateName[];

function registrationOf(settings: object) {
  return parseRegistrationSettings(JSON.stringify(settings));
}

function composed(name: MailTemplateName, settings: object = FULL, own: object = {}) {
  return composedBy(parseRegistrations(JSON.stringify(settings), '{}'), name, own);
}

function composedBy(registrations: Registrations, name: MailTemplateName, own: OwnMailTemplates = {}) {
  return mailComposer({ templates: own, registrations, products: PRODUCTS })(name, FACTS);
}

describe('the house’s mail', () => {
  test.each(NAMES)('%s is without a problem, whichever settings there are', (name) => {
    for (const settings of [PLAIN, FULL]) {
      const registration = registrationOf(settings);
      expect(templateProblems(name, houseTemplates(registration)[name], unsetPlaceholders(registration))).toEqual([]);
    }
  });

  test.each(NAMES)('%s says the same in text and in HTML, and leaves no placeholder', (name) => {
    const { subject, text, html } = composed(name);
    const { customerId } = FACTS.customer;

    expect(subject).toContain('Graphs & Maps');
    for (const part of [text, html]) {
      expect(part).not.toMatch(/\{\{|undefined/);
      expect(part).toContain(customerId);
    }
    const read = html
      .replace(/<head>[\s\S]*<\/head>|<h1.*<\/h1>/g, '')
      .replaceAll(/<[^>]+>/g, ' ')
      .replaceAll('&amp;', '&')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"');
    const words = (all: string) => all.replaceAll(':', ' ').split(/\s+/).filter(Boolean).sort();
    expect(words(read)).toEqual(words(text));
  });

  test('escapes settings and values in HTML, in attributes too, and leaves text as it is', () => {
    const { text, html } = composed('buyerGranted');

    expect(html).toContain('O&quot;Brien &lt;Inc&gt;');
    expect(html).toContain('<a href="https://app.example/?a=1&amp;b=2">');
    expect(text).toContain('O"Brien <Inc>');
    expect(text).toContain('https://app.example/?a=1&b=2');
  });

  test('tells neither the buyer nor the seller what the buyer wrote', () => {
    for (const name of NAMES) expect(JSON.stringify(composed(name))).not.toMatch(/ada@|alert|Ada/);
  });

  test('to the buyer does not speak of an address to sign in at where none is set', () => {
    expect(composed('buyerGranted', PLAIN).text).not.toContain('Sign in');
    expect(composed('buyerGranted', FULL).text).toContain('Sign in at https://app.example');
  });

  test('about usage says which, and until when', () => {
    const { text } = composed('sellerUsageAboutToExpire');

    expect(text).toContain('Quantity: 12500');
    expect(text).toContain('Hour: 2026-09-21 11:00 UTC');
    expect(text).toContain('AWS takes it until: 2026-09-21 13:02 UTC');
  });
});

describe('a product with a registration of its own', () => {
  const OWN = { sellerName: 'Maps', supportEmail: 'help@maps.example', accessUrl: 'https://maps.example/in' };
  const registrations = parseRegistrations(JSON.stringify(PLAIN), JSON.stringify({ code1: { registration: OWN } }));

  test('has its mail under its own name, to be answered to its own support, and with its own address', () => {
    const mail = composedBy(registrations, 'buyerGranted');

    expect(mail).toMatchObject({ fromName: 'Maps', replyTo: 'help@maps.example' });
    expect(mail.text).toContain('Sign in at https://maps.example/in');
    expect(mail.text).not.toContain('O"Brien');
  });

  test('comes under the name of the mail’s own settings where there is one', () => {
    const sender = { fromName: 'Group', replyTo: 'all@group.example' };
    const compose = mailComposer({ templates: {}, registrations, products: PRODUCTS, sender });

    expect(compose('buyerGranted', FACTS)).toMatchObject(sender);
  });
});

describe('a seller’s own mail', () => {
  const own = {
    sellerRegistered: {
      subject: 'New: {{buyerDetails}}',
      text: '{{buyerEmail}}\n{{buyerDetails}}',
      html: '<p title="{{buyerDetails}}">{{buyerDetails}}</p>',
    },
  };

  test('may name what the buyer wrote; as HTML it does nothing, and in the subject it is one line', () => {
    const mail = composed('sellerRegistered', FULL, own);

    expect(mail.subject).toBe('New: Company: <script>alert(1)</script> Your name: Ada');
    expect(mail.text).toBe('ada@example.com\nCompany: <script>alert(1)</script>\nYour name: Ada');
    expect(mail.html).not.toContain('<script>');
    expect(mail.html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });
});
