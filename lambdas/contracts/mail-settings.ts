// The MAIL setting, and the templates that lie beside the function.
import * as v from 'valibot';
import { Misconfigured } from '../domain/failure.ts';
import { MAIL_KINDS, type MailKind, type MailTemplateName } from '../domain/mail.ts';
import { type OwnMailTemplates, PLACEHOLDERS } from '../domain/mail-template.ts';

const Address = v.pipe(v.string(), v.email('has to be an e-mail address'), v.maxLength(254));

/** SES shows it as it is: no line break may begin a header of its own. */
const Name = v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(200), v.regex(/^\P{Cc}+$/u, 'has to be one line'));

const Kind = v.picklist(Object.keys(MAIL_KINDS) as MailKind[], 'has to be a mail of docs/mail.md');

/** What the function goes by. */
export const MailMembers = {
  /** From whom mail is: an address of the identity. */
  from: Address,
  /** Absent for the seller's name on the registration page. */
  fromName: v.exactOptional(Name),
  /** Absent for the seller's support address. */
  replyTo: v.exactOptional(Address),
  /** Where mail to the seller goes; absent where there is none. */
  sellerAddress: v.exactOptional(Address),
  /** Which mails are sent. */
  send: v.exactOptional(
    v.pipe(
      v.array(Kind),
      v.minLength(1, 'has to name a mail; leave it out for the usual ones'),
      v.check((kinds) => new Set(kinds).size === kinds.length, 'names a mail twice'),
    ),
  ),
  configurationSet: v.exactOptional(v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, 'has to be a name of SES'))),
};

const MailSchema = v.strictObject(MailMembers);

export interface MailSettings extends v.InferOutput<typeof MailSchema> {}

const USUAL: readonly MailKind[] = ['buyerRegistered', 'buyerGranted', 'sellerRegistered', 'sellerRevoked'];

/** Which mails are sent: those that are named, or the usual ones that have somebody to go to. */
export function mailsWanted({
  send,
  sellerAddress,
}: Pick<MailSettings, 'send' | 'sellerAddress'>): readonly MailKind[] {
  return send ?? USUAL.filter((kind) => sellerAddress !== undefined || MAIL_KINDS[kind].to === 'buyer');
}

/** Reads the MAIL setting. Throws Misconfigured, naming each member that is wrong. */
export function parseMail(json: string): MailSettings {
  return parsed('MAIL', MailSchema, json);
}

const Template = v.strictObject({ subject: v.string(), text: v.string(), html: v.string() });

const TemplatesSchema = v.record(v.picklist(Object.keys(PLACEHOLDERS) as MailTemplateName[]), Template);

/** Reads the templates that were bundled with the function. Throws Misconfigured. */
export function parseMailTemplates(json: string): OwnMailTemplates {
  return parsed('mail-templates.json', TemplatesSchema, json);
}

function parsed<S extends v.GenericSchema>(setting: string, schema: S, json: string): v.InferOutput<S> {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), json);
  if (result.success) return result.output;
  const wrong = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`).join('; ');
  throw new Misconfigured('SettingMalformed', `The setting ${setting} is wrong. ${wrong}`, { facts: { setting } });
}
