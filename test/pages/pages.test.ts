import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRegistrationSettings } from '../../lambdas/contracts/registration-settings.ts';
import { FAILURES, type FailureKind, failurePage } from '../../lambdas/pages/failures.ts';
import { gatewayPages } from '../../lambdas/pages/gateway-pages.ts';
import { html } from '../../lambdas/pages/html.ts';
import { donePage } from '../../lambdas/pages/outcomes.ts';
import { placeOf } from '../../lambdas/pages/routes.ts';

const SETTINGS = parseRegistrationSettings(
  JSON.stringify({ sellerName: "O'Brien <Inc>", supportEmail: 'help@sample.example', nextSteps: 'One.\n\nTwo <b>.' }),
);
const FRAME = { settings: SETTINGS, base: '/prod' };

describe('html', () => {
  it('lets no filling out of its place, in text or in an attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', '`', '=', 'a', ' ') }), (text) => {
        expect(html`<a title="${text}">${text}</a>`.toString()).toMatch(/^<a title="[^"<>'`]*">[^"<>'`]*<\/a>$/);
      }),
    );
  });

  it('joins lists, keeps HTML of its own, and leaves out what is absent', () => {
    expect(html`${[html`<b>1</b>`, '<']}${undefined}${false}${0}`.toString()).toBe('<b>1</b>&lt;0');
  });
});

describe('every failure’s page', () => {
  it.each(Object.keys(FAILURES) as FailureKind[])(
    '%s: one heading of its own, what to do, and the support contact',
    (kind) => {
      const text = failurePage(FRAME, kind, { reference: 'ref-1' }).toString();
      expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
      expect(text.match(/<h1>/g)).toHaveLength(1);
      expect(text).toContain('mailto:help@sample.example');
      expect(text).toContain('O&apos;Brien &lt;Inc&gt;');
      expect(text).toMatch(/please|choose the product|come back|write to us/i);
      expect(text).not.toMatch(/<script|\bstyle="|onclick/);
      expect(text).toContain('/prod/registration/style.css?v=');
    },
  );

  it('has a title that no other has', () => {
    const titles = Object.values(FAILURES).map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
  });
});

describe('the page after registering', () => {
  it('makes paragraphs of the seller’s text and HTML of none of it', () => {
    const text = donePage(FRAME, { productTitle: 'P', customerId: 'cus_1' }).toString();
    expect(text).toContain('<p>One.</p><p>Two &lt;b&gt;.</p>');
  });
});

describe('the gateway’s own pages', () => {
  const pages = Object.entries(gatewayPages(SETTINGS));

  it.each(pages)('%s: whole without a style sheet, with a policy that allows its own style only', (_name, { body }) => {
    const style = /<style>(.*)<\/style>/s.exec(body)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(body).toContain(`style-src &apos;sha256-${hash}&apos;`);
    expect(body).not.toContain('<link rel="stylesheet"');
  });

  it.each(pages)('%s: holds nothing that API Gateway would read as a template', (_name, { body }) => {
    expect(body).not.toMatch(/[$#]/);
  });

  it('tells a throttled buyer to wait, and keeps API Gateway’s own status where it is not known', () => {
    const all = gatewayPages(SETTINGS);
    expect(all.THROTTLED).toMatchObject({ status: 429, body: expect.stringContaining('Too many requests') });
    expect(all.MISSING_AUTHENTICATION_TOKEN.status).toBe(404);
    expect(all.DEFAULT_5XX.status).toBeUndefined();
  });
});

describe('placeOf', () => {
  it.each([
    ['/register', '/register', ''],
    ['/prod/register', '/register', '/prod'],
    ['/a/b/registration/done', '/registration/done', '/a/b'],
    ['/prod/registration/style.css', '/registration/style.css', '/prod'],
    ['//evil.example/register', '/register', ''],
    ['/../register', '/register', ''],
    ['/prod/nothing', undefined, '/prod'],
    ['', undefined, ''],
  ])('%j is %j under %j', (path, route, base) => {
    expect(placeOf(path)).toEqual({ route, base });
  });
});
