// What AWS Marketplace allows software that runs in the buyer's account, each number with its unit and source.
import { HOUR_MS } from '../lambdas/domain/hour.ts';

export { CALL_TIMEOUT_MS, MAX_QUANTITY } from '../lambdas/domain/marketplace-limits.ts';

/** MeterUsage API reference: a record is refused six hours and more after its hour has begun. */
export const CONTAINER_WINDOW_MS = 6 * HOUR_MS;

/** Seller guide, custom metering of AMI products: software may stop serving after two hours of failures, no sooner. */
export const PATIENCE_MS = 2 * HOUR_MS;
