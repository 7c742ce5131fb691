// The ledger beside AWS's own record: what each difference means, and what to do about it.
import { type RecordStatus, type SealedHour, standingQuantity } from '../ledger.ts';
import type { ComparedLine } from './compare.ts';
import type { Remark } from './reported-usage.ts';

/** A difference, with what the ledger says of the place. */
export interface ReconciledLine extends ComparedLine {
  /** Units of sealed hours at the place, by their status. */
  readonly statuses: Readonly<Partial<Record<RecordStatus, number>>>;
  readonly remark?: Remark;
  readonly advice: string;
}

/** The units of a sealed hour that AWS is taken to hold, by the ledger. */
export function takenToBeAtAws(sealed: SealedHour): number {
  if (sealed.rehearsal) return 0;
  return sealed.status === 'honoured' || sealed.status === 'presumed' ? standingQuantity(sealed) : 0;
}

/** The units of a sealed hour that are on their way to AWS, or wait for a person. */
export function onTheirWay({ status, rehearsal, record }: SealedHour): number {
  if (rehearsal) return 0;
  switch (status) {
    case 'open':
    case 'held':
    case 'quarantined':
    case 'uncertain':
      return record.quantity;
    case 'honoured':
    case 'presumed':
    case 'disputed':
    case 'withheld':
    case 'expired':
    case 'carried':
      return 0;
  }
}

/** What to do about a difference, most urgent cause first. */
export function adviceOf(line: ComparedLine, statuses: ReconciledLine['statuses'], remark: Remark | undefined): string {
  const has = (status: RecordStatus) => (statuses[status] ?? 0) > 0;
  if (remark === 'severalRegions') {
    return 'AWS metered it in more than one region and bills each: stop whoever meters elsewhere, and ask AWS to refund.';
  }
  if (remark === 'severalQuantities') return 'AWS said Success to more than one quantity: ask AWS which it bills.';
  if (remark === 'amountUntold') return 'AWS holds a record, and these calls do not tell how much: read earlier ones.';
  if (remark === 'outcomeUntold') return 'A call failed at AWS: only its reports tell whether it was metered.';
  if (has('disputed')) return 'Settle the dispute with what AWS holds: ledger settle.';
  if (has('uncertain')) return 'AWS answers what the ledger waits for: ledger confirm.';
  if (has('presumed')) return 'The ledger presumed what AWS holds: ledger confirm.';
  switch (line.kind) {
    case 'onlyThere':
      return Object.keys(statuses).length === 0
        ? 'The ledger knows nothing of it: find who else meters this buyer.'
        : 'AWS holds what the ledger takes for unsent: find who else meters this buyer, before it is sent.';
    case 'onlyHere':
      return "AWS's record shows none of it: make sure that it covers the time of the calls, then ask AWS.";
    case 'different':
      return line.here > line.there
        ? 'AWS holds less than it answered Success to: ask AWS, with the metering record ids (ledger explain).'
        : 'AWS holds more than the ledger sent: find who else meters this buyer; a credit makes good for it.';
  }
}
