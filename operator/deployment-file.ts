// A deployment described in a file, as `npm start` leaves one for as long as it runs.
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { Misconfigured } from '../lambdas/domain/failure.ts';
import { TABLES, type TableKind } from '../lambdas/stores/tables.ts';
import { DEPLOYED_SETTINGS, type DeploymentFacts } from './deployment.ts';

const Text = v.pipe(v.string(), v.nonEmpty());
const TABLE_KINDS = Object.keys(TABLES) as TableKind[];
const Queue = v.strictObject({ url: Text, deadLettersUrl: Text });

function eachText<const N extends string>(names: readonly N[]) {
  const entries = Object.fromEntries(names.map((name) => [name, Text]));
  return v.strictObject(entries as Record<N, typeof Text>);
}

const FactsSchema = v.strictObject({
  stage: Text,
  region: Text,
  tables: eachText(TABLE_KINDS),
  queues: v.strictObject({
    notices: v.exactOptional(Queue),
    webhooks: v.exactOptional(Queue),
    mail: v.exactOptional(Queue),
  }),
  eventBus: Text,
  urls: v.strictObject({ fulfillment: Text, usage: Text }),
  settings: eachText(DEPLOYED_SETTINGS),
  functions: v.record(v.string(), Text),
  endpoints: v.strictObject({
    DYNAMODB: v.exactOptional(Text),
    SQS: v.exactOptional(Text),
    MARKETPLACE_CATALOG: v.exactOptional(Text),
  }),
  simulator: v.exactOptional(v.strictObject({ url: Text, controlSecret: Text })),
});

/** Readable by its owner alone: the simulator's control secret stands in it. */
const OWN = 0o600;

/** Leaves a description of what runs; gives back how to take it away again. */
export function writeDeploymentFile(file: string, facts: DeploymentFacts): () => void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(facts, undefined, 2)}\n`, { mode: OWN });
  // The mode above is for a file that is made; one that a killed start left keeps its own.
  chmodSync(file, OWN);
  return () => rmSync(file, { force: true });
}

/** Throws Misconfigured, which says what to do, where there is no such file or it is none of ours. */
export function readDeploymentFile(file: string): DeploymentFacts {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), FactsSchema), textOf(file));
  if (result.success) return result.output;
  const wrong = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`).join('; ');
  throw new Misconfigured(
    'DeploymentFileMalformed',
    `${file} does not describe a deployment of this version (${wrong}). Start it anew with npm start.`,
  );
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOENT') throw error;
    throw new Misconfigured(
      'NothingRuns',
      `Nothing runs here: ${file} is not there. Run npm start in another terminal (on ports of your own, take over the export line that it prints), or name a deployment: --stage prod --region us-east-1.`,
    );
  }
}
