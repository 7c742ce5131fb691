// A mail as it goes out: a template with its placeholders filled, escaped where it is HTML.
import type { BuyerDetails } from '../domain/buyer-details.ts';
import type { MailContent, MailFacts, MailTemplateName } from '../domain/mail.ts';
import { filled, type MailTemplates, type MailValues, type Placeholder } from '../domain/mail-template.ts';
import type { Products } from '../domain/product.ts';
import type { RegistrationSettings } from '../domain/registration-settings.ts';
import { html } from './html.ts';

interface MailTexts {
  readonly templates: MailTemplates;
  readonly registration: RegistrationSettings;
  readonly products: Products;
}

/** Fills the templates of a deployment. */
export function mailComposer(texts: MailTexts): (name: MailTemplateName, facts: MailFacts) => MailContent {
  return (name, facts) => {
    const { subject, text, html: htmlPart } = texts.templates[name];
    const values = valuesOf(texts, facts);
    return {
      subject: filled(subject, values, oneLine).trim(),
      text: filled(text, values, asItIs),
      html: filled(htmlPart, values, escaped),
    };
  };
}

/** Of the placeholders that settings fill, those that these settings have nothing for. */
export function unsetPlaceholders({ supportUrl, accessUrl }: RegistrationSettings): readonly Placeholder[] {
  const unset: Placeholder[] = [];
  if (supportUrl === undefined) unset.push('supportUrl');
  if (accessUrl === undefined) unset.push('accessUrl');
  return unset;
}

function valuesOf({ registration, products }: MailTexts, { customer, buyer, usage }: MailFacts): MailValues {
  const { sellerName, supportEmail, supportUrl = '', nextSteps, accessUrl = '' } = registration;
  const { customerId, productCode, customerAwsAccountId = '' } = customer;
  return {
    sellerName,
    supportEmail,
    supportUrl,
    nextSteps,
    accessUrl,
    productTitle: products.get(productCode)?.title ?? productCode,
    customerId,
    awsAccountId: customerAwsAccountId,
    ...(buyer ? { buyerEmail: buyer.email, buyerDetails: detailsOf(buyer, registration) } : {}),
    ...(usage
      ? {
          hour: minuteOf(usage.hour),
          dimension: usage.dimension,
          quantity: String(usage.quantity),
          reason: usage.reason ?? 'none was told',
          deadline: minuteOf(usage.deadlineAt),
        }
      : {}),
  };
}

/** What the buyer wrote, a line for each field. */
function detailsOf({ fields }: BuyerDetails, { fields: settings }: RegistrationSettings): string {
  const labels = new Map(settings.map(({ name, label }) => [name, label]));
  return Object.entries(fields)
    .map(([name, value]) => `${labels.get(name) ?? name}: ${value}`)
    .join('\n');
}

/** `2026-09-21 12:00 UTC` */
function minuteOf(instant: string): string {
  return `${instant.slice(0, 16).replace('T', ' ')} UTC`;
}

function asItIs(value: string): string {
  return value;
}

function escaped(value: string): string {
  return html`${value}`.toString();
}

function oneLine(value: string): string {
  return value.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}
