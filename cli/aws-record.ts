// AWS's own record as files hold it: CloudTrail's log of calls, or a usage report to the seller.
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseCloudTrail } from '../lambdas/contracts/cloudtrail.ts';
import { SellerReport } from '../lambdas/contracts/seller-report.ts';
import { InvalidInput } from '../lambdas/domain/failure.ts';
import { type Grain, type ReportedUsage, reportedByTrail } from '../lambdas/domain/operations/reported-usage.ts';
import type { TrailRecord } from '../lambdas/domain/operations/submitted-usage.ts';
import { CsvParser } from './csv.ts';
import { UsageMistake } from './exit.ts';

export interface AwsRecord {
  readonly grain: Grain;
  readonly reported: readonly ReportedUsage[];
  /** What could not be read, and why. */
  readonly unread: readonly string[];
}

/** Collects calls, file by file or page by page: of each record of a call only what is compared is kept. */
export class TrailCollector {
  readonly #records: TrailRecord[] = [];
  readonly #unread: string[] = [];

  add(records: readonly TrailRecord[], unread: readonly string[], where?: string): void {
    for (const record of records) this.#records.push(record);
    for (const each of unread) this.#unread.push(where === undefined ? each : `${where}: ${each}`);
  }

  get count(): number {
    return this.#records.length;
  }

  collected(): AwsRecord {
    return { grain: 'hour', reported: reportedByTrail(this.#records), unread: this.#unread };
  }
}

/** Reads a file of CloudTrail events, or a folder of them as CloudTrail delivers it to a bucket; `.gz` is unpacked. */
export function readTrailFiles(path: string, productCode: string | undefined): AwsRecord {
  const collector = new TrailCollector();
  for (const file of trailFiles(path)) {
    const bytes = readFileSync(file);
    const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
    const { records, unread } = inFile(file, () =>
      parseCloudTrail(text, productCode === undefined ? {} : { productCode }),
    );
    collector.add(records, unread, file);
  }
  return collector.collected();
}

function trailFiles(path: string): string[] {
  if (!opened(path, () => statSync(path)).isDirectory()) return [path];
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(json|jsonl|ndjson)(\.gz)?$/i.test(name))
    .sort();
  if (files.length === 0) throw new UsageMistake(`The folder ${path} holds no file that ends in .json or .json.gz.`);
  return files.map((name) => join(path, name));
}

/** A row of a report is a few hundred characters; a quote that is never closed is longer than any. */
const MAX_ROW_LENGTH = 100_000;

/** Reads a usage report, row by row. Throws InvalidInput where it is none, and says what was expected. */
export async function readReportFile(path: string): Promise<AwsRecord> {
  opened(path, () => statSync(path));
  const parser = new CsvParser();
  let report: SellerReport | undefined;
  const take = (rows: ReturnType<CsvParser['push']>) => {
    for (const { fields, line, problem } of rows) {
      if (report === undefined) report = new SellerReport(fields);
      else if (problem !== undefined) report.unread.push(`Line ${line}: ${problem}.`);
      else report.take(fields, line);
    }
  };
  let isFirst = true;
  for await (const chunk of createReadStream(path, 'utf8') as AsyncIterable<string>) {
    take(parser.push(isFirst ? chunk.replace(/^\u{feff}/u, '') : chunk));
    isFirst = false;
    if (parser.pendingLength > MAX_ROW_LENGTH) {
      throw new InvalidInput(
        'RowTooLong',
        `The row on line ${parser.pendingLine} of ${path} never ends. Close its quote.`,
      );
    }
  }
  take(parser.end());
  if (report === undefined) throw new InvalidInput('HeaderWrong', `${path} is empty. Export the report again.`);
  return { grain: 'day', reported: report.usage(), unread: report.unread };
}

function opened<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw code === undefined ? error : new UsageMistake(`${path} can't be opened (${code}).`);
  }
}

function inFile<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof InvalidInput)
      throw new InvalidInput(error.code, `${file}: ${error.message}`, { cause: error });
    throw error;
  }
}
