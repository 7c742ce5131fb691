// Reads:       pending records of the old stack, and the licences of their buyers
// Writes:      a mark onto each record that is taken, by which the old sender finds it no more; then its usage here
// Once per:    record: the mark, put while the record is pending and as it was judged; usage: an event id of the old key
// If it stops: a marked record is found by its mark, and its usage put into the hour that stands there

import { hourStartMs } from '../../domain/hour.ts';
import type { Licence } from '../../domain/licence.ts';
import type { OldRecord, PendingRecord, TakenRecord } from '../../domain/migration/old-record.ts';
import { takenEventId } from '../../domain/migration/old-record.ts';
import { type Fate, fateOf } from '../../domain/migration/take-over.ts';
import type { Doubt } from '../../domain/migration/untold-sends.ts';
import type { Act } from '../../domain/operations/act.ts';
import { type RecordUsagePorts, recordUsage } from '../record-usage.ts';
import type { Named } from './migrate-buyer.ts';
import type { OldTables } from './old-tables.ts';
import type { MigrationLine, Report } from './report.ts';

export interface TakeOverPorts extends RecordUsagePorts {
  readonly tables: OldTables;
}

export interface TakeOver {
  readonly named: Named;
  readonly doubt: Doubt | undefined;
  /** Absent for a dry run, and where usage is to stay with the old stack. */
  readonly act: Act | undefined;
}

/** Takes one pending record over, or tells why not, or that it would. */
export async function takeOver(
  ports: TakeOverPorts,
  record: PendingRecord,
  { named, doubt, act }: TakeOver,
  report: Report,
): Promise<void> {
  const nowMs = ports.clock();
  const { products, policy, tables } = ports;
  const product = named.kind === 'named' ? named.product : undefined;
  const licence = named.kind === 'named' ? await licenceOf(ports, named, act === undefined, nowMs) : undefined;
  const hour = product?.rehearsal?.until;
  const fate = fateOf(record, { licence, product, cutOverHour: hour, doubt, products, policy, nowMs });
  if (fate.kind !== 'take' || !act || !hour) {
    return tellFate(record, fate, fate.kind === 'take' ? 'wouldTake' : fate.kind, report);
  }
  if (await tables.take(record, { hour, at: nowMs, actionId: act.actionId })) {
    return putTaken(ports, { ...record, kind: 'taken', hour, isAnswered: false }, named, report);
  }
  const stands = await tables.record(record.key);
  if (stands?.kind === 'taken') return putTaken(ports, stands, named, report);
  return tellFate(record, changed(stands), 'refused', report);
}

/** Puts the usage of a record that is marked as ours; what stands already stays. */
export async function putTaken(
  ports: TakeOverPorts,
  { key, amounts, hour, isAnswered }: TakenRecord,
  named: Named,
  report: Report,
): Promise<void> {
  if (named.kind === 'unnamed') {
    return tellFate({ key, amounts }, { kind: 'refused', code: named.code, message: named.message }, 'refused', report);
  }
  const outcomes = await recordUsage(
    ports,
    amounts.map(({ dimension, quantity }, index) => ({
      kind: 'event',
      event: {
        id: takenEventId(key, index),
        subject: { kind: 'licence', name: named.name },
        dimension,
        quantity,
        atMs: hourStartMs(hour),
      },
      received: '',
    })),
  );
  for (const [index, outcome] of outcomes.entries()) {
    const line = lineOf(key, amounts[index]);
    if ('code' in outcome) {
      await report({
        ...line,
        fate: 'refused',
        code: outcome.code,
        message: `It was taken, and then: ${outcome.message}`,
      });
    } else if (isAnswered) {
      const message = `It was taken for ${hour}, and the old sender sent it all the same: AWS may bill it twice. Switch that sender off; grant the units as a credit (records credit).`;
      await report({ ...line, fate: 'twice', code: 'sentAfterTaken', message });
    } else {
      const fate = outcome.outcome === 'recorded' ? 'taken' : 'takenBefore';
      await report({ ...line, fate, code: outcome.outcome, message: `Billed in ${hour}.` });
    }
  }
}

/** In a dry run a buyer who would be made stands as it would. */
async function licenceOf(
  { customers }: TakeOverPorts,
  { licenceKey, product }: Extract<Named, { kind: 'named' }>,
  isDryRun: boolean,
  nowMs: number,
): Promise<Licence | undefined> {
  const known = await customers.licence(licenceKey);
  if (known || !isDryRun) return known;
  const { identityStyle, productCode, pricingModel, meteringRegion } = product;
  const from = { customerId: '', firstSeenAt: nowMs, periods: [{}] };
  return { licenceKey, identityStyle, productCode, pricingModel, meteringRegion, ...from };
}

function changed(stands: OldRecord | undefined): Fate {
  const now =
    stands === undefined ? 'gone' : stands.kind === 'closed' ? 'sent by the old stack' : 'another than it was';
  const message = `The record is ${now} since it was read. Switch the old sender off, and everything that writes there, and run this again.`;
  return { kind: 'refused', code: 'changedMeanwhile', message };
}

async function tellFate(
  { key, amounts }: Pick<PendingRecord, 'key' | 'amounts'>,
  { code, message }: Fate,
  fate: MigrationLine['fate'],
  report: Report,
): Promise<void> {
  const lines = amounts.length === 0 ? [lineOf(key, undefined)] : amounts.map((amount) => lineOf(key, amount));
  for (const line of lines) await report({ ...line, fate, code, message });
}

function lineOf(key: PendingRecord['key'], amount: PendingRecord['amounts'][number] | undefined) {
  return { row: 'record', ...key, ...amount } as const;
}
