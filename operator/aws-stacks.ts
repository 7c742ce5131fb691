// The stacks and functions of an AWS account, read with the person's own credentials.
import {
  CloudFormationClient,
  type CloudFormationClientConfig,
  CloudFormationServiceException,
  DescribeStacksCommand,
  paginateListStackResources,
  paginateListStacks,
} from '@aws-sdk/client-cloudformation';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { StackReader } from './deployed-stacks.ts';

interface ReaderSettings {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials?: NonNullable<CloudFormationClientConfig['credentials']>;
}

const STAGE = /^fulfillment-(.+)-storage$/;

/** Stacks that are there, whatever their last change came to. */
const GONE = 'DELETE_COMPLETE';

export class AwsStackReader implements StackReader {
  readonly #stacks: CloudFormationClient;
  readonly #functions: LambdaClient;

  constructor(settings: ReaderSettings) {
    this.#stacks = new CloudFormationClient(settings);
    this.#functions = new LambdaClient(settings);
  }

  async stack(name: string): ReturnType<StackReader['stack']> {
    const outputs = await this.#outputs(name);
    if (!outputs) return undefined;
    const resources = [];
    for await (const page of paginateListStackResources({ client: this.#stacks }, { StackName: name })) {
      for (const { LogicalResourceId, ResourceType, PhysicalResourceId } of page.StackResourceSummaries ?? []) {
        if (LogicalResourceId === undefined || ResourceType === undefined || PhysicalResourceId === undefined) continue;
        resources.push({ logicalId: LogicalResourceId, type: ResourceType, physicalId: PhysicalResourceId });
      }
    }
    return { resources, outputs };
  }

  async #outputs(name: string): Promise<Readonly<Record<string, string>> | undefined> {
    try {
      const { Stacks } = await this.#stacks.send(new DescribeStacksCommand({ StackName: name }));
      const outputs = Stacks?.[0]?.Outputs ?? [];
      return Object.fromEntries(outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));
    } catch (error) {
      // CloudFormation has no code of its own for it.
      const isMissing = error instanceof CloudFormationServiceException && /does not exist/.test(error.message);
      if (isMissing) return undefined;
      throw error;
    }
  }

  async environment(functionName: string): Promise<Readonly<Record<string, string>>> {
    const command = new GetFunctionConfigurationCommand({ FunctionName: functionName });
    const { Environment } = await this.#functions.send(command);
    return Environment?.Variables ?? {};
  }

  async stages(): Promise<readonly string[]> {
    const stages: string[] = [];
    for await (const page of paginateListStacks({ client: this.#stacks }, {})) {
      for (const { StackName = '', StackStatus } of page.StackSummaries ?? []) {
        const [, stage] = STAGE.exec(StackName) ?? [];
        if (stage !== undefined && StackStatus !== GONE) stages.push(stage);
      }
    }
    return stages.sort();
  }

  close(): void {
    this.#stacks.destroy();
    this.#functions.destroy();
  }
}
