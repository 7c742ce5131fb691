// From usage to the archive of the audit trail, by the deployed handlers.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { newActionId } from '../../lambdas/domain/amendment.ts';
import { anEvent, startBackendWorld, useServices } from '../backend-world.ts';
import { at } from '../builders.ts';
import { startArchive } from '../doubles/folder-archive.ts';
import { readMetrics } from '../embedded-metrics.ts';

const services = useServices();

type Line = Readonly<Record<string, unknown>>;

async function folderOfArchive() {
  const folder = mkdtempSync(join(tmpdir(), 'audit-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const server = await startArchive(folder);
  onTestFinished(() => server.close());
  const files = () =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.gz'))
      .sort();
  const read = (file: string): Line[] =>
    gunzipSync(readFileSync(join(folder, file)))
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  return { url: server.url, files, read };
}

test('an hour’s records stand in the archive a day later, with AWS’s answers, and the acts of its day', async () => {
  const archive = await folderOfArchive();
  const world = await startBackendWorld(services(), { archiveUrl: archive.url });
  const buyer = await world.subscribe();
  await world.report([anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 12 })]);
  await world.control.put('/control/faults', { next: [{ kind: 'throttle', count: 1 }] });
  await world.tick('2026-09-21T11:11:00Z');
  const actedAt = at('2026-09-21T12:00:00Z');
  const act = { who: 'ada', why: 'ticket 7', action: 'confirm', facts: { before: 'presumed' } } as const;
  await world.ledger.noteAction({ ...act, actionId: newActionId(actedAt, 'x'), at: actedAt });

  await world.clock.set(at('2026-09-22T12:09:00Z'));
  await world.backend.exportAudit();
  const early = archive.files();
  await world.clock.set(at('2026-09-22T12:10:00Z'));
  await world.backend.exportAudit();

  const hour = 'audit/v1/2026/09/21/records-2026-09-21T10.jsonl.gz';
  expect(early).not.toContain(hour);
  const [head, record, end, ...more] = archive.read(hour);
  expect(more).toEqual([]);
  expect(head).toMatchObject({ kind: 'trail', schema: 'fulfillment-audit-1', file: 'records#2026-09-21T10' });
  expect(record).toMatchObject({
    kind: 'record',
    licenceKey: buyer.licenceKey,
    status: 'honoured',
    record: { quantity: 12, licenceArn: buyer.licenceArn },
    attempts: [{ at: '2026-09-21T11:11:00.000Z' }],
    refusals: [{ code: 'ThrottlingException' }],
    meteringRecordId: (await world.bill())[0]?.meteringRecordId,
  });
  expect(end).toMatchObject({ kind: 'end', lines: 1 });
  const acts = archive.read('audit/v1/2026/09/21/acts-2026-09-21.jsonl.gz');
  expect(acts.slice(1, -1)).toMatchObject([{ kind: 'act', who: 'ada', why: 'ticket 7', action: 'confirm' }]);
  const behind = world.metricLines.flatMap(readMetrics).filter(({ name }) => name === 'FilesBehind');
  expect(behind.map(({ value }) => value)).toEqual([1, 0]);
});
