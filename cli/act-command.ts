// Makes a command of an act: shows what it would do, has it confirmed, does it.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { gunzipSync } from 'node:zlib';
import { type ActAnswer, draftAct, newAct, type OperatorAct } from '../operator/acts/act.ts';
import type { Mistaken, RawInput } from '../operator/acts/field.ts';
import type { Desk } from '../operator/desk.ts';
import { atDesk, DEPLOYMENT, JSON_OUTPUT } from './at-desk.ts';
import { type Command, defineCommand, type Terminal } from './command.ts';
import { EXIT, UsageMistake } from './exit.ts';
import { flag, type Options, value } from './options.ts';
import { shown, tableOf } from './table.ts';

const DOING = {
  why: value('TEXT', 'the reason, as the audit keeps it; needed unless --dry-run'),
  'act-id': value('ID', 'does the same act again: what is done already stays, and what is left is done'),
  'dry-run': flag('only shows what it would do'),
  yes: flag('goes on without asking'),
};

const SHARED = { ...DOING, ...DEPLOYMENT, ...JSON_OUTPUT };

interface Naming {
  readonly name: string;
  /** How the command is called, after its name. */
  readonly examples: readonly string[];
  /** Options of other names than their fields. */
  readonly renamed?: Readonly<Record<string, string>>;
}

export function actCommand(act: OperatorAct, { name, examples, renamed = {} }: Naming): Command {
  const names = { licenceKey: 'licence', ...renamed };
  const options = { ...fieldOptions(act, names), ...SHARED };
  return defineCommand({
    name,
    about: `${act.help}\nWho did it, and why, is kept in the audit for ever.\n`,
    options,
    examples: examples.map((rest) => `fulfillment ${name} ${rest}`),
    run: async ({ values }, terminal) => {
      const given: Readonly<Record<string, string | boolean | undefined>> = values;
      const raw = rawInput(act, names, given);
      const isDryRun = values['dry-run'];
      const why = values.why?.trim();
      if (!why && !isDryRun) throw new UsageMistake('Say why it is done: --why TEXT. The audit keeps it.');
      return atDesk(values, terminal, (desk) =>
        new Doing(act, { desk, terminal, names, isJson: values.json }).run(raw, {
          why: why ?? '',
          actionId: values['act-id'],
          isDryRun,
          isConfirmed: values.yes,
        }),
      );
    },
  });
}

interface Wish {
  readonly why: string;
  readonly actionId: string | undefined;
  readonly isDryRun: boolean;
  readonly isConfirmed: boolean;
}

interface Setting {
  readonly desk: Desk;
  readonly terminal: Terminal;
  readonly names: Readonly<Record<string, string>>;
  readonly isJson: boolean;
}

class Doing {
  readonly #act: OperatorAct;
  readonly #setting: Setting;

  constructor(act: OperatorAct, setting: Setting) {
    this.#act = act;
    this.#setting = setting;
  }

  async run(raw: RawInput, { why, actionId, isDryRun, isConfirmed }: Wish): Promise<number> {
    const { desk, terminal } = this.#setting;
    const act = why === '' ? await draftAct(desk) : await newAct(desk, why, actionId);
    const planned = await this.#act.perform(desk, raw, { act, dryRun: true });
    if (planned.kind !== 'planned' || isDryRun) return this.#tell(planned);
    if (!this.#setting.isJson) this.#show(planned, terminal.stderr);
    if (planned.confirmation !== undefined && !isConfirmed) {
      if (!(await isConfirmedIn(planned.confirmation, terminal))) {
        terminal.stderr.write('Nothing was done.\n');
        return terminal.signal.aborted ? EXIT.interrupted : EXIT.refused;
      }
    }
    return this.#tell(await this.#act.perform(desk, raw, { act, dryRun: false }));
  }

  #tell(answer: ActAnswer | Mistaken): number {
    const { terminal, isJson, names } = this.#setting;
    if (answer.kind === 'mistaken') throw mistakeOf(answer, names);
    if (isJson) terminal.stdout.write(`${JSON.stringify({ act: this.#act.name, ...answer })}\n`);
    if (answer.kind === 'refused') {
      if (!isJson) terminal.stderr.write(`Refused: ${answer.message}\n`);
      return EXIT.refused;
    }
    if (!isJson) this.#show(answer, terminal.stdout);
    return EXIT.done;
  }

