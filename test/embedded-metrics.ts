// What CloudWatch Logs makes of a line, by the published schema of the embedded metric format.

export interface EmbeddedMetric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly unit: string;
  readonly value: number;
  readonly at: number;
}

interface Directive {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string; readonly Unit?: string }[];
}

/** The metrics of a line; none of one that is not in the format. Throws where CloudWatch would drop it unseen. */
export function readMetrics(line: string): EmbeddedMetric[] {
  const root: Readonly<Record<string, unknown>> = JSON.parse(line);
  const directives = root['_aws'] as { Timestamp: unknown; CloudWatchMetrics: readonly Directive[] } | undefined;
  if (!directives) return [];
  const { Timestamp, CloudWatchMetrics } = directives;
  if (!Number.isInteger(Timestamp)) throw new Error('Timestamp has to be whole milliseconds.');
  return CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) => {
    if (Metrics.length === 0 || Metrics.length > 100) throw new Error('A directive holds 1 to 100 metrics.');
    return Dimensions.flatMap((set) =>
      Metrics.map(({ Name, Unit = 'None' }) => {
        const value = root[Name];
        if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`${Name} is no number of the line.`);
        return {
          namespace: Namespace,
          name: Name,
          dimensions: Object.fromEntries(set.map((key) => [key, dimensionOf(root, key)])),
          unit: Unit,
          value,
          at: Timestamp as number,
        };
      }),
    );
  });
}

function dimensionOf(root: Readonly<Record<string, unknown>>, key: string): string {
  const value = root[key];
  if (typeof value !== 'string' || value.length === 0) throw new Error(`The dimension ${key} is no text of the line.`);
  return value;
}
