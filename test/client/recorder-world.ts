// A recorder on the real engine, with a client whose calls are seen and can be made to fail.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { onTestFinished } from 'vitest';
import { createUsageRecorder, type UsageRecorderOptions } from '../../client/usage-recorder.ts';
import { hourOf } from '../../lambdas/domain/hour.ts';
import { shardOf } from '../../lambdas/domain/keys.ts';
import type { UsageRow } from '../../lambdas/domain/usage-row.ts';
import { type BackendWorld, localClient } from '../backend-world.ts';

/** Runs around each command, inside the recorder's own retries and outside the SDK's. */
type Around = (command: string, call: () => Promise<unknown>) => Promise<unknown>;

export const LICENCE = 'arn:aws:license-manager::123456789012:license:l-0123456789abcdef0123456789abcdef';
const LICENCE_KEY = 'l-0123456789abcdef0123456789abcdef';

export function throttled(): Error {
  return Object.assign(new Error('Slow down.'), { name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } });
}

export function aRecorder(
  world: BackendWorld,
  endpoint: string,
  { around = (_, call) => call(), ...options }: Partial<UsageRecorderOptions> & { around?: Around } = {},
) {
  const dynamo: DynamoDBClient = localClient(endpoint);
  onTestFinished(() => dynamo.destroy());
  const commands: string[] = [];
  dynamo.middlewareStack.add(
    (next, context) => async (args) => {
      const command = String(context.commandName);
      commands.push(command);
      return (await around(command, () => next(args))) as Awaited<ReturnType<typeof next>>;
    },
    { step: 'initialize', name: 'seen' },
  );
  const recorder = createUsageRecorder({
    usageTable: world.tables.usage,
    workTable: world.tables.work,
    dynamo,
    clock: world.clock.now,
    ...options,
  });
  onTestFinished(() => recorder.close());
  return { recorder, commands };
}

/** Every row of a licence in the hour of an instant. */
export async function rowsOf(world: BackendWorld, at: string, licenceKey = LICENCE_KEY): Promise<UsageRow[]> {
  const rows: UsageRow[] = [];
  for await (const page of world.usage.rows(hourOf(Date.parse(at)), shardOf(licenceKey), { licenceKey })) {
    rows.push(...page);
  }
  return rows;
}
