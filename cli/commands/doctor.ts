// fulfillment doctor: looks at a deployment and its listing before the first buyer does.
import { readFileSync } from 'node:fs';
import { examine } from '../../operator/doctor/examine.ts';
import type { Facts } from '../../operator/doctor/facts.ts';
import type { Finding } from '../../operator/doctor/finding.ts';
import { settingsIn } from '../../operator/doctor/settings.ts';
import { DEPLOYMENT, deploymentFacts } from '../at-desk.ts';
import { defineCommand, type Terminal } from '../command.ts';
import { EXIT, UsageMistake } from '../exit.ts';
import { flag, type ValuesOf, value } from '../options.ts';
import { counted } from '../table.ts';

const OPTIONS = {
  settings: value(
    'FILE',
    'the settings to compare with: cdk.json, or the object under its key fulfillment; cdk.json where absent',
  ),
  all: flag('also what is well'),
  json: flag('the findings as JSON'),
  ...DEPLOYMENT,
};

type Values = ValuesOf<typeof OPTIONS>;

const doctor = defineCommand({
  name: 'doctor',
  about: `Looks at everything that a buyer, a notice or a record has to pass: settings, stacks, tables, secrets, the fulfillment
URL, regions, AWS Marketplace's answer, the listing, permissions, rules, topics, queues, schedules, alarms, quotas and
the clock. Each finding says what was seen, what was expected, and what to do. What you may not look at is told as
unknown. Changes nothing, and meters nothing; docs/doctor.md lists every finding and the permissions that it takes.

The deployment and region are those of the settings, unless --stage and --region say otherwise; --local looks at what
npm start runs.

Exit codes: 0 no problem; 1 problems; 2 wrong arguments, or nobody signed in at AWS; 3 a fault.
`,
  options: OPTIONS,
  examples: [
    'fulfillment doctor --local',
    'fulfillment doctor',
    'fulfillment doctor --stage test --settings test-settings.json --json',
  ],
  run: async ({ values }, terminal) => {
    const facts = values.local ? await lookHere(values, terminal) : await look(values, terminal);
    const findings = examine(facts);
    terminal.stdout.write(values.json ? asJson(facts, findings) : asText(facts, findings, values.all));
    return findings.some(({ level }) => level === 'problem') ? EXIT.refused : EXIT.done;
  },
});

// The probes are read when they are called: a dozen clients of AWS would slow every other command down.

async function lookHere(values: Values, terminal: Terminal): Promise<Facts> {
  const { probeLaptop } = await import('../../operator/doctor/probe-laptop.ts');
  return probeLaptop(await deploymentFacts(values, terminal));
}

async function look(values: Values, { environment, stderr }: Terminal): Promise<Facts> {
  const { probeDeployment } = await import('../../operator/doctor/probe-deployment.ts');
  const settings = settingsIn(readJson(values.settings ?? 'cdk.json'));
  const deployment = 'deployment' in settings ? settings.deployment : undefined;
  const stage = values.stage ?? environment['FULFILLMENT_STAGE'] ?? deployment?.stage ?? 'prod';
  const region = values.region ?? deployment?.homeRegion ?? environment['AWS_REGION'] ?? 'us-east-1';
  stderr.write(`Looking at ${stage} in ${region}; the laptop: --local\n`);
  return probeDeployment({ region }, { stage, settings, clock: Date.now });
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new UsageMistake(`${file} can't be read. Run this where your cdk.json is, or name it: --settings FILE.`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageMistake(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const SIGNS = { problem: '✗', unknown: '?', note: '!', ok: '✓' } as const;
const ORDER = ['problem', 'unknown', 'note', 'ok'] as const;

function asText({ stage, region }: Facts, findings: readonly Finding[], isAll: boolean): string {
  const sorted = ORDER.flatMap((level) => findings.filter((each) => each.level === level));
  const shown = sorted.filter(({ level }) => isAll || level !== 'ok');
  const count = (level: Finding['level']) => findings.filter((each) => each.level === level).length;
  const troubles = `${counted(count('problem'), 'problem')}, ${counted(count('note'), 'note')}`;
  const summary = `${stage} in ${region}: ${troubles}, ${count('unknown')} unknown, ${count('ok')} well.`;
  return `${shown.map(textOf).join('')}${summary}\n`;
}

function textOf({ code, level, subject, seen, expected, remedy }: Finding): string {
  const lines = [`${SIGNS[level]} ${subject}: ${seen}`];
  if (expected !== undefined) lines.push(`    expected: ${expected}`);
  if (remedy !== undefined) lines.push(`    do:       ${remedy}`);
  if (level !== 'ok') lines.push(`    [${code}]`, '');
  return `${lines.join('\n')}\n`;
}

function asJson({ stage, region }: Facts, findings: readonly Finding[]): string {
  return `${JSON.stringify({ stage, region, findings })}\n`;
}

export const commands = [doctor];
