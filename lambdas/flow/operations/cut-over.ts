// Reads:       the buyer's licences, and what stands under the new one in the hours that could still be billed
// Writes:      the hour onto both licences and the new one onto the customer, in one transaction; then the audit line
// Once per:    pair of licences; the line once per action id
// If it stops: the same act answers "already" and writes the line
import { addHours, type HourStart, hourOf, hoursBetween } from '../../domain/hour.ts';
import { shardOf } from '../../domain/keys.ts';
import type { Licence } from '../../domain/licence.ts';
import { licenceKeyOf } from '../../domain/licence.ts';
import { type Act, type Refused, refuse } from '../../domain/operations/act.ts';
import { type CutOverWanted, decideCutOver } from '../../domain/operations/cut-over.ts';
import type { CustomerStore, LedgerStore, UsageStore } from '../ports.ts';
import { type Doing, knownAct } from './amend-record.ts';

interface CutOverPorts {
  readonly customers: Pick<CustomerStore, 'licence' | 'noteCutOver'>;
  readonly ledger: Pick<LedgerStore, 'entries' | 'action' | 'noteAction'>;
  readonly usage: Pick<UsageStore, 'rows'>;
  readonly clock: () => number;
}

export type CutOverOutcome =
  | Refused
  | { readonly kind: 'planned' | 'done'; readonly legacy: Licence; readonly licence: Licence }
  | { readonly kind: 'already'; readonly hour: HourStart };

/** How far back usage could still be billed under the licence: a day, and an hour for what lies ahead of our clock. */
const HOURS_BACK = 25;

/** Ends the metering of a buyer by customer identifier at a whole hour, and begins it by licence, so that no hour is both. */
export async function cutOver(
  ports: CutOverPorts,
  wanted: CutOverWanted,
  act: Act,
  doing: Doing = {},
): Promise<CutOverOutcome> {
  const { customers, ledger, clock } = ports;
  const licenceKey = licenceKeyOf({ style: 'licence', licenceArn: wanted.licenceArn });
  const known = await knownAct(ports, act, 'cutOver', { licenceKey: wanted.legacyKey, hour: wanted.hour });
  if (known?.kind === 'refused') return known;
  const nowMs = clock();
  const standing = {
    legacy: await customers.licence(wanted.legacyKey),
    licence: await customers.licence(licenceKey),
    isMetered: await isMetered(ports, licenceKey, nowMs),
  };
  const decision = decideCutOver(wanted, standing, act, nowMs);
  if (decision.kind === 'refused') return decision;
  if (decision.kind === 'already') {
    if (!doing.dryRun) await ledger.noteAction(decision.audit);
    return { kind: 'already', hour: wanted.hour };
  }
  const { legacy, licence, audit } = decision;
  if (doing.dryRun) return { kind: 'planned', legacy, licence };
  if ((await customers.noteCutOver(legacy, licence)) === 'moved') {
    return refuse(
      'moved',
      'One of the licences, or its customer, changed meanwhile. Nothing was written; do it again.',
    );
  }
  await ledger.noteAction(audit);
  return { kind: 'done', legacy, licence };
}

async function isMetered({ ledger, usage }: CutOverPorts, licenceKey: string, nowMs: number): Promise<boolean> {
  const shard = shardOf(licenceKey);
  const running = hourOf(nowMs);
  for (const hour of hoursBetween(addHours(running, -HOURS_BACK), addHours(running, 2))) {
    for await (const page of ledger.entries(hour, shard, licenceKey)) if (page.length > 0) return true;
    for await (const page of usage.rows(hour, shard, { licenceKey })) if (page.length > 0) return true;
  }
  return false;
}
