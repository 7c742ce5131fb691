// What of a template is refused before it is deployed, and how one is filled.
import { describe, expect, test } from 'vitest';
import { filled, templateProblems } from '../../lambdas/domain/mail-template.ts';

const GOOD = { subject: 'Hello', text: 'Hello {{productTitle}}', html: '<p>Hello {{ productTitle }}</p>' };

describe('a template', () => {
  test('with known placeholders in text and quoted attributes has no problem', () => {
    const html =
      '<style>@media print { p { color: red }}</style><a href="{{accessUrl}}" title=\'{{customerId}}\'>in</a>';

    expect(templateProblems('buyerGranted', { ...GOOD, html })).toEqual([]);
  });

  test('that names a placeholder which is not known there is refused by its name, in whichever part', () => {
    const problems = templateProblems('buyerGranted', {
      subject: 'Hi {{buyerEmail}}',
      text: '{{first name}} {{first name}}',
      html: '{{product.title}}',
    });

    expect(problems).toEqual([
      expect.stringContaining('buyerGranted.subject: {{buyerEmail}} is unknown (known here: sellerName, '),
      expect.stringContaining('buyerGranted.text: {{first name}} is unknown'),
      expect.stringContaining('buyerGranted.html: {{product.title}} is unknown'),
    ]);
  });

  test('knows what the buyer wrote in mail to the seller alone', () => {
    const own = { ...GOOD, text: '{{buyerEmail}} {{buyerDetails}}' };

    expect(templateProblems('sellerRegistered', own)).toEqual([]);
    expect(templateProblems('buyerRegistered', own)).toHaveLength(2);
  });

  test('that names what the settings have nothing for is refused', () => {
    expect(templateProblems('buyerGranted', { ...GOOD, text: '{{accessUrl}}' }, ['accessUrl'])).toEqual([
      'buyerGranted.text: {{accessUrl}} is used, and the setting registration.accessUrl is not set',
    ]);
  });

  test.each([
    ['an empty part', { ...GOOD, text: ' \n' }, /text is empty/],
    ['an open placeholder', { ...GOOD, text: '{{productTitle' }, /begins no placeholder/],
    ['an attribute without quotes', { ...GOOD, html: '<a href={{accessUrl}}>' }, /put it in quotes/],
    ['a script', { ...GOOD, html: '<script>\nlet a = "{{customerId}}"</script>' }, /within <script>/],
    ['a style', { ...GOOD, html: '<STYLE type="text/css">a { {{customerId}} }</STYLE>' }, /within <script> or <style>/],
  ])('with %s is refused', (_what, template, problem) => {
    expect(templateProblems('buyerGranted', template)).toEqual([expect.stringMatching(problem)]);
  });

  test('is filled everywhere, each value made safe, and with nothing where there is no value', () => {
    const upper = (value: string) => value.toUpperCase();

    expect(filled('{{customerId}}-{{ customerId }}-{{reason}}.', { customerId: 'a$&b' }, upper)).toBe('A$&B-A$&B-.');
  });
});
