// Where each AWS service is and as whom we speak to it, read from the environment that Lambda fills.
import { Misconfigured } from '../domain/failure.ts';

type AwsService =
  | 'DYNAMODB'
  | 'EVENTBRIDGE'
  | 'MARKETPLACE_ENTITLEMENT_SERVICE'
  | 'MARKETPLACE_METERING'
  | 'S3'
  | 'SECRETS_MANAGER'
  | 'SESV2'
  | 'SNS'
  | 'SQS'
  | 'STS';

export interface ClientSettings {
  readonly region: string;
  /** Set where the service is not AWS's own: the simulator, the embedded database, an emulator. */
  readonly endpoint?: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

/**
 * The settings of one service's client. Credentials are handed over explicitly, so that handlers which share a
 * process on a laptop can't pick up the person's own AWS profile. Throws Misconfigured where any is missing.
 */
export function clientSettings(
  environment: Readonly<Record<string, string | undefined>>,
  service: AwsService,
): ClientSettings {
  const region = required(environment, 'AWS_REGION');
  const accessKeyId = required(environment, 'AWS_ACCESS_KEY_ID');
  const secretAccessKey = required(environment, 'AWS_SECRET_ACCESS_KEY');
  const sessionToken = environment['AWS_SESSION_TOKEN'];
  // The names that AWS's own SDKs give this setting: of one service, and of all.
  const endpoint = environment[`AWS_ENDPOINT_URL_${service}`] || environment['AWS_ENDPOINT_URL'];
  return {
    region,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
    ...(endpoint ? { endpoint } : {}),
  };
}

function required(environment: Readonly<Record<string, string | undefined>>, name: string): string {
  const value = environment[name];
  if (value) return value;
  throw new Misconfigured('SettingMissing', `${name} is not set; Lambda sets it for every function.`, {
    facts: { missing: name },
  });
}
