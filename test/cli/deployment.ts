// A world as the commands find it: by the file that FULFILLMENT_DEPLOYMENT names.
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { COMMAND_GROUPS } from '../../cli/commands.ts';
import { runFulfillment } from '../../cli/fulfillment.ts';
import { writeDeploymentFile } from '../../operator/deployment-file.ts';
import type { BackendWorld } from '../backend-world.ts';
import { aFolder } from './fulfillment.ts';

/** The environment of a command that is to find a world. */
export function environmentOf({ facts }: Pick<BackendWorld, 'facts'>): Record<string, string> {
  const file = join(aFolder(), 'deployment.json');
  writeDeploymentFile(file, facts);
  return { FULFILLMENT_DEPLOYMENT: file };
}

interface Person {
  /** What the person types, at a terminal; nobody is there where absent. */
  readonly typed?: string;
  readonly columns?: number;
  /** Presses Ctrl-C once this has been said. */
  readonly interruptedAt?: string;
}

/** Runs commands in this process, on one world. */
export function commandsOn(world: Pick<BackendWorld, 'facts'>) {
  const environment = environmentOf(world);
  return async (line: string, { typed, columns, interruptedAt }: Person = {}) => {
    const stdin = Object.assign(new PassThrough(), { isTTY: (typed ?? interruptedAt) !== undefined });
    if (typed !== undefined) stdin.end(`${typed}\n`);
    const stdout = Object.assign(new PassThrough(), columns === undefined ? {} : { isTTY: true, columns });
    const stderr = new PassThrough();
    const interruption = new AbortController();
    const said: string[] = [];
    stderr.on('data', (chunk) => {
      said.push(String(chunk));
      if (interruptedAt !== undefined && said.join('').includes(interruptedAt)) interruption.abort();
    });
    const exitCode = await runFulfillment(COMMAND_GROUPS, wordsOf(line), {
      stdin,
      stdout,
      stderr,
      signal: interruption.signal,
      environment,
    });
    return { exitCode, stdout: textOf(stdout), stderr: said.join('') };
  };
}

/** The words of a line as a shell parts them: double quotes keep words together. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

function textOf(stream: PassThrough): string {
  return String(stream.read() ?? '');
}
