// Reads:       what AWS has refused, what needs a person, a page each; of these and of what is short of time, the records
// Writes:      nothing
// Once per:    question: three reads
// If it stops: ask again
import { type AttentionEntry, type AttentionKind, type AttentionPart, entryOf } from '../../domain/attention.ts';
import { HOUR_MS, MINUTE_MS } from '../../domain/hour.ts';
import type { RecordStatus, SealedHour } from '../../domain/ledger.ts';
import { placeOf } from '../live-lists.ts';
import { type LedgerStore, type LiveRecord, REFERENCES_PER_LONG_PAGE } from '../ports.ts';
import type { Background } from '../read-ports.ts';
import { firstPage } from './first-page.ts';

interface TroublePorts {
  readonly ledger: Pick<LedgerStore, 'refused' | 'attention' | 'records'>;
  /** Hours before its deadline from which an open record is told of. */
  readonly usageWarningHours: readonly number[];
}

type UsageKind = Extract<
  AttentionKind,
  'held' | 'quarantined' | 'aboutToExpire' | 'disputed' | 'presumed' | 'uncertain' | 'expired' | 'heldLate'
>;

const REFUSED_KINDS: readonly UsageKind[] = ['held', 'quarantined'];
const SETTLED_KINDS: readonly UsageKind[] = ['disputed', 'presumed', 'uncertain', 'expired', 'heldLate'];

/** Before that, the sender has hardly had its usual tries. */
const SENDERS_TIME_MS = 15 * MINUTE_MS;
/** As many records are read at once. */
const RECORDS_SHOWN = 100;

/** Usage that AWS does not take, has lost or may soon take no more: the most urgent of each kind, as they stand now. */
export async function usageInTrouble(
  ports: TroublePorts,
  background: Promise<Background>,
  nowMs: number,
): Promise<AttentionPart> {
  const [refused, settled, { shortOfTime }] = await Promise.all([
    firstPage((skip) => ports.ledger.refused(skip), REFERENCES_PER_LONG_PAGE),
    firstPage((skip) => ports.ledger.attention(skip), REFERENCES_PER_LONG_PAGE),
    background,
  ]);
  const warnMs = warnMsOf(ports);
  const byKind = new Map<UsageKind, LiveRecord[]>();
  const listed = new Set<string>();
  const list = (reference: LiveRecord, kind: UsageKind | undefined) => {
    // What has moved since the background was read stands in two lists.
    if (kind === undefined || listed.has(placeOf(reference))) return;
    listed.add(placeOf(reference));
    byKind.set(kind, [...(byKind.get(kind) ?? []), reference]);
  };
  const kindNow = ({ status, deadlineAt }: LiveRecord) => kindOf(status, deadlineAt - nowMs, warnMs);
  for (const reference of settled.references) list(reference, kindNow(reference) ?? 'heldLate');
  for (const reference of [...refused.references, ...shortOfTime.references]) list(reference, kindNow(reference));
  const { entries, notInTrouble } = await shownOf(ports, byKind, nowMs);
  const unnamed = shortOfTime.count - shortOfTime.references.length;
  const counts = [...byKind].map(([kind, references]) => {
    const more = kind === 'aboutToExpire' ? unnamed : 0;
    return [kind, references.length + more - (notInTrouble.get(kind) ?? 0)] as const;
  });
  const cut: readonly AttentionKind[] = [
    ...(refused.isFull ? REFUSED_KINDS : []),
    ...(settled.isFull ? SETTLED_KINDS : []),
    ...(shortOfTime.isPartial ? (['aboutToExpire'] as const) : []),
  ];
  return { entries, counts: new Map(counts), partial: new Set(cut) };
}

/** What its status says of a record; nothing where it is in no trouble, or only for the late usage that it holds. */
function kindOf(status: RecordStatus, leftMs: number, warnMs: number): UsageKind | undefined {
  switch (status) {
    case 'held':
    case 'quarantined':
    case 'disputed':
    case 'presumed':
    case 'uncertain':
    case 'expired':
      return status;
    case 'open':
      return leftMs <= warnMs ? 'aboutToExpire' : undefined;
    case 'honoured':
    case 'withheld':
    case 'carried':
      return undefined;
  }
}

/** Reads the most urgent of each kind in turn; some turn out to be in no trouble, or no more. */
async function shownOf(ports: TroublePorts, byKind: ReadonlyMap<UsageKind, LiveRecord[]>, nowMs: number) {
  // What runs out next, and what ran out last.
  const farness = ({ deadlineAt }: LiveRecord) => Math.abs(deadlineAt - nowMs);
  for (const references of byKind.values()) references.sort((one, other) => farness(one) - farness(other));
  const chosen = new Map<string, { readonly reference: LiveRecord; readonly kind: UsageKind }>();
  const longest = Math.max(0, ...[...byKind.values()].map(({ length }) => length));
  for (let turn = 0; turn < longest && chosen.size < RECORDS_SHOWN; turn++) {
    for (const [kind, references] of byKind) {
      const reference = references[turn];
      if (reference && chosen.size < RECORDS_SHOWN) chosen.set(placeOf(reference), { reference, kind });
    }
  }
  const references = [...chosen.values()].map(({ reference }) => reference);
  const records = references.length === 0 ? [] : await ports.ledger.records(references, () => {});
  const entries = records.flatMap((record) => entriesOf(record, nowMs, warnMsOf(ports)));
  const notInTrouble = new Map<UsageKind, number>();
  for (const kind of byKind.keys()) {
    const asked = [...chosen.values()].filter((each) => each.kind === kind).length;
    notInTrouble.set(kind, Math.max(0, asked - entries.filter((entry) => entry.kind === kind).length));
  }
  return { entries, notInTrouble };
}

/** The record as it stands now: the index lags a little, and carries no amounts. */
function entriesOf(record: SealedHour, nowMs: number, warnMs: number): AttentionEntry[] {
  const { hour, licenceKey, dimension, customerId, productCode, status, reason, deadlineAt, heldLate } = record;
  const timeLeftMs = deadlineAt - nowMs;
  const own = kindOf(status, timeLeftMs, warnMs);
  // What was just sealed is about to be sent, however short its time.
  const isBeingSent = own === 'aboutToExpire' && nowMs - record.sealedAt < SENDERS_TIME_MS;
  const quantity = record.settledQuantity ?? record.record.quantity;
  const of = { customerId, productCode, licenceKey, dimension, hour, status, deadlineAt, timeLeftMs };
  const entries: AttentionEntry[] = [];
  if (own && quantity > 0 && !isBeingSent) {
    entries.push(
      entryOf(own, {
        ...of,
        units: quantity,
        since: record.settledAt ?? record.sealedAt,
        ...(reason === undefined ? {} : { reason }),
      }),
    );
  }
  if (heldLate > 0 && record.rehearsal === undefined) {
    entries.push(entryOf('heldLate', { ...of, units: heldLate, reason: record.heldReasons.join(', ') }));
  }
  return entries;
}

function warnMsOf({ usageWarningHours }: Pick<TroublePorts, 'usageWarningHours'>): number {
  return Math.max(0, ...usageWarningHours) * HOUR_MS;
}
