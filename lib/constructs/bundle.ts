// How a handler becomes the one file that Lambda loads. The stacks and the benchmark bundle by the same options.
import { readdirSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import type { HandlerName } from '../../lambdas/runtime/settings.ts';

export interface BundleOptions {
  /**
   * Whether the parts of the SDK that we never use go in, as they would without us. For comparison only.
   * @default false
   */
  readonly wholeSdk?: boolean;
}

/** Where the handlers stand. */
export const LAMBDAS_FOLDER = fileURLToPath(new URL('../../lambdas/', import.meta.url));

/** An ES module by its ending, since no package.json lies beside it. */
export const BUNDLE_FILE = 'index.mjs';

/** `.ts` here, `.js` where this is a package. */
const SOURCE_ENDING = extname(import.meta.filename);

const HANDLER_ENDING = `.handler${SOURCE_ENDING}`;

/** Parts of the SDK that our functions never use, and what stands in for them. */
const STAND_INS = {
  '@aws-sdk/credential-provider-node': sourceFile(
    new URL('../../lambdas/runtime/environment-credentials.ts', import.meta.url),
  ),
  '@smithy/core/event-streams': sourceFile(new URL('../../lambdas/runtime/no-event-streams.ts', import.meta.url)),
};

function sourceFile(url: URL): string {
  return fileURLToPath(url).replace(/\.ts$/, SOURCE_ENDING);
}

/** Every handler that has a file. */
export function handlerNames(): string[] {
  return readdirSync(LAMBDAS_FOLDER)
    .filter((file) => file.endsWith(HANDLER_ENDING))
    .map((file) => file.slice(0, -HANDLER_ENDING.length))
    .sort();
}

/** Bundles a handler with everything it needs, the SDK included: the runtime's own is slower to load, and changes. */
export function bundleHandler(
  handler: HandlerName | (string & {}),
  outfile: string,
  options: BundleOptions = {},
): void {
  buildSync({
    entryPoints: [`${LAMBDAS_FOLDER}${handler}${HANDLER_ENDING}`],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // Packages' ES modules, which can be shaken; by default esbuild would take CommonJS for Node.
    mainFields: ['module', 'main'],
    minify: true,
    // Answers depend on the names of our failure classes.
    keepNames: true,
    legalComments: 'none',
    logLevel: 'error',
    alias: options.wholeSdk ? {} : STAND_INS,
  });
}
