// How the operator’s machine reaches AWS: few tries each, so that what goes wrong is told in seconds.

export interface Aws {
  readonly region: string;
  /** Absent for the SDK's own chain: environment, profile, SSO, instance. */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** Where all services are, if not at AWS. */
  readonly endpoint?: string;
}

const TRIES = 2;

/** What every client is made with. */
export function configOf({ region, credentials, endpoint }: Aws) {
  return {
    region,
    maxAttempts: TRIES,
    ...(credentials ? { credentials } : {}),
    ...(endpoint ? { endpoint } : {}),
  };
}

export function inRegion(aws: Aws, region: string): Aws {
  return { ...aws, region };
}
