// What the money views need besides the ports of the reads.
import type { Money } from '../domain/money.ts';

/** What AWS bills a unit of a dimension at, in US dollars: known to the seller and to AWS, not to any API of metering. */
export interface Price {
  readonly productCode: string;
  readonly dimension: string;
  readonly amount: Money;
  /** Counts the prices that the dimension has had; two acts at once may have made the same count. */
  readonly version: number;
  /** The act that set it. */
  readonly actionId: string;
}

export interface PriceStore {
  /** Every price that was set. One query. */
  prices(): Promise<readonly Price[]>;
  /** Once per act. What has a later version stays, and of two of one version the later id: false is answered. */
  setPrice(price: Price): Promise<boolean>;
}
