// The settings of a deployment's mail: what the function goes by, and what only the stacks need.
import * as v from 'valibot';
import { MailMembers } from '../lambdas/contracts/mail-settings.ts';
import { MAIL_KINDS, type MailTemplateName } from '../lambdas/domain/mail.ts';
import { PLACEHOLDERS } from '../lambdas/domain/mail-template.ts';

const Template = v.strictObject({
  subject: v.pipe(v.string(), v.nonEmpty()),
  /** Files beside cdk.json. Both: some readers show one part only. */
  textFile: v.pipe(v.string(), v.nonEmpty()),
  htmlFile: v.pipe(v.string(), v.nonEmpty()),
});

export const MailDeploymentSchema = v.strictObject({
  ...MailMembers,
  identityArn: v.pipe(
    v.string(),
    v.regex(
      /^arn:aws[a-z-]*:ses:[a-z0-9-]+:\d{12}:identity\/[\w.@+-]+$/,
      'has to be the ARN of a verified identity of SES',
    ),
  ),
  templates: v.exactOptional(
    v.pipe(
      v.record(v.picklist(Object.keys(PLACEHOLDERS) as MailTemplateName[], 'is no template of docs/mail.md'), Template),
      v.check(
        (templates) => 'buyerRegistered' in templates === 'buyerRegisteredActive' in templates,
        'buyerRegistered and buyerRegisteredActive are one mail: give both',
      ),
    ),
  ),
});

export interface MailDeployment extends v.InferOutput<typeof MailDeploymentSchema> {}

/** What no member can know by itself; a sentence each. */
export function mailProblems(
  { identityArn, from, send = [], sellerAddress }: MailDeployment,
  homeRegion: string,
): readonly string[] {
  const identity = identityArn.slice(identityArn.indexOf('/') + 1).toLowerCase();
  const domain = from.slice(from.lastIndexOf('@') + 1).toLowerCase();
  const isOfIdentity = from.toLowerCase() === identity || domain === identity || domain.endsWith(`.${identity}`);
  const toNobody = sellerAddress === undefined ? send.filter((kind) => MAIL_KINDS[kind].to === 'seller') : [];
  return [
    ...(identityArn.split(':')[3] === homeRegion
      ? []
      : [`the identity has to be in ${homeRegion}, where the function runs`]),
    ...(isOfIdentity ? [] : [`from is no address of the identity ${identity}`]),
    ...toNobody.map((kind) => `send names ${kind}, and there is no sellerAddress to send it to`),
  ];
}

/** The MAIL setting: the templates lie beside the function, and the identity is in its permissions. */
export function mailSetting({ identityArn: _arn, templates: _templates, ...mail }: MailDeployment): string {
  return JSON.stringify(mail);
}
