// The doctor's page against its source.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const page = readFileSync(join(ROOT, 'docs/doctor.md'), 'utf8');

function sourceOf(folder: string): string {
  const files = readdirSync(join(ROOT, folder)).filter((file) => file.endsWith('.ts'));
  return files.map((file) => readFileSync(join(ROOT, folder, file), 'utf8')).join('\n');
}

function found(source: string, pattern: RegExp): string[] {
  return [...new Set([...source.matchAll(pattern)].map(([, name = '']) => name))].sort();
}

describe('docs/doctor.md', () => {
  test('explains every code that a check gives, and no other', () => {
    const codes = found(sourceOf('operator/doctor/checks'), /(?:\b(?:ok|note|problem|unseen)\(|code:)\s*'([A-Z]\w+)'/g);
    const explained = found(page.replace(/```[\s\S]*?```/g, ''), /`([A-Z][a-z]+[A-Z]\w+)`/g);

    expect(codes.length).toBeGreaterThan(50);
    expect(explained.filter((code) => code !== 'RequestAnswered')).toEqual(codes);
  });

  test('asks for every permission that a look takes', () => {
    const taken = found(sourceOf('operator/doctor/probes'), /\bprobe\('([a-z-]+:\w+)'/g);

    expect(taken.length).toBeGreaterThan(15);
    expect(taken.filter((action) => action !== 'sts:GetCallerIdentity' && !page.includes(`"${action}"`))).toEqual([]);
  });
});
