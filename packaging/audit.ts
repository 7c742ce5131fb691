// npm run audit: asks the registry for known vulnerabilities of what is locked. A registry that does not answer is no
// clean answer: the check says so, and ends in a code of its own.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');

/** Known and looked at: why each does us no harm. None at present. */
export const EXPLAINED: Readonly<Record<string, string>> = {};

export type Audit =
  | { readonly kind: 'clean'; readonly explained: number }
  | { readonly kind: 'vulnerable'; readonly found: readonly string[] }
  | { readonly kind: 'unanswered'; readonly why: string };

interface Via {
  readonly url?: string;
  readonly title?: string;
}

interface Report {
  readonly vulnerabilities?: Readonly<
    Record<string, { readonly severity: string; readonly via: readonly (string | Via)[] }>
  >;
  readonly message?: string;
  readonly error?: { readonly summary?: string };
}

/** What `npm audit --json` printed. */
export function readAudit(text: string, explained: Readonly<Record<string, string>> = EXPLAINED): Audit {
  const report = readReport(text);
  const { vulnerabilities } = report ?? {};
  if (!vulnerabilities) {
    return { kind: 'unanswered', why: report?.message ?? report?.error?.summary ?? 'npm printed no report.' };
  }
  // An advisory is told at the package that has it; those that depend on it name that package alone.
  const advisories = Object.entries(vulnerabilities).flatMap(([name, { severity, via }]) =>
    via.flatMap((each) =>
      typeof each === 'string'
        ? []
        : [{ id: each.url?.split('/').at(-1) ?? 'unnamed', name, severity, title: each.title }],
    ),
  );
  const found = advisories.filter(({ id }) => explained[id] === undefined);
  if (found.length === 0) return { kind: 'clean', explained: advisories.length };
  return {
    kind: 'vulnerable',
    found: found.map(({ id, name, severity, title }) => `${id} ${severity} ${name}: ${title}`),
  };
}

function readReport(text: string): Report | undefined {
  try {
    return JSON.parse(text) as Report;
  } catch {
    return undefined;
  }
}

export function audit(): Audit {
  return readAudit(spawnSync('npm', ['audit', '--json'], { cwd: ROOT, encoding: 'utf8' }).stdout);
}

if (process.argv[1] === import.meta.filename) {
  const outcome = audit();
  switch (outcome.kind) {
    case 'clean':
      console.log(`No known vulnerability that is not explained; ${outcome.explained} are.`);
      break;
    case 'vulnerable':
      console.error(outcome.found.join('\n'));
      process.exitCode = 1;
      break;
    case 'unanswered':
      console.error(`NOT CHECKED for vulnerabilities: the registry does not answer. ${outcome.why}`);
      process.exitCode = 3;
  }
}
