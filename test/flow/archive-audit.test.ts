// What a run of the archive leaves behind when it stops or fails.
import { describe, expect, test } from 'vitest';
import { type TrailFile, trailName } from '../../lambdas/domain/audit-trail.ts';
import { Unavailable } from '../../lambdas/domain/failure.ts';
import type { HourStart } from '../../lambdas/domain/hour.ts';
import { DEFAULT_METERING_POLICY } from '../../lambdas/domain/metering-policy.ts';
import { type ArchiveAuditPorts, archiveAudit } from '../../lambdas/flow/archive-audit.ts';
import { anHour, aSealedHour, at } from '../builders.ts';
import { MemoryLedgerStore } from '../doubles/memory-ports.ts';

/** A run over doubles, with an archive that really keeps what it was put first. */
function world(overrides: Partial<ArchiveAuditPorts> = {}) {
  const kept = new Map<string, string>();
  const noted = new Set<string>();
  const logged: object[] = [];
  let begin: HourStart | undefined;
  const put = async (file: TrailFile, lines: AsyncIterable<string>) => {
    const all: string[] = [];
    for await (const line of lines) all.push(line);
    if (kept.has(trailName(file))) return 'exists' as const;
    kept.set(trailName(file), all.join(''));
    return 'archived' as const;
  };
  const ports: ArchiveAuditPorts = {
    ledger: new MemoryLedgerStore(),
    archive: { put },
    notes: {
      begin: async (hour) => (begin ??= hour),
      archived: async () => new Set(noted),
      noteArchived: async (name) => void noted.add(name),
    },
    clock: () => at('2026-09-22T12:10:00Z'),
    policy: DEFAULT_METERING_POLICY,
    log: { error: (code, facts) => void logged.push({ code, ...facts }) },
    stage: 'prod',
    ...overrides,
  };
  return { ports, kept, noted, logged, put };
}

describe('a run', () => {
  const always = () => true;

  test('begins with three days of hours and of acts, 48 files at a time, and ends with nothing behind', async () => {
    const { ports, kept } = world();

    const results = [await archiveAudit(ports, always), await archiveAudit(ports, always)];

    // 47 hours from the 19th 12:00 up to the 21st 10:00, and the acts of three days.
    expect(results).toEqual([
      { exported: 48, failed: 0, behind: 2 },
      { exported: 2, failed: 0, behind: 0 },
    ]);
    expect(await archiveAudit(ports, always)).toEqual({ exported: 0, failed: 0, behind: 0 });
    expect([...kept.keys()].filter((name) => name.startsWith('acts#'))).toEqual([
      'acts#2026-09-19',
      'acts#2026-09-20',
      'acts#2026-09-21',
    ]);
  });

  test('that is killed between a file and its note finds the file again and changes nothing', async () => {
    const ledger = new MemoryLedgerStore();
    await ledger.seal(aSealedHour());
    const { ports, kept, noted } = world({ ledger });
    const killed = { ...ports.notes, noteArchived: () => Promise.reject(new Error('killed')) };
    await archiveAudit({ ...ports, notes: killed }, always).catch(() => {});
    const before = new Map(kept);
    await ledger.settle(aSealedHour(), { status: 'honoured', at: at('2026-09-22T12:11:00Z') });

    await archiveAudit(ports, always);

    expect(before.size).toBeGreaterThan(0);
    for (const [name, text] of before) expect(kept.get(name), name).toBe(text);
    expect([...noted].sort()).toEqual([...kept.keys()].sort());
  });

  test('does the other files where one fails, names it, and fails at the end', async () => {
    const { ports, kept, logged, put } = world();
    const unlucky = trailName({ kind: 'records', hour: anHour() });
    const archive: ArchiveAuditPorts['archive'] = {
      put: (file, lines) =>
        trailName(file) === unlucky ? Promise.reject(new Unavailable('ArchiveUnavailable', 'No.')) : put(file, lines),
    };

    const failure = await archiveAudit({ ...ports, archive }, always).catch((error: unknown) => error);

    expect(failure).toMatchObject({ code: 'AuditIncomplete', facts: { exported: 47, failed: 1 } });
    expect(logged).toEqual([{ code: 'AuditNotExported', file: unlucky, failureCode: 'ArchiveUnavailable' }]);
    expect(kept.has('records#2026-09-21T09')).toBe(true);
    await archiveAudit(ports, always);
    expect(kept.has(unlucky)).toBe(true);
  });

  test('stops when its time runs out, and the next goes on from there', async () => {
    const { ports } = world();
    let left = 5;

    expect(await archiveAudit(ports, () => left-- > 0)).toMatchObject({ exported: 5, behind: 45 });
    expect(await archiveAudit(ports, always)).toMatchObject({ exported: 45, behind: 0 });
  });
});
