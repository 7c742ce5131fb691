// The console's own style and script. Their addresses change with their content, so browsers may keep them.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Asset {
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

export const ASSETS = {
  style: assetOf('console.css', 'text/css; charset=utf-8'),
  script: assetOf('live.js', 'text/javascript; charset=utf-8'),
} as const;

function assetOf(file: string, type: string): Asset {
  const text = readFileSync(join(import.meta.dirname, 'assets', file), 'utf8');
  const version = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return { path: `/assets/${version}/${file}`, type, text };
}

export function assetAt(path: string): Asset | undefined {
  return Object.values(ASSETS).find((asset) => asset.path === path);
}
