// What shells complete, asked of the shells themselves where they are on this machine.
import { spawnSync } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { COMMAND_GROUPS } from '../../cli/commands.ts';
import { runFulfillment } from '../../cli/fulfillment.ts';
import { aFile } from './fulfillment.ts';

async function scriptFor(shell: string): Promise<string> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const { signal } = new AbortController();
  await runFulfillment(COMMAND_GROUPS, ['completion', shell], { stdin, stdout, stderr, signal, environment: {} });
  return String(stdout.read());
}

/** What a shell prints of a script; fails where it complains. */
function run(shell: string, ...args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(shell, args, {
    encoding: 'utf8',
    env: { ...process.env, HOME: '/nonexistent' },
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.trim();
}

const isHere = (shell: string) => spawnSync(shell, ['--version']).status === 0;

const WORDS: readonly (readonly [typed: readonly string[], completed: readonly string[]])[] = [
  [['led'], ['ledger']],
  [['records', 're'], ['release']],
  [['records', 'release', '--with'], ['--with-groups']],
  [['notices', 'l'], ['ls']],
  [['buyer', 'subscribe', '--comp'], ['--company']],
];

describe('completion of commands, their second words and their options', () => {
  test('works in bash', async () => {
    const script = await scriptFor('bash');
    const completed = (words: readonly string[]) => {
      const line = `COMP_WORDS=(fulfillment ${words.join(' ')}); COMP_CWORD=${words.length}; _fulfillment; echo "\${COMPREPLY[*]}"`;
      return run('bash', '-c', `${script}\n${line}`).split(' ');
    };

    expect(WORDS.map(([words]) => completed(words))).toEqual(WORDS.map(([, completions]) => completions));
  });

  test.runIf(isHere('zsh'))('works in zsh', async () => {
    const file = aFile('completion.zsh', await scriptFor('zsh'));
    // Outside of a completion zsh has no candidates to add to: what would be added is printed.
    const prelude = 'compdef() { :; }; compadd() { shift; print -l -- $@ }';
    const completed = (words: readonly string[]) => {
      const line = `words=(fulfillment ${words.join(' ')}); CURRENT=${words.length + 1}; _fulfillment`;
      const offered = run('zsh', '-f', '-c', `${prelude}; source ${file}; ${line}`).split('\n');
      return offered.filter((word) => word.startsWith(words.at(-1) ?? ''));
    };

    expect(WORDS.map(([words]) => completed(words))).toEqual(WORDS.map(([, completions]) => completions));
  });

  test.runIf(isHere('fish'))('works in fish', async () => {
    const file = aFile('completion.fish', await scriptFor('fish'));
    const completed = (words: readonly string[]) =>
      run('fish', '--no-config', '-c', `source ${file}; complete -C 'fulfillment ${words.join(' ')}'`)
        .split('\n')
        .map((line) => line.split('\t')[0]);

    expect(WORDS.map(([words]) => completed(words))).toEqual(WORDS.map(([, completions]) => completions));
    expect(completed(['groups', 'release', '--he'])).toEqual(['--help']);
    expect(completed(['usage', 'import', '--format', '']).sort()).toEqual(['csv', 'jsonl']);
    // A file is next, and no second word once more.
    expect(completed(['usage', 'import', 'package.j'])).toEqual(['package.json']);
    expect(completed(['usage', 'import', 'im'])).not.toContain('import');
  });

  test.skipIf(isHere('zsh'))('for zsh, which is not on this machine, is at least what bash can parse', async () => {
    const file = aFile('completion.zsh', await scriptFor('zsh'));

    expect(run('bash', '-n', file)).toBe('');
  });

  test.skipIf(isHere('fish'))(
    'for fish, which is not on this machine, is at least lines of complete with their quotes closed',
    async () => {
      const script = await scriptFor('fish');

      const lines = script.trimEnd().split('\n');
      // Within single quotes fish knows \\ and \' alone.
      const line =
        /^complete -c fulfillment( -f| -r| -x| -n (\w+|'[^'\\]*')| -l [\w-]+| -a ([\w-]+|'[^'\\]*')| -d '([^'\\]|\\['\\])*')+$/;
      expect(lines.length).toBeGreaterThan(COMMAND_GROUPS.flatMap(({ commands }) => commands).length);
      expect(lines.filter((each) => !line.test(each))).toEqual([]);
    },
  );
});