  #show(answer: Exclude<ActAnswer, { readonly kind: 'refused' }>, out: Terminal['stdout'] | Terminal['stderr']): void {
    const { terminal } = this.#setting;
    const lead = { planned: 'Would do: ', done: 'Done: ', already: '' }[answer.kind];
    out.write(`${lead}${shown(answer.summary)}\n`);
    // Its plan has shown the changes.
    if (answer.kind === 'planned' && answer.changes.length > 0) {
      const columns = [
        { title: '', of: ({ what }: Change) => what },
        { title: 'before', of: ({ before }: Change) => shown(before) },
        { title: 'after', of: ({ after }: Change) => shown(after) },
      ];
      out.write(`\n${tableOf(columns, answer.changes, terminal)}`);
    }
    for (const note of answer.notes) out.write(`\n${note}\n`);
    if (answer.kind === 'done') out.write(`\nAct ${answer.actionId}\n`);
  }
}

type Change = Exclude<ActAnswer, { readonly kind: 'refused' }>['changes'][number];

async function isConfirmedIn(words: string, { stdin, stderr, signal }: Terminal): Promise<boolean> {
  if (!stdin.isTTY) {
    throw new UsageMistake('This can not be undone, and nobody is at the terminal to confirm it. Add --yes to go on.');
  }
  const lines = createInterface({ input: stdin, output: stderr });
  try {
    const typed = await lines.question(`\nThis can not be undone. To go on, type: ${words}\n> `, { signal });
    return typed.trim() === words;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  } finally {
    lines.close();
  }
}

function fieldOptions({ fields }: OperatorAct, names: Readonly<Record<string, string>>): Options {
  return Object.fromEntries(
    Object.entries(fields).map(([field, { help, isFlag, choices, example, isRequired }]) => {
      if (isFlag) return [optionName(field, names), flag(help)];
      const needed = isRequired ? '' : ' (may be left out)';
      return [optionName(field, names), value(placeholderOf(field, example), `${help}${needed}`, choices)];
    }),
  );
}

function placeholderOf(field: string, example: string): string {
  return example.length <= 16 && !example.includes(' ') ? example : optionName(field, {}).toUpperCase();
}

function rawInput(
  { fields }: OperatorAct,
  names: Readonly<Record<string, string>>,
  values: Readonly<Record<string, string | boolean | undefined>>,
): RawInput {
  return Object.fromEntries(
    Object.entries(fields).map(([field, { isFile }]) => {
      const given = values[optionName(field, names)];
      if (typeof given === 'boolean') return [field, yesOrNo(given)];
      return [field, isFile && given !== undefined ? fileText(given) : given];
    }),
  );
}

/** A log of AWS's is compressed. */
const GZIP = Buffer.from([0x1f, 0x8b]);

function fileText(path: string): string {
  try {
    const bytes = readFileSync(path);
    return (bytes.subarray(0, 2).equals(GZIP) ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw code === undefined ? error : new UsageMistake(`${path} can't be read (${code}).`);
  }
}

function yesOrNo(isGiven: boolean): string {
  return isGiven ? 'yes' : 'no';
}

function mistakeOf({ problems }: Mistaken, names: Readonly<Record<string, string>>): UsageMistake {
  const lines = problems.map(({ field, message }) => `--${optionName(field, names)} ${message}.`);
  return new UsageMistake(lines.join('\n'));
}

/** `withGroups` is --with-groups. */
function optionName(field: string, names: Readonly<Record<string, string>>): string {
  return names[field] ?? field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
