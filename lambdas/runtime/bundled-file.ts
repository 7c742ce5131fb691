// Files that the stacks put beside a function's bundle, for what its settings have no room for.
import { readFileSync } from 'node:fs';

/** The text of such a file. In the bundle, this module's address is the bundle's. */
export function bundledFile(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}
