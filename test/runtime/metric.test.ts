import { describe, expect, test } from 'vitest';
import { Unavailable } from '../../lambdas/domain/failure.ts';
import { embeddedMetrics, METRICS, measuredRun } from '../../lambdas/runtime/metric.ts';
import { readMetrics } from '../embedded-metrics.ts';

const AT = Date.parse('2026-09-21T10:05:00.000Z');

function recorder() {
  const lines: string[] = [];
  const measure = embeddedMetrics({ stage: 'prod', clock: () => AT, write: (line) => void lines.push(line) });
  return { lines, measure };
}

describe('a line of numbers', () => {
  test('is one that CloudWatch makes metrics of, with the zeros, by stage', () => {
    const { lines, measure } = recorder();

    measure('record-usage', { EventsRecorded: 7, EventsRefused: 0 });

    expect(lines).toHaveLength(1);
    expect(lines[0]?.endsWith('\n')).toBe(true);
    expect(readMetrics(lines[0] ?? '')).toEqual([
      {
        namespace: 'Fulfillment',
        name: 'EventsRecorded',
        dimensions: { Stage: 'prod' },
        unit: 'Count',
        value: 7,
        at: AT,
      },
      {
        namespace: 'Fulfillment',
        name: 'EventsRefused',
        dimensions: { Stage: 'prod' },
        unit: 'Count',
        value: 0,
        at: AT,
      },
    ]);
  });

  test('is known to Lambda’s log filters by its level and time', () => {
    const { lines, measure } = recorder();

    measure('deliver-webhooks', { WebhooksGivenUp: 1 });

    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'INFO', timestamp: '2026-09-21T10:05:00.000Z' });
  });

  test('has no name that another function gives, too: the two would be added up', () => {
    const names = Object.values(METRICS).flatMap((metrics) => Object.keys(metrics));

    expect(new Set(names).size).toBe(names.length);
  });
});

describe('a run', () => {
  interface Result {
    honoured: number;
    failed: number;
  }

  const counted = async (run: () => Promise<Result>) => {
    const seen: number[] = [];
    const measure = (count: (name: keyof Result) => number) => void seen.push(count('honoured'), count('failed'));
    const outcome = await measuredRun(run, measure).catch((error: unknown) => error);
    return { seen, outcome };
  };

  test('is measured by its result', async () => {
    const result = { honoured: 3, failed: 0 };

    expect(await counted(async () => result)).toEqual({ seen: [3, 0], outcome: result });
  });

  test('is measured by what its failure tells, and fails all the same', async () => {
    const failure = new Unavailable('SendingIncomplete', 'Some failed.', { facts: { honoured: 3, failed: 1 } });

    expect(await counted(() => Promise.reject(failure))).toEqual({ seen: [3, 1], outcome: failure });
  });

  test('is measured as nothing where its failure tells nothing', async () => {
    expect((await counted(() => Promise.reject(new Error('lost')))).seen).toEqual([0, 0]);
  });
});
