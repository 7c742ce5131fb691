// fulfillment completion: what makes a shell complete commands and options.
import { type Command, type CommandGroup, defineCommand, operand } from '../command.ts';
import { EXIT, UsageMistake } from '../exit.ts';

interface Completed extends Pick<Command, 'name' | 'options'> {
  readonly summary: string;
}

/** Completes the commands of these groups. */
export function completionCommand(groups: readonly CommandGroup[]): Command {
  return defineCommand({
    name: 'completion',
    operands: 'SHELL',
    about: `SHELL is bash, zsh or fish. It goes by the name fulfillment: call it so, or by an alias of that name.
`,
    options: {},
    examples: [
      'source <(fulfillment completion bash)',
      'source <(fulfillment completion zsh)',
      'fulfillment completion fish > ~/.config/fish/completions/fulfillment.fish',
    ],
    run: async (call, { stdout }) => {
      const script = SCRIPTS[operand(call, 0, 'the shell: bash, zsh or fish')];
      if (!script) throw new UsageMistake('There is completion for bash, zsh and fish.');
      const commands = groups.flatMap((group) => group.commands);
      const loaded = commands.map(async ({ summary, load }) => ({ ...(await load()), summary }));
      stdout.write(script(await Promise.all(loaded)));
      return EXIT.done;
    },
  });
}

const SCRIPTS: Readonly<Record<string, (commands: readonly Completed[]) => string>> = { bash, zsh, fish };

/** What may follow each beginning of a command: `''` for the first word, `usage` for the second. */
function followers(commands: readonly Completed[]): Map<string, Set<string>> {
  const followers = new Map<string, Set<string>>();
  const add = (beginning: string, word: string) => {
    followers.set(beginning, (followers.get(beginning) ?? new Set()).add(word));
  };
  for (const { name, options } of commands) {
    const words = name.split(' ');
    for (const [index, word] of words.entries()) add(words.slice(0, index).join(' '), word);
    for (const option of [...Object.keys(options), 'help']) add(name, `--${option}`);
  }
  return followers;
}

function cases(commands: readonly Completed[]): string {
  return [...followers(commands)]
    .map(([beginning, words]) => `    '${beginning}') words='${[...words].join(' ')}' ;;`)
    .join('\n');
}

function bash(commands: readonly Completed[]): string {
  return `_fulfillment() {
  local current=\${COMP_WORDS[COMP_CWORD]} beginning='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] && break
    beginning="\${beginning:+$beginning }$word"
  done
  case $beginning in
${cases(commands)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ -n $words ]] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _fulfillment fulfillment
`;
}

function zsh(commands: readonly Completed[]): string {
  return `#compdef fulfillment
_fulfillment() {
  local beginning='' found='' word
  local -a candidates
  for word in \${words[2,CURRENT-1]}; do
    [[ $word == -* ]] && break
    beginning="\${beginning:+$beginning }$word"
  done
  case $beginning in
${cases(commands).replaceAll(') words=', ') found=')}
  esac
  candidates=(\${=found})
  (( \${#candidates} )) && compadd -- $candidates || _files
}
compdef _fulfillment fulfillment
`;
}

function fish(commands: readonly Completed[]): string {
  const groups = Map.groupBy(
    commands.filter(({ name }) => name.includes(' ')),
    ({ name }) => name.split(' ')[0] ?? '',
  );
  const heads = [...groups.keys()].map((group) => `complete -c fulfillment -f -n __fish_use_subcommand -a ${group}`);
  const lines = commands.flatMap(({ name, summary, options }) => {
    const [first = '', second] = name.split(' ');
    const seconds = (groups.get(first) ?? []).map((each) => each.name.split(' ')[1]).join(' ');
    const when = second
      ? `__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${seconds}`
      : '__fish_use_subcommand';
    const seen = [first, ...(second ? [second] : [])]
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join('; and ');
    return [
      `complete -c fulfillment -f -n '${when}' -a ${second ?? first} -d ${quoted(summary)}`,
      ...Object.entries(options).map(
        ([option, each]) => `complete -c fulfillment -n '${seen}' -l ${option}${takes(each)} -d ${quoted(each.help)}`,
      ),
    ];
  });
  return `${[...heads, ...lines, "complete -c fulfillment -l help -d 'this command and its options'"].join('\n')}\n`;
}

function takes(option: Completed['options'][string]): string {
  if (option.kind === 'flag') return '';
  return option.choices ? ` -x -a '${option.choices.join(' ')}'` : ' -r';
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
