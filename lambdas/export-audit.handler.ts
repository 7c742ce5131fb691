// Every hour: puts the audit trail of what is final into the archive.
import { parseMeteringPolicy } from './contracts/product-settings.ts';
import { archiveAudit } from './flow/archive-audit.ts';
import { clientSettings } from './runtime/aws-client.ts';
import { built, type Surroundings } from './runtime/handler.ts';
import { measuredRun, unmeasured } from './runtime/metric.ts';
import { scheduleHandler } from './runtime/schedule.ts';
import { readSettings } from './runtime/settings.ts';
import { DynamoArchiveNotes } from './stores/archive-notes.ts';
import { S3AuditArchive } from './stores/audit-archive.ts';
import { dynamoClient } from './stores/dynamo.ts';
import { DynamoLedgerStore } from './stores/ledger-store.ts';

export function createExportAuditHandler({ environment, clock, log, measure = unmeasured }: Surroundings) {
  const settings = readSettings('export-audit', environment);
  const client = dynamoClient(clientSettings(environment, 'DYNAMODB'));
  const ports = {
    ledger: new DynamoLedgerStore(client, settings.LEDGER_TABLE),
    archive: new S3AuditArchive(clientSettings(environment, 'S3'), settings.AUDIT_BUCKET),
    notes: new DynamoArchiveNotes(client, settings.WORK_TABLE),
    clock,
    policy: parseMeteringPolicy(settings.METERING_POLICY),
    log,
    stage: settings.STAGE,
  };
  return scheduleHandler(log, 'AuditExported', async (hasTime) => {
    const result = await measuredRun(
      () => archiveAudit(ports, hasTime),
      (count) => measure('export-audit', { FilesExported: count('exported'), FilesBehind: count('behind') }),
    );
    return { ...result };
  });
}

export const handler = built(createExportAuditHandler);
