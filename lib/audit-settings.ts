// The setting `audit`: how long the audit trail is locked, and how hard.
import * as v from 'valibot';

const YEAR_DAYS = 365;

export const AuditSettingsSchema = v.strictObject({
  /** A year and a little at least; what is locked can't be removed before, so that a long time is a promise to pay. */
  retentionDays: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(YEAR_DAYS, `has to be ${YEAR_DAYS} or more`),
      v.maxValue(10 * YEAR_DAYS, `has to be ${10 * YEAR_DAYS} or less`),
    ),
    400,
  ),
  lock: v.optional(v.picklist(['governance', 'compliance'], 'has to be "governance" or "compliance"'), 'governance'),
});
