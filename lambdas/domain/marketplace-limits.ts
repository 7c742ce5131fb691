// What AWS Marketplace allows, each number with its unit and where AWS states it.
import { HOUR_MS, SECOND_MS } from './hour.ts';

/** BatchMeterUsage API reference: `UsageRecords` holds 0 to 25. */
export const MAX_RECORDS_PER_CALL = 25;

/** BatchMeterUsage API reference: a request stays under 1 MB, keys counted. A tenth is left for framing. */
export const MAX_CALL_BYTES = 900_000;

/** `UsageQuantity` in the API model: a 32-bit signed whole number, 0 or more. */
export const MAX_QUANTITY = 2_147_483_647;

/** `UsageAllocations` in the API model: 1 to 2,500 in one record. */
export const MAX_ALLOCATIONS = 2_500;

/** `TagList` in the API model; the guide also says five over the whole list. */
export const MAX_TAGS = 5;
export const MAX_TAG_KEY_LENGTH = 100;
export const MAX_TAG_VALUE_LENGTH = 256;

/** `UsageDimension` in the API model. */
export const MAX_DIMENSION_LENGTH = 255;

/** Seller guide, metering for usage: a record is refused 24 hours and more after its event. */
export const METERING_WINDOW_MS = 24 * HOUR_MS;

/** BatchMeterUsage API reference: usage of a month is taken until 06:00 UTC on the first of the next. */
export const MONTH_CUT_OFF_MS = 6 * HOUR_MS;

/** Seller guide, SaaS EventBridge integration: usage is taken for an hour after License Deprovisioned. */
export const FINAL_WINDOW_MS = HOUR_MS;

/** Developer guide, metering service quotas: BatchMeterUsage calls a second per account and region. */
export const CALLS_PER_SECOND = 10;

/** How long one BatchMeterUsage call may take before its outcome counts as unknown. Ours: AWS states none. */
export const CALL_TIMEOUT_MS = 20 * SECOND_MS;
