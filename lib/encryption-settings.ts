// The setting `encryption`: a key of the seller's account in place of those of AWS.
import * as v from 'valibot';

const KEY_ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/(mrk-)?[0-9a-f-]{32,36}$/;

const OF_A_KEY = 'the ARN of a key of KMS (arn:aws:kms:<region>:<account>:key/<id>), and not of an alias';

export const EncryptionSettingsSchema = v.strictObject({
  /** `create` makes one in each region; an ARN names one of the home region, whose policy stays with the seller. */
  customerManagedKey: v.pipe(
    v.string(),
    v.check((choice) => choice === 'create' || KEY_ARN.test(choice), `has to be "create", or ${OF_A_KEY}`),
  ),
  /** The same where AWS's notices come in and are handed on, if that is elsewhere. */
  noticeKeyArn: v.exactOptional(v.pipe(v.string(), v.regex(KEY_ARN, `has to be ${OF_A_KEY}`))),
  /** Gives leave to use the key and encrypts nothing by it yet: for the first of two steps. */
  prepareOnly: v.optional(v.boolean(), false),
});

export type EncryptionSettings = v.InferOutput<typeof EncryptionSettingsSchema>;

/** What no member can know by itself; a sentence each. */
export function encryptionProblems(
  { customerManagedKey, noticeKeyArn }: EncryptionSettings,
  where: { readonly homeRegion: string; readonly noticeRegion: string; readonly isHandedOn: boolean },
): string[] {
  const regionOf = (arn: string) => arn.split(':')[3];
  const problems: string[] = [];
  if (customerManagedKey === 'create') {
    if (noticeKeyArn !== undefined) problems.push('noticeKeyArn: leave it out where keys are created');
    return problems;
  }
  if (regionOf(customerManagedKey) !== where.homeRegion) {
    problems.push(`customerManagedKey: the key has to be in ${where.homeRegion}, where everything is kept`);
  }
  if (where.isHandedOn && noticeKeyArn === undefined) {
    problems.push(`noticeKeyArn is missing: name a key in ${where.noticeRegion}, where AWS’s notices are handed on`);
  }
  if (!where.isHandedOn && noticeKeyArn !== undefined) {
    problems.push('noticeKeyArn: leave it out where AWS’s notices come in at home');
  }
  if (noticeKeyArn !== undefined && regionOf(noticeKeyArn) !== where.noticeRegion) {
    problems.push(`noticeKeyArn: the key has to be in ${where.noticeRegion}`);
  }
  return problems;
}
