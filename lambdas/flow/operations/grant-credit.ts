// Reads:       a licence, and the credits of its shard
// Writes:      the credit and its audit line, or neither
// Once per:    action id
// If it stops: the same act, under the same id, is done once
import type { AuditEntry } from '../../domain/amendment.ts';
import { meterKey, SHARD_COUNT, shardOf } from '../../domain/keys.ts';
import type { Credit } from '../../domain/ledger.ts';
import type { Act, Refused } from '../../domain/operations/act.ts';
import { decideCredit } from '../../domain/operations/credit.ts';
import type { LedgerStore, MeterName } from '../ports.ts';
import { type AmendPorts, type Doing, knownAct, surroundingsOf } from './amend-record.ts';

interface CreditPorts extends Pick<AmendPorts, 'customers' | 'products' | 'clock' | 'policy'> {
  readonly ledger: Pick<LedgerStore, 'credits' | 'grantCredit' | 'action'>;
}

export type CreditOutcome =
  | Refused
  | { readonly kind: 'planned' | 'done'; readonly remainingBefore: number; readonly remaining: number }
  | { readonly kind: 'already'; readonly audit: AuditEntry };

/** Bills later hours of a meter less, each down to zero and no further, until the credit is used up. */
export async function grantCredit(
  ports: CreditPorts,
  { licenceKey, dimension }: MeterName,
  quantity: number,
  act: Act,
  doing: Doing = {},
): Promise<CreditOutcome> {
  const known = await knownAct(ports, act, 'credit', { licenceKey, dimension });
  if (known?.kind === 'refused' || known?.kind === 'already') return known;
  const around = await surroundingsOf(ports, licenceKey);
  const open = (await ports.ledger.credits(shardOf(licenceKey))).get(meterKey(licenceKey, dimension));
  const remainingBefore = open ? open.granted - open.applied : 0;
  const decision = decideCredit({ dimension, quantity, remaining: remainingBefore }, act, around);
  if (decision.kind === 'refused') return decision;
  if (doing.dryRun) return { kind: 'planned', remainingBefore, remaining: decision.remaining };
  const granted = await ports.ledger.grantCredit({ licenceKey, dimension }, quantity, decision.audit);
  if (granted === 'already') return { kind: 'already', audit: decision.audit };
  return { kind: 'done', remainingBefore, remaining: decision.remaining };
}

/** The credits that are not used up, of one licence or of all, in no order. */
export async function* openCredits(ports: Pick<CreditPorts, 'ledger'>, licenceKey?: string): AsyncGenerator<Credit> {
  const all = Array.from({ length: SHARD_COUNT }, (_, shard) => shard);
  for (const shard of licenceKey === undefined ? all : [shardOf(licenceKey)]) {
    for (const credit of (await ports.ledger.credits(shard)).values()) {
      if (licenceKey === undefined || credit.licenceKey === licenceKey) yield credit;
    }
  }
}
