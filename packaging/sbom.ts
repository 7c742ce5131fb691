// npm run sbom [-- FILE]: the software bill of materials of what is installed without development, as CycloneDX JSON.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { lockedPackages, productionLicences } from './licences.ts';

const ROOT = resolve(import.meta.dirname, '..');

interface Component {
  readonly 'bom-ref': string;
}

interface Bom {
  readonly metadata: { readonly component: Component & { readonly name: string } };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

/** The same for the same lock file, byte for byte: npm's own has a random number and the time, and names the folder. */
export function billOfMaterials(): string {
  const words = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  const {
    serialNumber: _,
    metadata,
    components,
    dependencies,
    ...rest
  } = JSON.parse(
    execFileSync('npm', words, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
  ) as Bom & { readonly serialNumber: string };
  const { timestamp: _at, ...told } = metadata as Bom['metadata'] & { readonly timestamp: string };
  const [name = ''] = told.component['bom-ref'].split('@');
  // npm's own --omit dev loses what a development dependency asks for as well, aws-cdk-lib among it.
  const used = new Set(productionLicences(lockedPackages()).map((each) => `${each.name}@${each.version}`));
  const isUsed = (ref: string) => ref === told.component['bom-ref'] || used.has(ref.split('|')[0] ?? ref);
  const bom = {
    ...rest,
    metadata: { ...told, component: { ...told.component, name } },
    components: components
      .filter((each) => isUsed(each['bom-ref']))
      .sort((one, other) => compare(one['bom-ref'], other['bom-ref'])),
    dependencies: dependencies
      .filter(({ ref }) => isUsed(ref))
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter(isUsed).sort(compare) }))
      .sort((one, other) => compare(one.ref, other.ref)),
  };
  return `${JSON.stringify(bom, undefined, 2)}\n`;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

if (process.argv[1] === import.meta.filename) {
  const [file] = process.argv.slice(2);
  if (file === undefined) process.stdout.write(billOfMaterials());
  else writeFileSync(file, billOfMaterials());
}
