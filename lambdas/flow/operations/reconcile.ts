// Reads:       the ledger of a range of hours, every licence, and AWS's own record as handed in
// Writes:      nothing
// Once per:    buyer, dimension and hour, or day where AWS's record tells no hour
// If it stops: nothing is left behind
import { addHours, type HourStart } from '../../domain/hour.ts';
import type { RecordStatus, SealedHour } from '../../domain/ledger.ts';
import type { Refused } from '../../domain/operations/act.ts';
import { type ComparedAmount, type Comparison, compareAmounts, placeOf } from '../../domain/operations/compare.ts';
import { adviceOf, onTheirWay, type ReconciledLine, takenToBeAtAws } from '../../domain/operations/reconcile.ts';
import { type Grain, type Remark, type ReportedUsage, spanStart } from '../../domain/operations/reported-usage.ts';
import type { CustomerStore, LedgerStore } from '../ports.ts';
import { BuyerDirectory } from './buyer-directory.ts';
import { type HourRange, rangeProblem, sealedHoursOf } from './ledger-range.ts';

interface ReconcilePorts {
  readonly ledger: Pick<LedgerStore, 'entries'>;
  readonly customers: Pick<CustomerStore, 'licencesOfShard'>;
}

interface ReconcileTerms {
  /** Hours of usage; whole days where AWS's record tells days. */
  readonly range: HourRange;
  readonly grain: Grain;
  readonly reported: readonly ReportedUsage[];
  /** Only this product's side of the ledger, where AWS's record is of one product alone. */
  readonly productCode?: string;
}

/** One hour or day, beside AWS's record of it. */
export interface ReconciledSpan {
  readonly start: HourStart;
  readonly lines: readonly ReconciledLine[];
  readonly totals: Comparison['totals'];
  /** Units of the ledger that are not settled yet, of which AWS's record may know nothing. */
  readonly unitsOnTheirWay: number;
}

type ReconcileOutcome =
  | Refused
  | { readonly kind: 'reconciling'; readonly spans: AsyncGenerator<ReconciledSpan>; readonly outsideRange: number };

const MOST_HOURS = 744;

/**
 * The ledger beside AWS's own record, span by span in order of time; memory holds AWS's record and one span. What the
 * ledger holds to be at AWS is compared; what is on its way counts apart, and shows where AWS has it nevertheless.
 */
export async function reconcile(ports: ReconcilePorts, terms: ReconcileTerms): Promise<ReconcileOutcome> {
  const problem = rangeProblem(terms.range, MOST_HOURS);
  if (problem) return problem;
  const { first, end, dimension } = terms.range;
  const within = terms.reported.filter(
    (usage) => usage.hour >= first && usage.hour < end && (dimension ?? usage.dimension) === usage.dimension,
  );
  const directory = await BuyerDirectory.read(ports.customers, within);
  const outsideRange = terms.reported.length - within.length;
  return { kind: 'reconciling', spans: spansOf(ports, { ...terms, reported: within }, directory), outsideRange };
}

async function* spansOf(
  { ledger }: ReconcilePorts,
  { range, grain, reported, productCode }: ReconcileTerms,
  directory: BuyerDirectory,
): AsyncGenerator<ReconciledSpan> {
  const byStart = Map.groupBy(reported, ({ hour }) => spanStart(hour, grain));
  let start = range.first;
  while (start < range.end) {
    const after = grain === 'hour' ? addHours(start, 1) : addHours(spanStart(start, 'day'), 24);
    const end = after < range.end ? after : range.end;
    const here = new LedgerSide(directory, spanStart(start, grain));
    for await (const sealed of sealedHoursOf(ledger, { ...range, first: start, end })) {
      if (productCode === undefined || sealed.productCode === productCode) here.add(sealed);
    }
    yield here.beside(byStart.get(spanStart(start, grain)) ?? []);
    start = end;
  }
}

/** What the ledger says of one span. */
class LedgerSide {
  readonly #directory: BuyerDirectory;
  readonly #start: HourStart;
  readonly #amounts: ComparedAmount[] = [];
  readonly #statuses = new Map<string, Partial<Record<RecordStatus, number>>>();
  #unitsOnTheirWay = 0;

  constructor(directory: BuyerDirectory, start: HourStart) {
    this.#directory = directory;
    this.#start = start;
  }

  add(sealed: SealedHour): void {
    const { customerId, dimension, status, record } = sealed;
    const place = { customer: this.#directory.whoIsCustomer(customerId), dimension, hour: this.#start };
    this.#amounts.push({ ...place, quantity: takenToBeAtAws(sealed) });
    this.#unitsOnTheirWay += onTheirWay(sealed);
    if (record.quantity === 0 || sealed.rehearsal) return;
    const key = placeOf(place);
    const statuses = this.#statuses.get(key) ?? {};
    statuses[status] = (statuses[status] ?? 0) + record.quantity;
    this.#statuses.set(key, statuses);
  }

  beside(reported: readonly ReportedUsage[]): ReconciledSpan {
    const remarks = new Map<string, Remark>();
    const there = reported.map((usage) => {
      const { dimension, quantity, remark } = usage;
      const place = { customer: this.#directory.whoIs(usage), dimension, hour: this.#start };
      if (remark !== undefined) remarks.set(placeOf(place), remark);
      return { ...place, quantity };
    });
    const { differences, totals } = compareAmounts(this.#amounts, there);
    const lines = differences.map((line) => {
      const key = placeOf(line);
      const [statuses, remark] = [this.#statuses.get(key) ?? {}, remarks.get(key)];
      const advice = adviceOf(line, statuses, remark);
      return { ...line, statuses, ...(remark === undefined ? {} : { remark }), advice };
    });
    return { start: this.#start, lines, totals, unitsOnTheirWay: this.#unitsOnTheirWay };
  }
}
