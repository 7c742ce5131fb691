// The dashboard as CloudWatch is handed it.
import { beforeAll, describe, expect, test } from 'vitest';
import { METRICS } from '../../lambdas/runtime/metric.ts';
import { EVERYTHING, synthesize } from './synthesized.ts';

interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly properties: {
    readonly title?: string;
    readonly markdown?: string;
    readonly alarms?: readonly string[];
    readonly metrics?: readonly (readonly unknown[])[];
  };
}

let widgets: readonly Widget[];
let stacks: ReturnType<typeof synthesize>;

/** A template's text with what CloudFormation fills in left as a name. */
function filled(value: unknown): string {
  if (typeof value === 'string') return value;
  const [, parts] = (value as { 'Fn::Join': [string, readonly (string | { Ref: string })[]] })['Fn::Join'];
  return parts.map((part) => (typeof part === 'string' ? part : part.Ref)).join('');
}

beforeAll(() => {
  stacks = synthesize(EVERYTHING);
  const [dashboard] = stacks.ofType('AWS::CloudWatch::Dashboard');
  widgets = (JSON.parse(filled(dashboard?.Properties['DashboardBody'])) as { widgets: Widget[] }).widgets;
});

describe('the dashboard', () => {
  test('answers first what is asked first: the time left, what waits, what is at stake, what is lost', () => {
    const titles = widgets.map(({ properties }) => properties.title).filter((title) => title !== undefined);

    expect(titles.slice(0, 4)).toEqual(['Time left (h)', 'Oldest waiting (h)', 'Units at stake', 'Lost, in a week']);
    expect(widgets[0]?.properties.markdown).toContain('Are we billing everything?');
    const top = widgets.slice(1, 5);
    expect(new Set(top.map(({ y }) => y)).size).toBe(1);
    expect(top.reduce((sum, { width }) => sum + width, 0)).toBe(24);
  });

  test('shows every number of ours, and none that there is not', () => {
    const known = Object.values(METRICS).flatMap((metrics) => Object.keys(metrics));
    const shown = widgets
      .flatMap(({ properties }) => properties.metrics ?? [])
      .filter(([namespace]) => namespace === 'Fulfillment')
      .map(([, name]) => String(name));

    expect([...new Set(shown)].sort()).toEqual(known.sort());
  });

  test('shows every alarm at home, the urgent ones first, and CloudWatch takes no more than a hundred', () => {
    const found = stacks.ofType('AWS::CloudWatch::Alarm').filter(({ id }) => !id.startsWith('NoticeForwarding/'));
    const severityOf = new Map(
      found.map(({ Properties }) => [
        String(Properties['AlarmName']),
        /Severity: (\w+)/.exec(String(Properties['AlarmDescription']))?.[1],
      ]),
    );

    const shown = (widgets.find(({ type }) => type === 'alarm')?.properties.alarms ?? []).map(
      (arn) => arn.split(':').at(-1) ?? '',
    );
    expect([...shown].sort()).toEqual([...severityOf.keys()].sort());
    expect(shown.length).toBeLessThanOrEqual(100);
    const severities = shown.map((name) => severityOf.get(name));
    expect(severities.indexOf('low')).toBe(severities.lastIndexOf('high') + 1);
  });

  test('finds the functions, queues and tables of its stage, whatever they come to be called', () => {
    const searches = JSON.stringify(widgets).match(/SEARCH\([^)]*\)/g) ?? [];

    expect(searches.length).toBeGreaterThan(5);
    for (const search of searches)
      expect(search).toMatch(/^SEARCH\('\{AWS\/\w+,\w+\} MetricName=\S+ fulfillment prod'/);
  });
});
