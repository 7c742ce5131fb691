// What each function did in this run, beside what its role lets it do.
import { permittedTo, synthesize } from '../lib/synthesized.ts';
import type { DeployedResource } from './deployed.ts';
import { settings } from './settings.ts';

export interface Permitted {
  readonly name: string;
  readonly used: readonly string[];
  readonly unused: readonly string[];
  /** Done without leave: on AWS it would have been refused. */
  readonly missing: readonly string[];
}

/** By function; `taken` has what each did, by the function's name in the account. */
export function comparePermissions(
  resources: readonly DeployedResource[],
  taken: ReadonlyMap<string, ReadonlySet<string>>,
): readonly Permitted[] {
  const stacks = synthesize(settings(2));
  return resources
    .filter(({ type }) => type === 'AWS::Lambda::Function')
    .map(({ logicalId, physicalId }) => {
      const name = logicalId.replace(/Function[0-9A-F]+$/, '');
      const allowed = permittedTo(stacks, name);
      const done = [...(taken.get(physicalId) ?? [])];
      const isOf = (permission: string, action: string) =>
        permission === action || permission.startsWith(`${action} on `);
      return {
        name,
        used: allowed.filter((permission) => done.some((action) => isOf(permission, action))),
        unused: allowed.filter((permission) => !done.some((action) => isOf(permission, action))),
        missing: done.filter((action) => !allowed.some((permission) => isOf(permission, action))),
      };
    });
}
