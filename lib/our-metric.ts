// The metrics that our functions give, as CloudWatch knows them.
import type { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { METRIC_DIMENSION, METRIC_NAMESPACE, type MetricName } from '../lambdas/runtime/metric.ts';

export interface OurMetric {
  readonly stage: string;
  readonly name: MetricName;
  readonly statistic: 'Sum' | 'Maximum' | 'Minimum';
  readonly period: Duration;
}

export function ourMetric({ stage, name, statistic, period }: OurMetric): Metric {
  const dimensionsMap = { [METRIC_DIMENSION]: stage };
  return new Metric({ namespace: METRIC_NAMESPACE, metricName: name, dimensionsMap, statistic, period });
}
