// Cutting sealed hours into calls: full batches across customers, soonest deadline first, the same cut every time.
import type { SealedHour } from './ledger.ts';
import { MAX_CALL_BYTES, MAX_RECORDS_PER_CALL } from './marketplace-limits.ts';
import type { IdentityStyle } from './product.ts';

/** What one call may hold: records of one product, one identity style and one region. */
export interface MeteringBatch {
  readonly productCode: string;
  readonly identityStyle: IdentityStyle;
  readonly meteringRegion: string;
  readonly records: readonly SealedHour[];
}

interface CutRules {
  readonly nowMs: number;
  /** How long a batch that is not full waits for more records of the same close. */
  readonly lingerMs: number;
}

/** A batch that is not full leaves at once when less than this is left to its first deadline. */
const URGENT_MS = 2 * 3_600_000;

/**
 * Cuts open records into calls. A last batch that is not full waits for company until nothing has been sealed for
 * `lingerMs`, so that a close that is still running does not cost half-empty calls; urgent ones never wait.
 */
export function cutBatches(records: readonly SealedHour[], rules: CutRules): MeteringBatch[] {
  const groups = new Map<string, SealedHour[]>();
  for (const record of [...records].sort(byDeadline)) {
    const key = `${record.productCode}\n${record.identityStyle}\n${record.meteringRegion}`;
    const group = groups.get(key);
    if (group) group.push(record);
    else groups.set(key, [record]);
  }
  return [...groups.values()].flatMap((group) => cutGroup(group, rules)).sort((a, b) => deadline(a) - deadline(b));
}

function cutGroup(group: readonly SealedHour[], rules: CutRules): MeteringBatch[] {
  const batches: MeteringBatch[] = [];
  let records: SealedHour[] = [];
  let bytes = 0;
  const flush = () => {
    const [first] = records;
    if (first) {
      const { productCode, identityStyle, meteringRegion } = first;
      batches.push({ productCode, identityStyle, meteringRegion, records });
    }
    records = [];
    bytes = 0;
  };
  for (const record of group) {
    const size = recordBytes(record);
    if (records.length === MAX_RECORDS_PER_CALL || bytes + size > MAX_CALL_BYTES) flush();
    records.push(record);
    bytes += size;
  }
  if (records.length === MAX_RECORDS_PER_CALL || mayLeave(records, rules)) flush();
  return batches;
}

function mayLeave(records: readonly SealedHour[], { nowMs, lingerMs }: CutRules): boolean {
  return records.some((record) => record.deadlineAt - nowMs < URGENT_MS || nowMs - record.sealedAt >= 5 * lingerMs)
    ? true
    : records.every((record) => nowMs - record.sealedAt >= lingerMs);
}

function byDeadline(a: SealedHour, b: SealedHour): number {
  return a.deadlineAt - b.deadlineAt || compare(identityOf(a), identityOf(b));
}

function deadline(batch: MeteringBatch): number {
  return batch.records[0]?.deadlineAt ?? 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Names a sealed hour: licence, dimension and hour, the key by which AWS removes duplicates. */
export function identityOf(sealed: Pick<SealedHour, 'hour' | 'licenceKey' | 'dimension'>): string {
  return `${sealed.hour} ${sealed.licenceKey} ${sealed.dimension}`;
}

/** The size of a record on the wire, over-estimated: JSON of ours is longer than AWS's by its member names. */
function recordBytes({ record }: SealedHour): number {
  const allocations = record.allocations?.reduce(
    (sum, { tags }) => sum + 60 + tags.reduce((size, [key, value]) => size + key.length + value.length + 30, 0),
    0,
  );
  return 260 + Buffer.byteLength(JSON.stringify({ ...record, allocations: undefined })) + (allocations ?? 0);
}

/** The two halves of a batch that AWS refused as a whole, to find the record at fault. */
export function halves(batch: MeteringBatch): readonly MeteringBatch[] {
  const middle = Math.ceil(batch.records.length / 2);
  return [batch.records.slice(0, middle), batch.records.slice(middle)].map((records) => ({ ...batch, records }));
}
