// The commands that the runbook gives an operator: each is one of ours, with options that it has.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { expect, test } from 'vitest';
import { COMMAND_GROUPS } from '../cli/commands.ts';

const RUNBOOK = readFileSync(new URL('../docs/runbook.md', import.meta.url), 'utf8');

const lines = [...RUNBOOK.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
  block
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.startsWith('npx fulfillment ')),
);

test.each(lines)('%s', async (line) => {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '').slice(2);
  const commands = COMMAND_GROUPS.flatMap((group) => group.commands);
  const command = await commands.find(({ name }) => words.join(' ').startsWith(`${name} `))?.load();
  const options = Object.fromEntries(
    Object.entries(command?.options ?? {}).map(([name, { kind }]) => [
      name,
      { type: kind === 'flag' ? ('boolean' as const) : ('string' as const) },
    ]),
  );

  expect(command, 'a command').toBeDefined();
  expect(() =>
    parseArgs({ args: words.slice(command?.name.split(' ').length), options, allowPositionals: true }),
  ).not.toThrow();
});

test('the runbook gives commands, and none that changes a table by hand', () => {
  expect(lines.length).toBeGreaterThan(4);
  expect(RUNBOOK).not.toMatch(/aws dynamodb (?:update|put|delete)-item/);
});
