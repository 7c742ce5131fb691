// The setting `removal`: whether the tables may go with their stack. It has to be asked for twice.
import * as v from 'valibot';

export const RemovalSettingsSchema = v.strictObject({
  billingData: v.optional(v.picklist(['keep', 'delete'], 'has to be "keep" or "delete"'), 'keep'),
  /** The name of the stage, typed again. */
  confirmStage: v.exactOptional(v.string()),
});

type RemovalSettings = v.InferOutput<typeof RemovalSettingsSchema>;

interface Asked {
  readonly stage: string;
  readonly removal: RemovalSettings;
}

/** Only where both members ask for it: either one alone changes nothing. */
export function deletesBillingData({ stage, removal }: Asked): boolean {
  return removal.billingData === 'delete' && removal.confirmStage === stage;
}

/** What no member can know by itself; a sentence each. */
export function removalProblems({ stage, removal: { confirmStage } }: Asked): string[] {
  if (confirmStage === undefined || confirmStage === stage) return [];
  return [`removal.confirmStage: the stage is ${stage}, not ${confirmStage}: whose data is to be deleted?`];
}
