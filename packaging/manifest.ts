// The package.json of what is published, made from that of the repository.

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** An app has one CDK: its constructs and ours have to be of the same classes. */
const PEERS: readonly string[] = ['aws-cdk-lib', 'constructs'];

/** The functions are bundled when the seller's app is synthesized. */
const NEEDED_AT_SYNTHESIS = 'esbuild';

/** Types that our own declarations name. */
const NEEDED_BY_TYPES = '@types/aws-lambda';

export function publishedManifest(manifest: Manifest) {
  const { name, version, description, license, engines, bin, exports, dependencies, devDependencies } = manifest;
  const versions = Object.entries(dependencies);
  const moved = [NEEDED_AT_SYNTHESIS, NEEDED_BY_TYPES].map((each) => [each, devDependencies[each]] as const);
  return {
    name,
    version,
    description,
    license,
    type: 'module',
    engines,
    bin: Object.fromEntries(Object.entries(bin).map(([command, file]) => [command, javaScriptOf(file)])),
    exports: Object.fromEntries(
      Object.entries(exports).map(([path, file]) => [
        path,
        { types: file.replace(/\.ts$/, '.d.ts'), default: javaScriptOf(file) },
      ]),
    ),
    dependencies: Object.fromEntries([...versions.filter(([each]) => !PEERS.includes(each)), ...moved]),
    peerDependencies: Object.fromEntries(
      versions.filter(([each]) => PEERS.includes(each)).map(([each, exact]) => [each, `^${exact}`]),
    ),
  };
}

function javaScriptOf(file: string): string {
  return file.replace(/\.ts$/, '.js');
}
