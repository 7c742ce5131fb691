// Synthesized stacks as lines of text, so that a pull request shows what changes in a deployment: one property a line,
// each with its whole path, nothing left out but CDK's own bookkeeping.
import { createHash } from 'node:crypto';
import { diff } from 'node:util';
import type { CloudAssembly, CloudFormationStackArtifact } from 'aws-cdk-lib/cx-api';

/** The lines of each stack and each resource, by `Storage` and `Storage/<logical id>`. */
export type ReadableStacks = ReadonlyMap<string, readonly string[]>;

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties?: object }>>;
  readonly Outputs?: Readonly<Record<string, object>>;
}

/** A value that is shorter stands on one line. */
const LINE = 140;

/** An element that is longer is taken apart. */
const PAGE = 1_500;

/** What is longer is a page or a style sheet, and tested where it is made. */
const TEXT = 400;

/** @param homeRegion - written as `<home>`: another one would change half the lines. */
export function readableStacks(assembly: CloudAssembly, homeRegion: string): ReadableStacks {
  const entries = [...assembly.stacks].sort((one, other) => order(one.id, other.id)).flatMap(linesOfStack);
  const fixed = (text: string) => text.replaceAll(homeRegion, '<home>').replace(API_DEPLOYMENT, '$1<hash>');
  return new Map(entries.map(([name, lines]) => [fixed(name), lines.map(fixed)]));
}

/** API Gateway's deployments are named by what they deploy. */
const API_DEPLOYMENT = /(ApiDeployment[0-9A-F]{8})[0-9a-f]{32}/;

function linesOfStack(stack: CloudFormationStackArtifact): [string, string[]][] {
  const { Resources, Outputs = {} }: Template = stack.template;
  const about = {
    name: stack.stackName,
    environment: stack.environment.name,
    isProtected: stack.terminationProtection ?? false,
    after: stack.dependencies.map(({ id }) => id).filter((id) => !id.endsWith('.assets')),
    outputs: Outputs,
  };
  const resources = Object.entries(Resources).sort(([one], [other]) => order(one, other));
  // As where the account is not known before: its number would change half the lines.
  const unnumbered = (lines: string[]) =>
    lines.map((line) => line.replaceAll(stack.environment.account, `\${AWS::AccountId}`));
  return [
    [stack.id, linesOf(about)],
    ...resources.map(([id, { Type, Properties = {}, ...attributes }]): [string, string[]] => [
      `${stack.id}/${id}`,
      unnumbered([Type, ...linesOf(attributes), ...linesOf(Properties)]),
    ]),
  ];
}

function order(one: string, other: string): number {
  return one < other ? -1 : 1;
}

function linesOf(value: unknown, path = ''): string[] {
  const plain = withoutIntrinsics(value);
  const line = `  ${path}: ${inOneLine(plain)}`;
  const isWhole = typeof plain !== 'object' || plain === null || 'Effect' in plain;
  if (path !== '' && (isWhole || line.length <= LINE)) return [line];
  // Elements are whole: taken apart, nobody would see where one ends; but nobody would see what changes in a page of them.
  if (Array.isArray(plain)) {
    return plain.flatMap((each) => {
      const element = `  ${path}[]: ${inOneLine(each)}`;
      return element.length <= PAGE || typeof each !== 'object' ? [element] : linesOf(each, `${path}[]`);
    });
  }
  return Object.entries(plain as object).flatMap(([key, part]) => linesOf(part, path === '' ? key : `${path}.${key}`));
}

/** Texts as people write them: `${WorkTable}` for what CloudFormation fills in, JSON in a text as what it stands for. */
function withoutIntrinsics(value: unknown): unknown {
  if (typeof value === 'string') return parsed(value);
  if (Array.isArray(value)) return value.map(withoutIntrinsics);
  if (typeof value !== 'object' || value === null) return value;
  const text = textOf(value);
  if (text !== undefined) return parsed(text);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withoutIntrinsics(part)]));
}

function textOf(value: object): string | undefined {
  const [[name, of] = [], ...more] = Object.entries(value);
  if (more.length > 0) return undefined;
  if (name === 'Ref') return `\${${of}}`;
  if (name === 'Fn::ImportValue') return `\${${of}}`;
  if (name === 'Fn::Sub' && typeof of === 'string') return of;
  if (name === 'Fn::GetAtt') return `\${${[of].flat().join('.')}}`;
  if (name !== 'Fn::Join') return undefined;
  const [between, parts] = of as [string, unknown[]];
  return parts.map((part) => (typeof part === 'string' ? part : inOneLine(withoutIntrinsics(part)))).join(between);
}

function parsed(text: string): unknown {
  if (/^[{[]/.test(text)) {
    try {
      return withoutIntrinsics(JSON.parse(text));
    } catch {
      // No JSON, then: a text.
    }
  }
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
  if (text.length > TEXT) return `<text of ${text.length} characters, ${hash}>`;
  return text.replace(/^[0-9a-f]{64}\.(zip|json)$/, '<asset>.$1');
}

function inOneLine(value: unknown): string {
  if (typeof value === 'string') return value.replaceAll('\n', '\\n');
  if (Array.isArray(value)) return `[${value.map(inOneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{${Object.entries(value)
    .map(([key, part]) => `${key}: ${inOneLine(part)}`)
    .join(', ')}}`;
}

/** Everything, in the order of its names. */
export function whole(stacks: ReadableStacks): string {
  return text([...stacks].map(([name, lines]) => [name, ...lines]));
}

/** What is there besides the defaults, what is not, and which lines differ. */
export function difference(defaults: ReadableStacks, stacks: ReadableStacks): string {
  const names = [...new Set([...defaults.keys(), ...stacks.keys()])].sort(order);
  return text(
    names.map((name) => {
      const [before, after] = [defaults.get(name), stacks.get(name)];
      if (!before) return [`+ ${name}`, ...(after ?? []).map((line) => `+ ${line}`)];
      if (!after) return [`- ${name} ${before[0]}`];
      const changes = diff([...before], [...after]).filter(([kind]) => kind !== 0);
      return changes.length === 0
        ? []
        : [`  ${name}`, ...changes.map(([kind, line]) => `${kind === 1 ? '-' : '+'} ${line}`)];
    }),
  );
}

function text(blocks: readonly (readonly string[])[]): string {
  const shown = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${shown.join('\n\n')}\n`;
}
