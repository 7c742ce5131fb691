// As whom the catalog is asked: AWS tells a listing to the account that published the product, and to no other.
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { Misconfigured } from '../../lambdas/domain/failure.ts';
import { type Aws, configOf } from '../aws.ts';

interface PublisherRole {
  readonly roleArn: string;
  readonly externalId: string | undefined;
}

/** The person as a role of the publishing account, for as long as a session lasts: an hour. */
export async function asPublisher(aws: Aws, { roleArn, externalId }: PublisherRole): Promise<Aws> {
  const client = new STSClient(configOf(aws));
  try {
    const { Credentials } = await client.send(
      new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'fulfillment-listing', ExternalId: externalId }),
    );
    const {
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      SessionToken: sessionToken,
    } = Credentials ?? {};
    if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined) {
      throw new Misconfigured('RoleWithoutCredentials', `AWS let nobody be ${roleArn}. Name another by --role.`);
    }
    return { ...aws, credentials: { accessKeyId, secretAccessKey, sessionToken } };
  } finally {
    client.destroy();
  }
}
