// The points that AWS's texts leave open: each is a switch, so that a seller can test against every reading.

/** For each switch of a fixed choice, its values; the first is the default. Reasons stand in README.md. */
const CHOICES = {
  identicalResend: ['Success', 'DuplicateRecord'],
  resendAfterEnd: ['CustomerNotSubscribed', 'asResend'],
  windowEdge: ['exact', 'floorHour'],
  licenceStart: ['agreementStart', 'provisioned'],
  beforeLicenceStart: ['InvalidLicenseException', 'CustomerNotSubscribed', 'accept'],
  afterLicenceEnd: ['InvalidLicenseException', 'CustomerNotSubscribed', 'accept'],
  afterFinalHour: ['CustomerNotSubscribed', 'InvalidLicenseException'],
  finalHourOpensAt: ['deprovisioned', 'ended'],
  productCodeWithLicence: ['refuse', 'accept'],
  unknownCustomer: ['InvalidCustomerIdentifierException', 'CustomerNotSubscribed'],
  tagLimit: ['perRecord', 'perAllocation'],
  contractMetering: ['InvalidLicenseException', 'CustomerNotSubscribed', 'InvalidUsageDimensionException'],
  renewalLicence: ['new', 'same'],
  futureDatedCreated: ['start', 'acceptance'],
  emptyEntitlementPage: ['never', 'first'],
} as const;

type Choices = typeof CHOICES;

export type Switches = { readonly [Name in keyof Choices]: Choices[Name][number] } & {
  /** How far ahead of the world's clock a timestamp may lie, in seconds. */
  readonly futureToleranceSeconds: number;
  /** Whether a second ResolveCustomer with the same token is refused. */
  readonly tokenSingleUse: boolean;
  /** From a licence's beginning or change to the notice of it, in seconds. */
  readonly licenceNoticeAfterSeconds: number;
  /** From an agreement's end to the end of its licence, in seconds, where the action names no other time. */
  readonly revokeAfterSeconds: number;
};

const DAY_SECONDS = 86_400;
const SECONDS = ['futureToleranceSeconds', 'licenceNoticeAfterSeconds', 'revokeAfterSeconds'];

/** Where AWS's own reference speaks, it wins over other sources; where nothing speaks, the stricter reading. */
export const DEFAULT_SWITCHES: Switches = {
  identicalResend: 'Success',
  resendAfterEnd: 'CustomerNotSubscribed',
  windowEdge: 'exact',
  licenceStart: 'agreementStart',
  beforeLicenceStart: 'InvalidLicenseException',
  afterLicenceEnd: 'InvalidLicenseException',
  afterFinalHour: 'CustomerNotSubscribed',
  finalHourOpensAt: 'deprovisioned',
  productCodeWithLicence: 'refuse',
  unknownCustomer: 'InvalidCustomerIdentifierException',
  tagLimit: 'perRecord',
  contractMetering: 'InvalidLicenseException',
  renewalLicence: 'new',
  futureDatedCreated: 'start',
  emptyEntitlementPage: 'never',
  futureToleranceSeconds: 300,
  tokenSingleUse: false,
  // Seen in the field: "License Updated" a minute after "Created", "Deprovisioned" half a minute after "Ended".
  licenceNoticeAfterSeconds: 61,
  revokeAfterSeconds: 31,
};

/**
 * The switches with the given ones changed. Switches that are not named keep their position.
 * Returns a sentence instead where a name or a value is unknown: what was wrong and what is expected.
 */
export function changeSwitches(current: Switches, wanted: Record<string, unknown>): Switches | string {
  const changed: Record<string, unknown> = { ...current };
  for (const [name, value] of Object.entries(wanted)) {
    const expected = expectation(name, value);
    if (expected !== undefined) return expected;
    changed[name] = value;
  }
  return isSwitches(changed) ? changed : 'not all switches are set';
}

/** What is wrong with one switch's value, or undefined where it is fine. */
function expectation(name: string, value: unknown): string | undefined {
  const choices: Readonly<Record<string, readonly string[]>> = CHOICES;
  const allowed = Object.hasOwn(choices, name) ? choices[name] : undefined;
  if (allowed !== undefined) {
    const known = typeof value === 'string' && allowed.includes(value);
    return known ? undefined : `${name} must be one of ${allowed.join(', ')}`;
  }
  if (SECONDS.includes(name)) {
    const sensible = typeof value === 'number' && value >= 0 && value <= DAY_SECONDS;
    return sensible ? undefined : `${name} must be a number of seconds from 0 to ${DAY_SECONDS}`;
  }
  if (name === 'tokenSingleUse') return typeof value === 'boolean' ? undefined : `${name} must be true or false`;
  return `there is no switch ${name}; there are ${Object.keys(DEFAULT_SWITCHES).join(', ')}`;
}

function isSwitches(candidate: Record<string, unknown>): candidate is Record<string, unknown> & Switches {
  return Object.keys(DEFAULT_SWITCHES).every((name) => expectation(name, candidate[name]) === undefined);
}
