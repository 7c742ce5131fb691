// What CloudWatch would make of the numbers: which alarms of a template have a datapoint that raises them.
import type { EmbeddedMetric } from '../embedded-metrics.ts';
import type { Found } from './synthesized.ts';

interface Stat {
  readonly namespace: unknown;
  readonly name: unknown;
  readonly dimensions: unknown;
  readonly statistic: string;
  readonly periodSeconds: number;
}

/** A metric of an alarm, in the two ways in which a template may have it. */
function statOf(properties: Readonly<Record<string, unknown>>, statistic: unknown, period: unknown): Stat {
  return {
    namespace: properties['Namespace'],
    name: properties['MetricName'],
    dimensions: properties['Dimensions'],
    statistic: String(statistic),
    periodSeconds: Number(period),
  };
}

/** The value of a period that ends now; undefined where nothing was told in it. */
function valueIn(stat: Stat, told: readonly EmbeddedMetric[], nowMs: number): number | undefined {
  const values = told
    .filter(({ namespace, name }) => namespace === stat.namespace && name === stat.name)
    .filter(({ dimensions }) => {
      const wanted = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
      return JSON.stringify(wanted) === JSON.stringify(stat.dimensions);
    })
    .filter(({ at }) => at > nowMs - stat.periodSeconds * 1_000 && at <= nowMs)
    .map(({ value }) => value);
  if (values.length === 0) return undefined;
  if (stat.statistic === 'Sum') return values.reduce((sum, value) => sum + value, 0);
  if (stat.statistic === 'Maximum') return Math.max(...values);
  if (stat.statistic === 'Minimum') return Math.min(...values);
  throw new Error(`The statistic ${stat.statistic} is not known here.`);
}

interface MetricQuery {
  readonly Id: string;
  readonly Expression?: string;
  readonly MetricStat?: {
    readonly Metric: Readonly<Record<string, unknown>>;
    readonly Stat: string;
    readonly Period: number;
  };
}

/** The few words of metric math that our alarms use, as JavaScript has them. */
function calculate(expression: string, values: Readonly<Record<string, number | undefined>>): number | undefined {
  const filled = expression.replaceAll(/FILL\((\w+), 0\)/g, (_, id: string) => String(values[id] ?? 0));
  const numbers = filled.replaceAll(/\b[a-z]\w*\b/g, (id) => String(values[id]));
  if (numbers.includes('undefined')) return undefined;
  const [, condition, yes, no] = /^IF\((.*), (\d+), (\d+)\)$/.exec(numbers) ?? [];
  if (!condition) throw new Error(`The expression ${expression} is not known here.`);
  const holds = condition.split(' AND ').every((part) => {
    const [left = '', sign, right = ''] = part.split(' ');
    return sign === '<' ? Number(left) < Number(right) : Number(left) > Number(right);
  });
  return Number(holds ? yes : no);
}

/** Alarms on numbers of ours; those on AWS's own are raised by AWS. */
export function ownAlarms(alarms: readonly Found[]): readonly Found[] {
  return alarms.filter((alarm) => JSON.stringify(alarm).includes('"Fulfillment"'));
}

/** The ends of the names of the alarms that a datapoint of now raises, sorted. */
export function raisedBy(alarms: readonly Found[], told: readonly EmbeddedMetric[], nowMs: number): string[] {
  const raised = ownAlarms(alarms).filter(({ Properties }) => {
    const value = currentValue(Properties, told, nowMs);
    if (value === undefined) return false;
    const threshold = Number(Properties['Threshold']);
    return Properties['ComparisonOperator'] === 'LessThanThreshold' ? value < threshold : value > threshold;
  });
  return raised.map(({ Properties }) => String(Properties['AlarmName']).replace('fulfillment-prod-watch-', '')).sort();
}

function currentValue(
  properties: Readonly<Record<string, unknown>>,
  told: readonly EmbeddedMetric[],
  nowMs: number,
): number | undefined {
  const queries = properties['Metrics'] as readonly MetricQuery[] | undefined;
  if (!queries) return valueIn(statOf(properties, properties['Statistic'], properties['Period']), told, nowMs);
  const values = queries.flatMap(({ Id, MetricStat }) =>
    MetricStat
      ? [[Id, valueIn(statOf(MetricStat.Metric, MetricStat.Stat, MetricStat.Period), told, nowMs)] as const]
      : [],
  );
  const expression = queries.find(({ Expression }) => Expression)?.Expression ?? '';
  return calculate(expression, Object.fromEntries(values));
}
