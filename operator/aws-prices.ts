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

/** A month and GB each: https://aws.amazon.com/dynamodb/pricing/on-demand/ (tables, and backups to any second) */
export const STORED_GB = 0.25;
export const RECOVERABLE_GB = 0.2;

/** https://aws.amazon.com/cloudwatch/pricing/ (logs taken in; an alarm, a metric, a dashboard a month) */
export const LOGGED_GB = 0.5;
export const ALARM = 0.1;
export const METRIC = 0.3;
export const DASHBOARD = 3;

/** https://aws.amazon.com/waf/pricing/ (a web ACL, and a rule, a month) */
export const WEB_ACL = 5;
export const WEB_ACL_RULE = 1;

/** https://aws.amazon.com/secrets-manager/pricing/ (a month) */
export const SECRET = 0.4;
