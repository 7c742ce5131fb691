// The texts of mail that a seller who writes none of their own sends. Both parts are made of the same paragraphs.
import type { MailTemplate, MailTemplates } from '../domain/mail-template.ts';
import type { RegistrationSettings } from '../domain/registration-settings.ts';

interface Draft {
  readonly subject: string;
  /** Text of ours with placeholders; no character that HTML would read. */
  readonly paragraphs: readonly string[];
  /** What it is about, a line each. */
  readonly rows?: readonly (readonly [string, string])[];
  readonly closing: string;
}

/** The house's texts, which name only what the registration page's settings have. */
export function houseTemplates({ accessUrl, supportUrl }: RegistrationSettings): MailTemplates {
  const hasAccessUrl = accessUrl !== undefined;
  const reference = ['Your reference', '{{customerId}}'] as const;
  const help =
    supportUrl === undefined
      ? 'Questions? Write to {{supportEmail}} and quote your reference.'
      : 'Questions? Write to {{supportEmail}} and quote your reference, or visit {{supportUrl}}';
  const toBuyer = (subject: string, ...paragraphs: readonly string[]) =>
    drafted({ subject, paragraphs, rows: [reference], closing: help });
  const about = [
    ['Product', '{{productTitle}}'],
    ['Customer', '{{customerId}}'],
    ['AWS account', '{{awsAccountId}}'],
  ] as const;
  const toSeller = (subject: string, paragraph: string, closing: string, more: Draft['rows'] = []) =>
    drafted({ subject, paragraphs: [paragraph], rows: [...about, ...more], closing });
  const usage = [
    ['Dimension', '{{dimension}}'],
    ['Quantity', '{{quantity}}'],
    ['Hour', '{{hour}}'],
    ['Reason', '{{reason}}'],
    ['AWS takes it until', '{{deadline}}'],
  ] as const;
  return {
    buyerRegistered: toBuyer(
      'We have your registration for {{productTitle}}',
      'Thank you for registering for {{productTitle}}.',
      'Your access opens as soon as AWS Marketplace confirms that your subscription is active. There is nothing more for you to do.',
      '{{nextSteps}}',
      ...(hasAccessUrl ? ['Once your access is open, sign in at {{accessUrl}}'] : []),
    ),
    buyerRegisteredActive: toBuyer(
      'We have your registration for {{productTitle}}',
      'Thank you for registering for {{productTitle}}. Your subscription is active, and your access is open.',
      ...(hasAccessUrl ? ['Sign in at {{accessUrl}}'] : []),
      '{{nextSteps}}',
    ),
    buyerGranted: toBuyer(
      'Your access to {{productTitle}} is open',
      'AWS Marketplace has confirmed that your subscription to {{productTitle}} is active. Your access is open.',
      ...(hasAccessUrl ? ['Sign in at {{accessUrl}}'] : []),
    ),
    buyerRevoked: toBuyer(
      'Your access to {{productTitle}} has ended',
      'Your subscription to {{productTitle}} on AWS Marketplace has ended, and your access with it. What you used before the end is on your AWS bill.',
      'If you did not expect this, look at your subscriptions on AWS Marketplace, or write to us.',
    ),
    sellerRegistered: toSeller(
      'New customer of {{productTitle}}',
      'A buyer from AWS Marketplace has registered for {{productTitle}}.',
      'What the buyer wrote is kept in the table of buyers, and not repeated here.',
    ),
    sellerRevoked: toSeller(
      'A customer of {{productTitle}} has left',
      'The access of a customer of {{productTitle}} has ended.',
      'Usage up to the end is still being billed.',
    ),
    sellerUsageHeld: toSeller(
      'AWS Marketplace does not take usage of {{productTitle}}',
      'AWS Marketplace refuses an hour of usage for now. It is tried again by itself.',
      'What to do: docs/runbook.md#held',
      usage,
    ),
    sellerUsageAboutToExpire: toSeller(
      'Usage of {{productTitle}} is about to be lost',
      'An hour of usage is not billed yet, and AWS Marketplace soon takes it no more.',
      'What to do: docs/runbook.md#records-that-need-a-person',
      usage,
    ),
  };
}

function drafted({ subject, paragraphs, rows = [], closing }: Draft): MailTemplate {
  const text = [...paragraphs, rows.map(([name, value]) => `${name}: ${value}`).join('\n'), closing, '{{sellerName}}'];
  return { subject, text: `${text.join('\n\n')}\n`, html: htmlOf(subject, paragraphs, rows, closing) };
}

/** Styles stand at each element: many readers drop a style sheet. No colour of text: they are read on light and on dark. */
function htmlOf(
  subject: string,
  paragraphs: readonly string[],
  rows: readonly (readonly [string, string])[],
  closing: string,
): string {
  const cells = rows.map(
    ([name, value]) =>
      `<tr><td style="padding:2px 16px 2px 0;opacity:.75">${name}</td><td style="padding:2px 0">${value}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${subject}</title>
</head>
<body style="margin:0;padding:24px;overflow-wrap:anywhere;font:16px/1.55 system-ui,'Segoe UI',Roboto,Arial,sans-serif">
<div style="max-width:560px;margin:0 auto">
<p style="margin:0 0 20px;font-weight:600">{{sellerName}}</p>
<h1 style="margin:0 0 16px;font-size:22px;line-height:1.3">${subject}</h1>
${paragraphs.map((paragraph) => `<p style="margin:0 0 14px;white-space:pre-line">${linked(paragraph)}</p>`).join('\n')}
<table role="presentation" style="margin:20px 0;border-collapse:collapse;font-size:15px">
${cells.join('\n')}
</table>
<p style="margin:0;padding-top:14px;border-top:1px solid #9ca3af;font-size:14px;opacity:.75">${linked(closing)}</p>
</div>
</body>
</html>
`;
}

/** Addresses are pressed, not copied. */
function linked(paragraph: string): string {
  return paragraph
    .replace(/\{\{(accessUrl|supportUrl)\}\}/g, '<a href="{{$1}}">{{$1}}</a>')
    .replace('{{supportEmail}}', '<a href="mailto:{{supportEmail}}">{{supportEmail}}</a>');
}
