// The texts of mail that the seller has written in place of the house's, checked before anything is deployed.
import { readFileSync } from 'node:fs';
import type { MailTemplateName } from '../lambdas/domain/mail.ts';
import { type MailTemplate, type OwnMailTemplates, templateProblems } from '../lambdas/domain/mail-template.ts';
import { everySettings, type Registrations } from '../lambdas/domain/registration-settings.ts';
import { unsetPlaceholders } from '../lambdas/pages/mail.ts';
import type { MailDeployment } from './mail-deployment.ts';

/** The house's templates, with HTML around, take 15 KB. */
const MOST_BYTES = 200_000;

/**
 * Reads the seller's files, which have to do for the registration of every product. Throws one error that names
 * everything that is wrong with them.
 */
export function mailTemplates(
  { templates = {} }: Pick<MailDeployment, 'templates'>,
  registrations: Registrations,
): OwnMailTemplates {
  const unset = [...new Set(everySettings(registrations).flatMap(unsetPlaceholders))];
  const problems: string[] = [];
  const own: Partial<Record<MailTemplateName, MailTemplate>> = {};
  for (const [name, { subject, textFile, htmlFile }] of Object.entries(templates) as Entries<typeof templates>) {
    const [text, html] = [textOf(textFile, problems), textOf(htmlFile, problems)];
    if (text === undefined || html === undefined) continue;
    own[name] = { subject, text, html };
    problems.push(...templateProblems(name, own[name], unset));
  }
  if (Buffer.byteLength(JSON.stringify(own)) > MOST_BYTES) {
    problems.push(`all templates together have more than ${MOST_BYTES} bytes: link pictures instead of inlining them`);
  }
  if (problems.length === 0) return own;
  throw new Error(
    [
      'The templates of mail (mail.templates in cdk.json) need these changes:',
      ...problems.map((problem) => `  - ${problem}`),
      'docs/mail.md lists every template and its placeholders.',
    ].join('\n'),
  );
}

type Entries<T extends object> = [keyof T, NonNullable<T[keyof T]>][];

function textOf(file: string, problems: string[]): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    problems.push(`${file} can't be read (${why}): give the path of a file, from where cdk.json is`);
    return undefined;
  }
}
