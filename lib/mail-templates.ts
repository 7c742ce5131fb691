// The texts of a deployment's mail: the seller's own in place of the house's, checked before anything is deployed.
import { readFileSync } from 'node:fs';
import type { MailTemplateName } from '../lambdas/domain/mail.ts';
import { type MailTemplate, type MailTemplates, templateProblems } from '../lambdas/domain/mail-template.ts';
import { unsetPlaceholders } from '../lambdas/pages/mail.ts';
import { houseTemplates } from '../lambdas/pages/mail-templates.ts';
import type { Deployment } from './deployment.ts';
import type { MailDeployment } from './mail-deployment.ts';

/** Two copies of the house's templates, with HTML around, take 30 KB. */
const MOST_BYTES = 200_000;

/** Reads the seller's files. Throws one error that names everything that is wrong with them. */
export function mailTemplates(
  { templates = {} }: Pick<MailDeployment, 'templates'>,
  registration: Deployment['registration'],
): MailTemplates {
  const unset = unsetPlaceholders(registration);
  const problems: string[] = [];
  const own: Partial<Record<MailTemplateName, MailTemplate>> = {};
  for (const [name, { subject, textFile, htmlFile }] of Object.entries(templates) as Entries<typeof templates>) {
    const [text, html] = [textOf(textFile, problems), textOf(htmlFile, problems)];
    if (text === undefined || html === undefined) continue;
    own[name] = { subject, text, html };
    problems.push(...templateProblems(name, own[name], unset));
  }
  const all = { ...houseTemplates(registration), ...own };
  if (Buffer.byteLength(JSON.stringify(all)) > MOST_BYTES) {
    problems.push(`all templates together have more than ${MOST_BYTES} bytes: link pictures instead of inlining them`);
  }
  if (problems.length === 0) return all;
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
