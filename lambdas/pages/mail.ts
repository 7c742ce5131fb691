// A mail as it goes out: a template with its placeholders filled, escaped where it is HTML.
import type { BuyerDetails } from '../domain/buyer-details.ts';
import type { MailContent, MailFacts, MailTemplateName } from '../domain/mail.ts';
import { filled, type MailValues, type OwnMailTemplates, type Placeholder } from '../domain/mail-template.ts';
import type { Products } from '../domain/product.ts';
import { pagesOf, type RegistrationSettings, type Registrations } from '../domain/registration-settings.ts';
import { html } from './html.ts';
import { houseTemplates } from './mail-templates.ts';

interface MailTexts {
  /** What the seller has written in place of the house's. */
  readonly templates: OwnMailTemplates;
  readonly registrations: Registrations;
  readonly products: Products;
  /** Whose name mail comes under and where answers go; where absent, as the registration of the product says. */
  readonly sender?: { readonly fromName?: string; readonly replyTo?: string };
}

/** Fills the templates of a deployment, each with what its product's registration says. */
export function mailComposer(texts: MailTexts): (name: MailTemplateName, facts: MailFacts) => MailContent {
  return (name, facts) => {
    const registration = pagesOf(texts.registrations, facts.customer.productCode).settings;
    const { subject, text, html: htmlPart } = texts.templates[name] ?? houseTemplates(registration)[name];
    const values = valuesOf(texts, registration, facts);
    return {
      fromName: texts.sender?.fromName ?? registration.sellerName,
      replyTo: texts.sender?.replyTo ?? registration.supportEmail,
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

function valuesOf(
  { products }: MailTexts,
  registration: RegistrationSettings,
  { customer, buyer, usage }: MailFacts,
): MailValues {
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
