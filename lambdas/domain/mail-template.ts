// Templates of mail: text with placeholders such as {{productTitle}}, and what is wrong with one.
import type { MailParts, MailTemplateName } from './mail.ts';

/** A mail whose placeholders are not filled yet. Both parts always: some readers show one of them only. */
export interface MailTemplate extends MailParts {}

export type MailTemplates = Readonly<Record<MailTemplateName, MailTemplate>>;

/** Those that a seller has written; the house's stand in place of the others. */
export type OwnMailTemplates = Readonly<Partial<Record<MailTemplateName, MailTemplate>>>;

/** What any mail may say. */
const COMMON = ['sellerName', 'supportEmail', 'supportUrl', 'productTitle', 'customerId'] as const;

/**
 * Nothing that a buyer wrote: whoever fills in the page could have us send it to anybody's address.
 */
const TO_BUYERS = [...COMMON, 'nextSteps', 'accessUrl'] as const;

const TO_THE_SELLER = [...COMMON, 'awsAccountId', 'buyerEmail', 'buyerDetails'] as const;

const OF_USAGE = [...COMMON, 'awsAccountId', 'dimension', 'hour', 'quantity', 'reason', 'deadline'] as const;

export const PLACEHOLDERS = {
  buyerRegistered: TO_BUYERS,
  buyerRegisteredActive: TO_BUYERS,
  buyerGranted: TO_BUYERS,
  buyerRevoked: TO_BUYERS,
  sellerRegistered: TO_THE_SELLER,
  sellerRevoked: TO_THE_SELLER,
  sellerUsageHeld: OF_USAGE,
  sellerUsageAboutToExpire: OF_USAGE,
} as const satisfies Readonly<Record<MailTemplateName, readonly string[]>>;

export type Placeholder = (typeof PLACEHOLDERS)[MailTemplateName][number];

/** Values by placeholder; one that is missing is filled with nothing. */
export type MailValues = Readonly<Partial<Record<Placeholder, string>>>;

const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** Fills a template's part. `madeSafe` makes a value safe where it goes. */
export function filled(part: string, values: MailValues, madeSafe: (value: string) => string): string {
  const known: Readonly<Record<string, string | undefined>> = values;
  return part.replace(PLACEHOLDER, (_all, name: string) => madeSafe(known[name] ?? ''));
}

/**
 * What is wrong with a template, a sentence each. `unset` are placeholders that the settings have nothing for.
 */
export function templateProblems(
  name: MailTemplateName,
  { subject, text, html }: MailTemplate,
  unset: readonly Placeholder[] = [],
): readonly string[] {
  const known: readonly string[] = PLACEHOLDERS[name];
  const missing: readonly string[] = unset;
  const parts = { subject, text, html };
  return Object.entries(parts).flatMap(([part, template]) => {
    const at = `${name}.${part}`;
    const names = new Set([...template.matchAll(PLACEHOLDER)].map(([, each = '']) => each));
    return [
      ...(template.trim() === '' ? [`${at} is empty: a mail needs a subject, a text and an HTML part`] : []),
      ...[...names].flatMap((each) => {
        if (!known.includes(each)) return [`${at}: {{${each}}} is unknown (known here: ${known.join(', ')})`];
        return missing.includes(each)
          ? [`${at}: {{${each}}} is used, and the setting registration.${each} is not set`]
          : [];
      }),
      ...(template.replace(PLACEHOLDER, '').includes('{{') ? [`${at} has {{ that begins no placeholder`] : []),
      ...(part === 'html' ? unsafePlaces(at, template) : []),
    ];
  });
}

/** Escaping makes a value safe in text and in quoted attributes, and nowhere else. */
function unsafePlaces(at: string, template: string): readonly string[] {
  const problems: string[] = [];
  if (/=\s*\{\{/.test(template))
    problems.push(`${at} has a placeholder as an attribute without quotes: put it in quotes`);
  if (/<(script|style)\b[^>]*>(?:(?!<\/\1)[\s\S])*\{\{/i.test(template)) {
    problems.push(`${at} has a placeholder within <script> or <style>: values are made safe for text only`);
  }
  return problems;
}
