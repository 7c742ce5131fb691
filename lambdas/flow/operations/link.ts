// Reads:       whose two agreements are
// Writes:      the audit line; then the operator's word, kept like a notice, and what follows from it
// Once per:    action id
// If it stops: the same act, under the same id, keeps the same word and does what is left
import type { AuditEntry } from '../../domain/amendment.ts';
import { agreementThread } from '../../domain/notice.ts';
import { type Act, actProblem, auditOf, type Refused, refuse } from '../../domain/operations/act.ts';
import { linkReplacement, type ReplacementLink } from '../apply-notice.ts';
import type { NoticePorts } from '../notice-ports.ts';
import type { LedgerStore } from '../ports.ts';
import type { Doing } from './amend-record.ts';

export interface LinkPorts extends NoticePorts {
  readonly ledger: Pick<LedgerStore, 'action' | 'noteAction'>;
  readonly clock: () => number;
}

/** Whose the agreement is, and whose it becomes. */
interface Linked {
  readonly owner?: string;
  readonly customerId: string;
}

export type LinkOutcome =
  | Refused
  | (Linked & { readonly kind: 'planned' | 'done' })
  | { readonly kind: 'already'; readonly audit: AuditEntry };

/** Says which agreement another replaces, where AWS does not: both are then one customer's. */
export async function link(
  ports: LinkPorts,
  { agreementId, previousAgreementId }: ReplacementLink,
  act: Act,
  { dryRun = false }: Doing = {},
): Promise<LinkOutcome> {
  const { ledger, notices, clock } = ports;
  const problem = actProblem(act);
  if (problem) return problem;
  const noted = await ledger.action(act.actionId);
  const { agreement, previous } = { agreement: noted?.facts['agreement'], previous: noted?.facts['previous'] };
  if (noted && (noted.action !== 'link' || agreement !== agreementId || previous !== previousAgreementId)) {
    return refuse('actionIdTaken', `The act's id ${act.actionId} stands for another act (${noted.action}).`);
  }
  const { customerId: owner } = await notices.thread(agreementThread(agreementId));
  const { customerId } = await notices.thread(agreementThread(previousAgreementId));
  if (customerId === undefined || agreementId === previousAgreementId) return unknownAgreement(previousAgreementId);
  const linked = { ...(owner === undefined ? {} : { owner }), customerId };
  if (dryRun) {
    const refused = await refusalOf(ports, agreementId);
    return refused ?? { kind: 'planned', ...linked };
  }
  const refused = noted ? undefined : await refusalOf(ports, agreementId);
  if (refused) return refused;
  const facts = { customerId, agreement: agreementId, previous: previousAgreementId, owner: owner ?? 'nobody' };
  await ledger.noteAction(auditOf(act, 'link', {}, clock(), facts));
  // The word is kept under the line's time, so that a repeat keeps no second one.
  const saidAt = noted?.at ?? clock();
  const answer = await linkReplacement(ports, { agreementId, previousAgreementId }, clock(), saidAt);
  if (answer.kind === 'unknownAgreement') return unknownAgreement(agreementId);
  if (answer.kind === 'toldByAws') return toldByAws(agreementId);
  return noted ? { kind: 'already', audit: noted } : { kind: 'done', ...linked };
}

async function refusalOf({ notices }: LinkPorts, agreementId: string): Promise<Refused | undefined> {
  const { notices: told } = await notices.thread(agreementThread(agreementId));
  if (told.length === 0) return unknownAgreement(agreementId);
  const isTold = told.some(({ channel, previousAgreementId }) => channel !== 'operator' && previousAgreementId);
  return isTold ? toldByAws(agreementId) : undefined;
}

function unknownAgreement(agreementId: string): Refused {
  return refuse(
    'agreementUnknown',
    `Agreement ${agreementId} is not known, or is nobody's yet. Take its id from the customer's page or from AWS.`,
  );
}

function toldByAws(agreementId: string): Refused {
  return refuse(
    'toldByAws',
    `AWS itself has told what ${agreementId} replaces; its word stands. Nothing is to be done.`,
  );
}
