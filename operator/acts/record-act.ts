// What all acts on one sealed hour have in common: how it is named, and how its change is told.
import type { Carry, SealedHour } from '../../lambdas/domain/ledger.ts';
import { standingQuantity } from '../../lambdas/domain/ledger.ts';
import type { Act } from '../../lambdas/domain/operations/act.ts';
import type { ActOutcome } from '../../lambdas/flow/operations/amend-record.ts';
import type { ActAnswer, Change, Done } from './act.ts';
import { hourField, licenceField, textField } from './field.ts';

export const RECORD_FIELDS = {
  hour: hourField('the hour of the record, UTC'),
  licenceKey: licenceField('the licence: its key, or its ARN'),
  dimension: textField('the dimension, by its API name', 'requests'),
};

export interface Telling {
  readonly summary: (before: SealedHour, after: SealedHour, carries: readonly Carry[]) => string;
  /** Words to repeat before it is done; absent where it can be undone. */
  readonly confirmation?: (before: SealedHour, after: SealedHour, carries: readonly Carry[]) => string;
  readonly notes?: readonly string[];
}

/** What an act on a record came to, as both the CLI and the console tell it. */
export function toldOf(outcome: ActOutcome, act: Act, telling: Telling): ActAnswer {
  switch (outcome.kind) {
    case 'refused':
      return outcome;
    case 'already':
      return alreadyDone(outcome.audit, telling.notes);
    case 'planned':
    case 'done': {
      const { before, after, carries, advice } = outcome;
      const told = {
        summary: telling.summary(before, after, carries),
        changes: [...changesOf(before, after), ...carries.map(changeOfCarry)],
        notes: [...(telling.notes ?? []), ...(advice === undefined ? [] : [advice])],
      };
      if (outcome.kind === 'done') return { kind: 'done', actionId: act.actionId, ...told };
      const confirmation = telling.confirmation?.(before, after, carries);
      return { kind: 'planned', ...told, ...(confirmation === undefined ? {} : { confirmation }) };
    }
  }
}

interface KnownLine {
  readonly actionId: string;
  readonly at: number;
  readonly who: string;
}

export function alreadyDone({ actionId, at, who }: KnownLine, notes: readonly string[] = []): Done {
  const summary = `This was done before, on ${new Date(at).toISOString()} by ${who}; nothing was changed.`;
  return { kind: 'already', actionId, summary, changes: [], notes };
}

/** What of a record differs, by the words that people use for it. */
function changesOf(before: SealedHour, after: SealedHour): Change[] {
  const [one, other] = [membersOf(before), membersOf(after)];
  return Object.keys(one).flatMap((what) => {
    const [was, is] = [one[what] ?? '', other[what] ?? ''];
    return was === is ? [] : [{ what, before: was, after: is }];
  });
}

function membersOf(record: SealedHour): Record<string, string | number> {
  return {
    status: record.status,
    reason: record.reason ?? '',
    'units in the record': record.record.quantity,
    'units taken as billed or to bill': standingQuantity(record),
    'units carried out': record.carriedOut,
    'units held late': record.heldLate,
    'units withheld': record.withheldQuantity ?? 0,
    'units credited': record.creditedQuantity ?? 0,
  };
}

function changeOfCarry({ hour, quantity }: Carry): Change {
  return { what: `units carried into ${hour}`, before: 0, after: quantity };
}
