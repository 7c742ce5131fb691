// What AWS asks for in us-east-1, on demand, without any free tier, in dollars. As published in November 2026.

const MILLION = 1_000_000;

/** https://aws.amazon.com/dynamodb/pricing/on-demand/ */
export const WRITE_UNIT = 0.625 / MILLION;
export const READ_UNIT = 0.125 / MILLION;

/** https://aws.amazon.com/lambda/pricing/ (x86) */
export const LAMBDA_REQUEST = 0.2 / MILLION;
export const LAMBDA_GB_SECOND = 0.000_016_666_7;

/** https://aws.amazon.com/api-gateway/pricing/ (REST, first tier) */
export const API_REQUEST = 3.5 / MILLION;

/** https://aws.amazon.com/sqs/pricing/ (FIFO, first tier) */
export const FIFO_REQUEST = 0.5 / MILLION;

/** As AWS counts a month. */
export const HOURS_A_MONTH = 730;
