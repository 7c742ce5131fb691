// What AWS's own records say it was told of: its log of calls, or its reports to the seller.
import type { HourStart } from '../hour.ts';
import type { SubmittedBy, TrailRecord } from './submitted-usage.ts';

/** How finely a record of AWS tells the time of usage. A day begins at 00:00 UTC. */
export type Grain = 'hour' | 'day';

/** Why an amount of AWS's is not the whole answer. */
export type Remark =
  /** AWS said Success to more than one quantity of one hour; the first is counted. */
  | 'severalQuantities'
  /** AWS metered it in more than one region, and bills each. */
  | 'severalRegions'
  /** AWS holds a record; the calls that are shown do not tell how much. */
  | 'amountUntold'
  /** A call failed at AWS, which does not tell whether it was metered. */
  | 'outcomeUntold';

/** An amount that AWS's record shows for one buyer, dimension and hour or day. */
export interface ReportedUsage extends SubmittedBy {
  readonly agreementId?: string;
  readonly productCode?: string;
  readonly dimension: string;
  /** The hour, or the first hour of the day. */
  readonly hour: HourStart;
  readonly quantity: number;
  readonly remark?: Remark;
}

/** The hour at which the span begins that an hour belongs to. */
export function spanStart(hour: HourStart, grain: Grain): HourStart {
  return grain === 'hour' ? hour : (`${hour.slice(0, 10)}T00` as HourStart);
}

/**
 * What AWS metered by its log of calls: one amount for each buyer, dimension and hour, since AWS keeps the first record
 * and meters a repeat no second time. It does so in each region, so that the amounts of several regions add up.
 */
export function reportedByTrail(records: Iterable<TrailRecord>): ReportedUsage[] {
  const places = Map.groupBy(records, placeOf);
  return [...places.values()].flatMap((calls) => {
    const reported = reportedOf(calls);
    return reported ? [reported] : [];
  });
}

function placeOf({ licenceKey, accountId, dimension, hour }: TrailRecord): string {
  return `${licenceKey ?? accountId}\n${dimension}\n${hour}`;
}

function reportedOf(calls: readonly TrailRecord[]): ReportedUsage | undefined {
  const metered = calls.filter(({ answer }) => answer === 'metered').sort((a, b) => a.at - b.at);
  const records = Map.groupBy(metered, recordOf);
  const quantity = [...records.values()].reduce((sum, [first]) => sum + (first?.quantity ?? 0), 0);
  const remark = remarkOf(calls, [...records.values()]);
  const [first] = calls;
  if (!first || (metered.length === 0 && remark === undefined)) return undefined;
  const { licenceKey, customerIdentifier, accountId, dimension, hour } = first;
  return {
    ...(licenceKey === undefined ? {} : { licenceKey }),
    ...(customerIdentifier === undefined ? {} : { customerIdentifier }),
    ...(accountId === undefined ? {} : { accountId }),
    dimension,
    hour,
    quantity,
    ...(remark === undefined ? {} : { remark }),
  };
}

/** One record of AWS's. Where its log names an account alone, licences of it are told apart by AWS's own id. */
function recordOf({ region, licenceKey, meteringRecordId = '' }: TrailRecord): string {
  return licenceKey === undefined ? `${region}\n${meteringRecordId}` : region;
}

function remarkOf(calls: readonly TrailRecord[], records: readonly (readonly TrailRecord[])[]): Remark | undefined {
  if (new Set(records.flat().map(({ region }) => region)).size > 1) return 'severalRegions';
  if (records.some((record) => new Set(record.map(({ quantity }) => quantity)).size > 1)) return 'severalQuantities';
  if (records.length > 0) return undefined;
  if (calls.some(({ answer }) => answer === 'duplicate')) return 'amountUntold';
  return calls.some(({ answer }) => answer === 'unknown') ? 'outcomeUntold' : undefined;
}
