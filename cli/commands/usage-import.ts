// fulfillment usage import: reports the usage in a file, once, however often it is run.
import { once } from 'node:events';
import { createReadStream, createWriteStream, realpathSync, statSync } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { reasonOf } from '../../client/retry.ts';
import { UsageUnconfirmed } from '../../client/usage-event.ts';
import { InvalidInput, Misconfigured } from '../../lambdas/domain/failure.ts';
import { deploymentFacts } from '../at-desk.ts';
import { type Call, defineCommand, type Terminal } from '../command.ts';
import { openDestination } from '../destination.ts';
import { EXIT, UsageMistake } from '../exit.ts';
import { IMPORT_OPTIONS, type ImportArguments, readArguments } from '../import-arguments.ts';
import { Progress, rejectedLine, resultJson, resultTable } from '../import-report.ts';
import { type ImportResult, importRows, type RejectedRow } from '../import-run.ts';
import { readUsageFile } from '../usage-file.ts';

const ABOUT = `Reports the usage in a file. Run it again after a stop or a fault: rows that stand are found to stand already, and
nothing is billed twice. FILE is CSV or JSON lines, UTF-8; - reads standard input. Columns and members:
id, dimension, quantity, time, and the buyer by customerId, licenseArn, or productCode and customerIdentifier;
tags as columns tag:<Key>, or as the member tags. Where to is said in exactly one way.

Exit codes: 0 every row stands; 1 some rows were refused or conflict; 2 wrong arguments, a file that can't be read, or
a destination that takes no usage from you: mend it first; 3 a fault, run it again; 130 interrupted, run it again.
`;

const usageImport = defineCommand({
  name: 'usage import',
  operands: 'FILE',
  about: ABOUT,
  options: IMPORT_OPTIONS,
  examples: [
    'fulfillment usage import september.csv --local',
    'fulfillment usage import events.jsonl --stage prod --rejects bad.jsonl',
    'fulfillment usage import september.csv --url https://abc123.execute-api.us-east-1.amazonaws.com/prod/usage',
    'zcat events.jsonl.gz | fulfillment usage import - --format jsonl --usage-table UsageTable-1A --work-table WorkTable-3C',
  ],
  run,
});

/** This many refused rows are shown; the file of rejects has all. */
const SHOWN_REJECTS = 10;

async function run(call: Call<typeof IMPORT_OPTIONS>, terminal: Terminal): Promise<number> {
  const wanted = readArguments(call);
  const where = await whereTo(wanted, call, terminal);
  const source = openSource(wanted, terminal);
  const rejects = await openRejects(wanted);
  const progress = new Progress(terminal.stderr, source.bytes, wanted.isDryRun);
  const destination = openDestination({ ...wanted, ...where }, terminal.signal, (line) => progress.say(line));
  let shown = 0;
  const onReject = async (row: RejectedRow) => {
    await rejects.keep(row);
    shown += 1;
    if (shown <= SHOWN_REJECTS) progress.say(rejectedLine(row));
    if (shown === SHOWN_REJECTS + 1) progress.say('More rows were not taken; --rejects FILE keeps all of them.');
  };
  const counted = async function* () {
    for await (const chunk of source.stream as AsyncIterable<Uint8Array>) {
      progress.bytesRead += chunk.length;
      yield chunk;
    }
  };
  try {
    const rows = readUsageFile(counted(), wanted.format);
    const { send } = destination;
    const result = await importRows(rows, {
      send,
      onReject,
      onProgress: (tally) => progress.show(tally),
      signal: terminal.signal,
    });
    progress.clear();
    if (result.tally.rows === 0 && result.ended === 'finished')
      terminal.stderr.write(`${wanted.file === '-' ? 'The input' : wanted.file} holds no rows.\n`);
    if (result.ended !== 'finished') terminal.stderr.write(`${unfinished(result)}\n`);
    const asText = wanted.isJson ? resultJson : resultTable;
    terminal.stdout.write(asText(result, progress.seconds(), wanted.isDryRun));
    return exitCode(result);
  } catch (error) {
    progress.clear();
    throw inFile(error);
  } finally {
    source.stream.destroy();
    await destination.close();
    await rejects.close();
  }
}

async function whereTo({ destination }: ImportArguments, { values }: Call<typeof IMPORT_OPTIONS>, terminal: Terminal) {
  if (destination.kind !== 'deployment') return { destination };
  const { urls, region } = await deploymentFacts(values, terminal);
  return { destination: { kind: 'api', url: urls.usage, sign: values.sign } as const, region };
}

function exitCode({ ended, tally, fault }: ImportResult): number {
  if (ended === 'interrupted') return EXIT.interrupted;
  if (ended === 'fault') return isLasting(fault) ? EXIT.mistake : EXIT.fault;
  return tally.conflict + tally.refused > 0 ? EXIT.refused : EXIT.done;
}

function unfinished({ ended, fault }: ImportResult): string {
  if (ended === 'interrupted')
    return 'Interrupted. Run the same command again: what was recorded is not recorded twice.';
  if (isLasting(fault))
    return `${reasonOf(fault.cause)}\nMend this before you run it again: a repeat alone ends the same.`;
  return `${fault instanceof Error ? fault.message : String(fault)}\nRun the same command again: what was recorded is not recorded twice.`;
}

/** Whether the rows would meet the same fault again: a wrong address, a missing permission. */
function isLasting(fault: unknown): fault is UsageUnconfirmed {
  return fault instanceof UsageUnconfirmed && !fault.retryable;
}

interface Source {
  readonly stream: Readable;
  /** Unknown for a pipe. */
  readonly bytes: number | undefined;
}

function openSource({ file }: ImportArguments, { stdin, signal }: Terminal): Source {
  if (file === '-') return { stream: addAbortSignal(signal, stdin), bytes: undefined };
  try {
    const about = statSync(file);
    if (about.isDirectory()) throw new UsageMistake(`${file} is a folder.`);
    return { stream: createReadStream(file, { signal }), bytes: about.isFile() ? about.size : undefined };
  } catch (error) {
    throw unreadable(error, file);
  }
}

interface Rejects {
  keep(row: RejectedRow): Promise<void>;
  close(): Promise<void>;
}

/** Opened before anything is sent: a file that can't be written is found out in time. */
async function openRejects({ file, rejectsFile }: ImportArguments): Promise<Rejects> {
  if (rejectsFile === undefined) return { keep: async () => {}, close: async () => {} };
  if (isSameFile(file, rejectsFile)) throw new UsageMistake('--rejects names the file that is to be imported.');
  const stream = createWriteStream(rejectsFile);
  try {
    await once(stream, 'open');
  } catch (error) {
    throw unreadable(error, rejectsFile);
  }
  return {
    keep: async (row) => {
      if (!stream.write(`${JSON.stringify(row)}\n`)) await once(stream, 'drain');
    },
    close: () => new Promise((resolve) => stream.end(() => resolve())),
  };
}

function isSameFile(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return false;
  }
}

function unreadable(error: unknown, file: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === undefined ? error : new UsageMistake(`${file} can't be opened (${code}).`);
}

/** A file that can't be understood, or a table that is not named, is the caller's to mend; anything else stays what it is. */
function inFile(error: unknown): unknown {
  const isMistake = error instanceof InvalidInput || error instanceof Misconfigured;
  return isMistake ? new UsageMistake(error.message, { cause: error }) : unreadable(error, 'FILE');
}

export const commands = [usageImport];
