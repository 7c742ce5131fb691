// The plain CDK CLI, pointed at the emulator by the variables that the AWS SDK itself reads.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { stackName } from './deployed.ts';
import { CREDENTIALS, REGION } from './emulator.ts';

const CLI = createRequire(import.meta.url).resolve('aws-cdk/bin/cdk');
const APP = `'${process.execPath}' --disable-warning=ExperimentalWarning ${join(import.meta.dirname, 'app.ts')}`;

/** Outputs by stack, then by name. */
export type Outputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

export function outputOf(outputs: Outputs, stack: string, name: string): string {
  const value = outputs[stackName(stack)]?.[name];
  if (value === undefined) throw new Error(`The stack ${stack} has no output ${name}.`);
  return value;
}

export class Cdk {
  readonly #folder: string;
  readonly #endpoint: string;

  constructor(folder: string, endpoint: string) {
    this.#folder = folder;
    this.#endpoint = endpoint;
  }

  async bootstrap(settings: object): Promise<void> {
    await this.#run(['bootstrap', ...this.#app(settings)]);
  }

  /** Deploys all stacks and gives their outputs. Throws with the CLI's own words where it fails. */
  async deploy(settings: object): Promise<Outputs> {
    const outputs = join(this.#folder, 'outputs.json');
    const options = ['--all', '--require-approval', 'never', '--outputs-file', outputs];
    await this.#run(['deploy', ...options, ...this.#app(settings)]);
    return JSON.parse(readFileSync(outputs, 'utf8'));
  }

  async destroy(stack: string, settings: object): Promise<void> {
    await this.#run(['destroy', stack, '--force', ...this.#app(settings)]);
  }

  #app(settings: object): string[] {
    const context = `fulfillment=${JSON.stringify(settings)}`;
    return ['--app', APP, '--output', join(this.#folder, 'cdk.out'), '--context', context];
  }

  #run(words: readonly string[]): Promise<void> {
    const child = spawn(process.execPath, [CLI, ...words, '--progress', 'events'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        // No profile and no setting of the person who runs this.
        HOME: join(this.#folder, 'work'),
        CI: '1',
        AWS_ENDPOINT_URL: this.#endpoint,
        AWS_REGION: REGION,
        AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      },
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk;
      });
    }
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        if (code === 0) resolve();
        else reject(new Error(`cdk ${words[0]} ended with code ${code}:\n${said.slice(-4_000)}`));
      });
    });
  }
}
