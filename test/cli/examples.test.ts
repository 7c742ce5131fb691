// docs/cli/examples.md: every command as it was called and what it printed, on a world whose time is set.
// npx vitest run test/cli/examples.test.ts -u writes the page anew.
import { expect, test } from 'vitest';
import { COMMAND_GROUPS } from '../../cli/commands.ts';
import { PRODUCT, useServices } from '../backend-world.ts';
import { cloudTrailOf } from '../operations/operator.ts';
import { aCatalog, startCatalog } from '../operator/listing/catalog-server.ts';
import { quarantinedWorld } from '../operator/troubles.ts';
import { commandsOn } from './deployment.ts';
import { aFile } from './fulfillment.ts';

const services = useServices();

const NAMES = COMMAND_GROUPS.flatMap(({ commands }) => commands).map(({ name }) => name);

/** What serves until it is stopped, what is code for a shell, and what has a page of its own. */
const NOT_SHOWN = ['console', 'completion', 'migrate sample'];

const HEAD = `# Each command, and what it prints

Made by \`test/cli/examples.test.ts\`, which fails where a command prints anything else: all of it on one simulated world, in this
order, by its own clock. Random ids are written as they would be, and are none. What a word means: [the commands](../cli.md).
`;

test('docs/cli/examples.md has every command with what it prints', { timeout: 120_000 }, async () => {
  const { world, raw } = await quarantinedWorld(services());
  await world.tell();
  await world.backend.summarizeHours();
  const endpoints = { ...world.facts.endpoints, MARKETPLACE_CATALOG: await startCatalog(aCatalog(PRODUCT, undefined)) };
  const run = commandsOn({ facts: { ...world.facts, endpoints } });
  const parts: string[] = [];
  const shown = new Set<string>();
  const show = async (line: string): Promise<string> => {
    const { stdout, stderr, exitCode } = await run(line);
    const name = NAMES.find((each) => line.startsWith(each));
    if (name !== undefined) shown.add(name);
    const exit = exitCode === 0 ? '' : `(exit code ${exitCode})\n`;
    parts.push(`$ fulfillment ${line}\n${stderr}${stdout}${exit}`);
    return stdout;
  };
  const begin = (title: string) => parts.push(`## ${title}\n`);
  const { customerId } = JSON.parse((await run('buyer ls --json')).stdout).agreements[0] as { customerId: string };
  const record = `--hour ${raw.hour} --licence ${raw.licenceKey} --dimension ${raw.dimension}`;
  const range = '--from 2026-09-21T10 --to 2026-09-21T11';

  begin('buyer, clock');
  await show('buyer ls');
  const bought = await show(`buyer subscribe ${PRODUCT}`);
  const [, agreementId = ''] = /agreement +(\S+)/.exec(bought) ?? [];
  await show(`buyer register ${agreementId} --company "Linus AB" --email l@example.com`);
  await show(`buyer suspend ${agreementId}`);
  await show(`buyer resume ${agreementId}`);
  await world.deliverNotices();
  await show('clock');

  begin('usage');
  await show(
    `usage put --customer ${customerId} --dimension requests --quantity 90 --id order-17 --time 2026-09-21T11:00:00Z`,
  );
  const event = { id: 'row-1', customerId, dimension: 'requests', quantity: 5, time: '2026-09-21T11:02:00Z' };
  const rows = aFile(
    'usage.jsonl',
    `${JSON.stringify(event)}\n${JSON.stringify({ ...event, id: 'row-2', quantity: -1 })}\n`,
  );
  await show(`usage import ${rows} --local`);
  await show(`usage ls ${customerId} --month 2026-09`);

  begin('customers');
  await show('customers ls');
  await show(`customers show ${customerId}`);
  await show(`customers link --agreement ${agreementId} --replaces ${agreementId} --dry-run`);
  await show(
    `customers cut-over --from-licence ${raw.licenceKey} --licence-arn arn:aws:license-manager::294406891311:license:${raw.licenceKey} --hour 2026-09-22T00 --dry-run`,
  );
  await show(`customers erase --customer ${customerId} --dry-run`);

  begin('ledger, reconcile');
  await show('ledger status');
  await show(`ledger verify ${range}`);
  await show(`ledger explain ${record}`);
  await show(`ledger export ${range}`);
  const scan = { customerIdentifier: raw.licenceKey, create_timestamp: Date.parse('2026-09-21T10:30:00Z') / 1_000 };
  const table = aFile(
    'rows.json',
    JSON.stringify({ Items: [{ ...scan, dimension_usage: [{ dimension: 'novel', value: 299 }] }] }),
  );
  await show(`ledger compare ${table} --product ${PRODUCT} ${range}`);
  await show(`ledger resubmit ${range} --dry-run`);
  const trail = aFile('trail.json', await cloudTrailOf(world));
  await show(`ledger confirm ${range} --trail ${trail} --dry-run`);
  await show(`reconcile --cloudtrail ${trail} ${range}`);

  begin('records, groups');
  await show('groups ls');
  await show(`records release ${record} --dry-run`);
  await show(`records settle ${record} --decision accept --dry-run`);
  await show(`records carry-on ${record} --dry-run`);
  await show(
    `records withhold ${record} --units 300 --why "our own load test" --yes --act-id 2026-09-21T11:11:00.000Z.ticket-4711`,
  );
  await show(`records credit --licence ${raw.licenceKey} --dimension requests --units 50 --dry-run`);
  const { groups } = JSON.parse((await run('groups ls --json')).stdout) as { groups: { key: string }[] };
  await show(
    `groups release --group "${groups[0]?.key}" --why "the listing has it now" --yes --act-id 2026-09-21T11:11:00.000Z.ticket-4712`,
  );

  begin('notices, webhooks, prices');
  await show('notices ls');
  await show('notices redrive --queue notices --dry-run');
  await show('webhooks ls');
  await show(`webhooks resend --endpoint crm --customer ${customerId} --sequence 1 --dry-run`);
  await show(`prices set --product ${PRODUCT} --dimension requests --price 0.0035 --dry-run`);

  begin('doctor, listing');
  await show('doctor --local');
  await show('listing show');
  await show('listing set-url');

  begin('the rest of a buyer’s life');
  for (const act of ['renew', 'replace', 'cancel', 'expire']) {
    const { stdout } = await run(`buyer subscribe ${PRODUCT} --json`);
    await show(`buyer ${act} ${(JSON.parse(stdout) as { agreementId: string }).agreementId}`);
  }
  await show('clock --advance 5m');

  const missing = NAMES.filter((name) => !shown.has(name) && !NOT_SHOWN.includes(name));
  expect(missing).toEqual([]);
  await expect(pageOf(parts)).toMatchFileSnapshot('../../docs/cli/examples.md');
});

