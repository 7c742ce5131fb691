// What the functions wrote into their log groups.
import type { Aws } from './aws.ts';
import type { DeployedResource } from './deployed.ts';

interface FunctionLog {
  readonly name: string;
  readonly lines: number;
  readonly errors: readonly string[];
}

/** By function, read from CloudWatch Logs. */
export async function logsOf(aws: Aws, resources: readonly DeployedResource[]): Promise<readonly FunctionLog[]> {
  const groups = resources.filter(
    ({ type, logicalId }) => type === 'AWS::Logs::LogGroup' && !/AccessLog|ExecutionLog/.test(logicalId),
  );
  return Promise.all(
    groups.map(async ({ logicalId, physicalId }) => {
      const { text } = await aws.json('logs', 'Logs_20140328.FilterLogEvents', { logGroupName: physicalId });
      const { events } = JSON.parse(text) as { readonly events: readonly { readonly message: string }[] };
      const lines = events.flatMap(({ message }) => message.split('\n')).filter((line) => line.startsWith('{'));
      return {
        name: logicalId.replace(/Logs[0-9A-F]+$/, ''),
        lines: lines.length,
        errors: lines.filter((line) => /"level":"(ERROR|FATAL)"/.test(line)),
      };
    }),
  );
}
