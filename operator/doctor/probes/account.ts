// The account: whose it is, its secrets, and what API Gateway has of it.
import { APIGatewayClient, GetAccountCommand } from '@aws-sdk/client-api-gateway';
import { GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  GetEmailIdentityCommand,
  GetAccountCommand as GetMailAccountCommand,
  SESv2Client,
} from '@aws-sdk/client-sesv2';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type Aws, configOf } from '../../aws.ts';
import { isSignedOut } from '../../aws-fault.ts';
import type { Facts, Keyed, StackFacts } from '../facts.ts';
import { type Probed, probe } from '../probed.ts';
import { resourcesOf } from './stacks.ts';

/** Throws where AWS does not know who asks. */
export async function probeAccount(aws: Aws): Promise<Probed<string>> {
  const client = new STSClient(configOf(aws));
  const look = async () => (await client.send(new GetCallerIdentityCommand({}))).Account ?? '';
  try {
    return await probe('sts:GetCallerIdentity', look, isSignedOut);
  } finally {
    client.destroy();
  }
}

export async function probeSecrets(
  aws: Aws,
  stacks: readonly Keyed<StackFacts>[],
  webhookSecrets: readonly string[],
): Promise<Facts['secrets']> {
  const client = new SecretsManagerClient(configOf(aws));
  const named = [
    ...resourcesOf(stacks, 'AWS::SecretsManager::Secret').map(
      ({ physicalId: name }) => ({ name, purpose: 'sessionKeys' }) as const,
    ),
    ...[...new Set(webhookSecrets)].map((name) => ({ name, purpose: 'webhook' }) as const),
  ];
  const secrets = await Promise.all(
    named.map(async (each) => ({
      ...each,
      probed: await probe('secretsmanager:DescribeSecret', async () => {
        const { DeletedDate, RotationEnabled } = await client.send(new DescribeSecretCommand({ SecretId: each.name }));
        return { isBeingDeleted: DeletedDate !== undefined, isRotated: RotationEnabled === true };
      }),
    })),
  );
  client.destroy();
  return secrets;
}

export async function probeGateway(aws: Aws): Promise<Facts['gateway']> {
  const client = new APIGatewayClient(configOf(aws));
  const probed = await probe('apigateway:GET', async () => {
    const { throttleSettings, cloudwatchRoleArn } = await client.send(new GetAccountCommand({}));
    return { ratePerSecond: throttleSettings?.rateLimit, logsRole: cloudwatchRoleArn, isLogsRoleGone: false };
  });
  client.destroy();
  if (probed.kind !== 'seen' || probed.value.logsRole === undefined) return probed;
  const role = await probeRole(aws, probed.value.logsRole);
  return { kind: 'seen', value: { ...probed.value, isLogsRoleGone: role.kind === 'absent' } };
}

async function probeRole(aws: Aws, arn: string): Promise<Probed<unknown>> {
  const client = new IAMClient(configOf(aws));
  const RoleName = arn.slice(arn.lastIndexOf('/') + 1);
  const probed = await probe('iam:GetRole', () => client.send(new GetRoleCommand({ RoleName })));
  client.destroy();
  return probed;
}

/** The identity that mail is sent from, by its ARN, and whether the account may write to anyone. */
export async function probeMail(aws: Aws, identityArn: string): Promise<Facts['mail']> {
  const client = new SESv2Client(configOf(aws));
  const [identity, account] = await Promise.all([
    probe('ses:GetEmailIdentity', async () => {
      const EmailIdentity = identityArn.slice(identityArn.indexOf('/') + 1);
      const { VerifiedForSendingStatus } = await client.send(new GetEmailIdentityCommand({ EmailIdentity }));
      return VerifiedForSendingStatus === true;
    }),
    probe('ses:GetAccount', async () => {
      const { ProductionAccessEnabled, SendingEnabled } = await client.send(new GetMailAccountCommand({}));
      return { isProduction: ProductionAccessEnabled === true, isSending: SendingEnabled === true };
    }),
  ]);
  client.destroy();
  return { identity, account };
}