function pageOf(parts: readonly string[]): string {
  const sections = parts.map((part) => (part.startsWith('## ') ? `\n${part}\n` : `\`\`\`text\n${part}\`\`\`\n`));
  return `${HEAD}${madeUp(sections.join(''))}`;
}

/** The same letters in the place of each random id, as many as it has, so that columns stay where they are. */
function madeUp(text: string): string {
  const known = new Map<string, string>();
  const ids = /\b(cus_|agmt-|offer-|l-|pt-|mr-)[\w-]{12,}|\b\d{12}\b|(?<=Z\.)[0-9a-f]{12}\b/g;
  const plain = text
    .replaceAll(/\/\S*\/fulfillment-\w+\//g, '')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:7400')
    .replaceAll(/[\d.]+ s, [\d,]+ rows\/s/g, '0.1 s, 20 rows/s')
    .replaceAll(
      /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g,
      '01234567-89ab-cdef-0123-456789abcdef',
    );
  return plain.replaceAll(ids, (id, prefix: string = '') => {
    const digits = /^\d{12}$/.test(id) ? '0' : 'abcdef0123456789';
    const number = String(known.size + 1);
    const room = id.length - prefix.length - number.length;
    const sample = known.get(id) ?? `${prefix}${digits.repeat(12).slice(0, room)}${number}`;
    known.set(id, sample);
    return sample;
  });
}
