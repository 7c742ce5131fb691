// An operator's act: who does what and why, and how it is refused.
import type { ActionKind, Amendment, AuditEntry } from '../amendment.ts';
import type { HourStart } from '../hour.ts';
import type { SealedHour } from '../ledger.ts';

export interface Act {
  /** Made by `newActionId`. The same act again, under the same id, is done once. */
  readonly actionId: string;
  readonly who: string;
  readonly why: string;
}

export type ActRefusal =
  | 'actionIdInvalid'
  | 'actionIdTaken'
  | 'whoMissing'
  | 'whyMissing'
  | 'notSealed'
  | 'notQuarantined'
  | 'notDisputed'
  | 'notLive'
  | 'nothingToCarry'
  | 'nothingToWithhold'
  | 'attempted'
  | 'deadlinePassed'
  | 'uncertain'
  | 'rehearsed'
  | 'quantityInvalid'
  | 'noDifference'
  | 'licenceUnknown'
  | 'licenceEnded'
  | 'dimensionUnknown'
  | 'targetSealed'
  | 'contractOnly'
  | 'groupNotHeld'
  | 'rangeTooLong'
  | 'windowInvalid'
  | 'hourTooSoon'
  | 'hourTooFar'
  | 'notLegacy'
  | 'cutOverElsewhere'
  | 'accountUnknown'
  | 'licenceArnInvalid'
  | 'licenceTaken'
  | 'licenceMetered'
  | 'customerUnknown'
  | 'nothingToErase'
  | 'moved'
  | 'priceInvalid'
  | 'productUnknown'
  | 'agreementUnknown'
  | 'toldByAws'
  | 'deliveryUnknown'
  | 'queueUnknown'
  | 'nothingDead'
  | 'redriveRuns'
  | 'listingTooRich'
  | 'addressUnfit'
  | 'changeRuns'
  | 'oldSenderRuns'
  | 'cutOverUnset'
  | 'sentAfterCutOver'
  | 'logIncomplete';

/** Nothing was changed. The message says what was wrong, what is expected and what to do. */
export interface Refused {
  readonly kind: 'refused';
  readonly code: ActRefusal;
  readonly message: string;
}

/** What an act makes of a record, decided without writing. */
export type Decision =
  | Refused
  | {
      readonly kind: 'amend';
      readonly amendment: Amendment;
      /** What the operator may want to do besides. */
      readonly advice?: string;
    };

const MAX_WHO_LENGTH = 200;
const MAX_WHY_LENGTH = 1_000;

/** Ids sort by time and stand in keys. What acts on many records adds a suffix of its own. */
const ACTION_ID = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z\.[A-Za-z0-9_-]{1,64}$/;

export function refuse(code: ActRefusal, message: string): Refused {
  return { kind: 'refused', code, message };
}

/** What is wrong with how an act is asked for; undefined where nothing is. */
export function actProblem({ actionId, who, why }: Act): Refused | undefined {
  if (!ACTION_ID.test(actionId)) {
    return refuse(
      'actionIdInvalid',
      `The act's id '${cut(actionId)}' is not an instant and 1 to 64 letters, digits, - or _, such as 2026-11-23T07:00:00.000Z.a1b2. Leave it out to have one made.`,
    );
  }
  return (
    textProblem('whoMissing', 'who does it', who, MAX_WHO_LENGTH) ??
    textProblem('whyMissing', 'why it is done', why, MAX_WHY_LENGTH)
  );
}

function textProblem(code: ActRefusal, what: string, text: string, longest: number): Refused | undefined {
  if (text.trim() !== '' && text.length <= longest && text.isWellFormed()) return undefined;
  const given = text.trim() === '' ? 'nothing' : `${text.length} characters`;
  return refuse(code, `The audit has to say ${what} in 1 to ${longest} characters; ${given} was given. Say it.`);
}

function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** The id of one part of an act that is done in several. */
export function partOf(act: Act, part: string | number): Act {
  return { ...act, actionId: `${act.actionId}.${part}` };
}

/** The audit line of an act on one record. */
export function auditOf(
  act: Act,
  action: ActionKind,
  of: { readonly licenceKey?: string; readonly dimension?: string; readonly hour?: HourStart },
  nowMs: number,
  facts: AuditEntry['facts'],
): AuditEntry {
  const { actionId, who, why } = act;
  const { licenceKey, dimension, hour } = of;
  return {
    actionId,
    at: nowMs,
    who,
    why,
    action,
    ...(licenceKey === undefined ? {} : { licenceKey }),
    ...(dimension === undefined ? {} : { dimension }),
    ...(hour === undefined ? {} : { hour }),
    facts,
  };
}

/** An amendment of the record alone: nothing is carried. */
export function amendTo(after: SealedHour, audit: AuditEntry, advice?: string): Decision {
  const amendment: Amendment = { after, carries: [], onlyInto: 'any', audit };
  return advice === undefined ? { kind: 'amend', amendment } : { kind: 'amend', amendment, advice };
}

/** A record without the members that belong to what it was waiting for. */
export function withoutWaiting({
  reason: _reason,
  nextAttemptAt: _next,
  settledAt: _at,
  ...rest
}: SealedHour): SealedHour {
  return rest;
}

export function instant(atMs: number): string {
  return new Date(atMs).toISOString();
}
