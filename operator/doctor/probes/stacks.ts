// The deployed stacks: how they are, what they put out, and what they made.
import {
  CloudFormationClient,
  DescribeStacksCommand,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';
import { type Aws, configOf, inRegion } from '../../aws.ts';
import type { NamedStack } from '../expected.ts';
import type { Keyed, ResourceFacts, StackFacts } from '../facts.ts';
import { ABSENT, probe, type Unseen } from '../probed.ts';

export function probeStacks(aws: Aws, expected: readonly NamedStack[]): Promise<Keyed<StackFacts>[]> {
  return Promise.all(
    expected.map(async ({ name, region }) => ({
      name,
      probed: await probe('cloudformation:DescribeStacks', () => stackFacts(inRegion(aws, region), name)),
    })),
  );
}

async function stackFacts(aws: Aws, name: string): Promise<StackFacts> {
  const client = new CloudFormationClient(configOf(aws));
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: name }));
    const [stack] = Stacks;
    const resources: ResourceFacts[] = [];
    for await (const page of paginateListStackResources({ client }, { StackName: name })) {
      for (const each of page.StackResourceSummaries ?? []) {
        resources.push({
          stack: name,
          region: aws.region,
          logicalId: each.LogicalResourceId ?? '',
          type: each.ResourceType ?? '',
          physicalId: each.PhysicalResourceId ?? '',
        });
      }
    }
    const outputs = (stack?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]);
    return { status: stack?.StackStatus ?? 'unknown', outputs: Object.fromEntries(outputs), resources };
  } finally {
    client.destroy();
  }
}

/** What the stacks made of one type. */
export function resourcesOf(stacks: readonly Keyed<StackFacts>[], type: string): ResourceFacts[] {
  return stacks.flatMap(({ probed }) =>
    probed.kind === 'seen' ? probed.value.resources.filter((each) => each.type === type) : [],
  );
}

export function outputOf(stacks: readonly Keyed<StackFacts>[], key: string): string | undefined {
  return stacks
    .flatMap(({ probed }) => (probed.kind === 'seen' ? [probed.value.outputs[key]] : []))
    .find((value) => value !== undefined);
}

/** What is said of a part that no stack was seen to have: it is absent only where each stack could be looked at. */
export function missingFrom(stacks: readonly Keyed<StackFacts>[]): Unseen {
  const [unread] = stacks.flatMap(({ probed }) =>
    probed.kind === 'denied' || probed.kind === 'failed' ? [probed] : [],
  );
  return unread ?? ABSENT;
}
