// Mail to buyers and to the seller, where the settings have any.
import type { Facts } from '../facts.ts';
import { type Finding, ok, problem } from '../finding.ts';
import { unseen } from '../probed.ts';

export function checkMail({ mail, region }: Pick<Facts, 'mail' | 'region'>): Finding[] {
  const { identity, account } = mail;
  const subject = 'mail';
  const found = [
    unseen('MailUnverified', 'identity of SES', identity),
    unseen('MailSandboxed', 'account at SES', account),
  ];
  const findings = found.flatMap((each) => each ?? []);
  if (identity.kind === 'seen' && !identity.value) {
    findings.push(
      problem('MailUnverified', subject, {
        seen: 'SES has not verified the identity that mail is sent from.',
        expected: 'a verified identity',
        remedy: `Put its DKIM records into DNS, or confirm the mail of AWS: the console of SES in ${region}, Identities.`,
      }),
    );
  }
  if (account.kind === 'seen' && !account.value.isProduction) {
    findings.push(
      problem('MailSandboxed', subject, {
        seen: 'The account is in the sandbox of SES: mail goes to verified addresses alone, and to no buyer.',
        expected: 'production access',
        remedy: `Ask for it in the console of SES in ${region}, Account dashboard; AWS answers within a day.`,
      }),
    );
  }
  if (account.kind === 'seen' && !account.value.isSending) {
    findings.push(
      problem('MailPaused', subject, {
        seen: 'AWS has paused sending for the account.',
        expected: 'sending enabled',
        remedy:
          'Read what AWS wrote about bounces and complaints (docs/mail.md), mend it, and ask to be let send again.',
      }),
    );
  }
  if (findings.length > 0 || identity.kind !== 'seen') return findings;
  return [ok('MailUnverified', subject, 'The identity is verified, and the account may write to anyone.')];
}
