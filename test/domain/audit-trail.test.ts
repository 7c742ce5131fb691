import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  actLine,
  archiveBegin,
  daysOfActs,
  filesDue,
  ledgerLine,
  type TrailFile,
  trailLines,
  trailName,
} from '../../lambdas/domain/audit-trail.ts';
import type { HourStart } from '../../lambdas/domain/hour.ts';
import { aCarry, anHour, aPolicy, aSealedHour, at } from '../builders.ts';

const POLICY = aPolicy();
const BEGIN = anHour('2026-01-01T00');

const namesDue = (now: string, archived: readonly string[] = [], policy = POLICY, begin = BEGIN) =>
  filesDue(begin, new Set(archived), at(now), policy).map(trailName);

describe('the records of an hour are due', () => {
  test('once it has had its last look, its day has passed and the sender has had two hours more', () => {
    // Its last look is 23 h 10 min after its end: later than its deadline.
    expect(namesDue('2026-09-22T12:09:59Z')).not.toContain('records#2026-09-21T10');
    expect(namesDue('2026-09-22T12:10:00Z')).toContain('records#2026-09-21T10');
  });

  test('no sooner than AWS takes them, where the settings have AWS take them longer', () => {
    const policy = aPolicy({ meteringWindowMs: 48 * 3_600_000 });

    expect(namesDue('2026-09-23T11:59:59Z', [], policy)).not.toContain('records#2026-09-21T10');
    expect(namesDue('2026-09-23T12:00:00Z', [], policy)).toContain('records#2026-09-21T10');
  });

  test('until they are archived, oldest first', () => {
    const names = namesDue('2026-09-22T12:10:00Z', ['records#2026-09-21T09']).filter(
      (name) => name > 'records#2026-09-21T07',
    );

    expect(names).toEqual(['records#2026-09-21T08', 'records#2026-09-21T10']);
  });

  test('from the first hour of the archive on, three days before its first run, and of forty days at most', () => {
    const firstOf = (begin: HourStart) =>
      namesDue('2026-09-22T12:10:00Z', [], POLICY, begin).find((name) => name.startsWith('records#'));

    expect(archiveBegin(at('2026-09-22T12:10:00Z'))).toBe('2026-09-19T12');
    expect(firstOf(anHour('2026-09-19T12'))).toBe('records#2026-09-19T12');
    expect(firstOf(BEGIN)).toBe('records#2026-08-13T12');
  });
});

describe('the acts of a day are due', () => {
  test('a day later, so that its last act stands', () => {
    expect(namesDue('2026-09-22T23:59:59Z')).not.toContain('acts#2026-09-22');
    expect(namesDue('2026-09-23T00:59:59Z')).not.toContain('acts#2026-09-22');
    expect(namesDue('2026-09-23T01:00:00Z')).toContain('acts#2026-09-22');
  });

  test('with those of the six days before, since an act may be written later than its id says', () => {
    expect(daysOfActs('2026-10-02')).toEqual([
      ...['2026-09-26', '2026-09-27', '2026-09-28', '2026-09-29', '2026-09-30'],
      ...['2026-10-01', '2026-10-02'],
    ]);
  });
});

describe('a line', () => {
  test('of a record has the whole of what was sent, every attempt, and AWS’s answers', () => {
    const sealed = aSealedHour({
      status: 'honoured',
      attempts: { 'a-1': { at: at('2026-09-21T11:11:00Z') } },
      refusals: [{ at: at('2026-09-21T11:10:30Z'), code: 'ThrottlingException', requestId: 'req-1' }],
      refusalCount: 12,
      meteringRecordId: 'mr-1',
      settledAt: at('2026-09-21T11:11:01Z'),
    });

    expect(ledgerLine(sealed)).toMatchObject({
      kind: 'record',
      hour: '2026-09-21T10',
      record: sealed.record,
      status: 'honoured',
      attempts: [{ id: 'a-1', at: '2026-09-21T11:11:00.000Z' }],
      refusals: [{ at: '2026-09-21T11:10:30.000Z', code: 'ThrottlingException', requestId: 'req-1' }],
      refusalsInAll: 12,
      meteringRecordId: 'mr-1',
      sealedAt: '2026-09-21T11:10:00.000Z',
      settledAt: '2026-09-21T11:11:01.000Z',
      deadlineAt: '2026-09-22T10:00:00.000Z',
    });
  });

  test('of a record that AWS refused a few times counts those that it names', () => {
    const refusals = [{ at: at('2026-09-21T11:10:30Z'), code: 'ThrottlingException' }];

    expect(ledgerLine(aSealedHour({ refusals }))).toMatchObject({ refusalsInAll: 1 });
    expect(ledgerLine(aSealedHour())).not.toHaveProperty('settledAt');
  });

  test('of a carry says where its units come from', () => {
    expect(ledgerLine(aCarry())).toMatchObject({
      kind: 'carry',
      hour: '2026-09-21T12',
      originHour: '2026-09-21T10',
      quantity: 700,
      carriedAt: '2026-09-21T12:31:00.000Z',
    });
  });

  test('of an act says who did what, and why', () => {
    const entry = {
      actionId: '2026-09-21T11:00:00.000Z.x',
      at: at('2026-09-21T11:00:00Z'),
      who: 'arn:aws:sts::111122223333:assumed-role/operator/ada',
      why: 'ticket 7',
      action: 'release',
      hour: anHour(),
      facts: { before: 'quarantined' },
    } as const;

    expect(actLine(entry)).toEqual({ ...entry, kind: 'act', at: '2026-09-21T11:00:00.000Z' });
  });
});

describe('a file', () => {
  const linesOf = async (lines: readonly object[]) => {
    const all: string[] = [];
    const head = { stage: 'prod', file: trailName({ kind: 'records', hour: anHour() } satisfies TrailFile) };
    for await (const line of trailLines(head, iterated(lines))) all.push(line);
    return all;
  };

  async function* iterated(lines: readonly object[]) {
    yield* lines;
  }

  test('says first what it is, and last how many lines it has, with their digest', async () => {
    const lines = await linesOf([{ a: 1 }, { b: 'two' }]);

    expect(lines.every((line) => line.endsWith('\n'))).toBe(true);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { kind: 'trail', schema: 'fulfillment-audit-1', stage: 'prod', file: 'records#2026-09-21T10' },
      { a: 1 },
      { b: 'two' },
      { kind: 'end', lines: 2, sha256: createHash('sha256').update('{"a":1}\n{"b":"two"}\n').digest('hex') },
    ]);
  });

  test('of nothing has no line in between', async () => {
    expect((await linesOf([])).map((line) => JSON.parse(line).kind)).toEqual(['trail', 'end']);
  });
});
