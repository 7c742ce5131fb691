// What sending mail needs from outside.
import type { MailContent, MailedUsage, MailFacts, MailOutcome, MailTemplateName } from '../domain/mail.ts';

/** An event of the bus, as far as a mail goes by it. What a mail says is read when it is sent. */
export interface MailEvent {
  readonly customerId: string;
  readonly sequence: number;
  readonly type: string;
  readonly at: number;
  /** The envelope as it was on the bus; no personal data is in it. */
  readonly body: string;
  readonly usage?: MailedUsage;
}

export type MailComposer = (template: MailTemplateName, facts: MailFacts) => MailContent;

export interface Mailer {
  /**
   * Hands one mail over, in one call. Never throws for what SES answers about it, or that it does not; Misconfigured
   * where SES does not let us send at all.
   */
  send(mail: MailContent & { readonly to: string }): Promise<MailOutcome>;
}
