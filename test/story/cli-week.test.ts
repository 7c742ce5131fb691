// Days in which everything goes wrong once, set right by one person with the commands, and in no other way.
import { describe, expect, it } from 'vitest';
import type { AttentionEntry, AttentionKind } from '../../lambdas/domain/attention.ts';
import type { Delivery } from '../../lambdas/domain/delivery.ts';
import type { AttentionView } from '../../lambdas/flow/reads/read-attention.ts';
import type { ActAnswer } from '../../operator/acts/act.ts';
import { anEvent, type BackendWorld, useServices } from '../backend-world.ts';
import { environmentOf } from '../cli/deployment.ts';
import { aFile, fulfillment } from '../cli/fulfillment.ts';
import { listNovel, register, startTroubledWorld, USED } from '../console/troubled-world.ts';
import { cloudTrailOf } from '../operations/operator.ts';

const services = useServices();

type Status = AttentionView & { readonly deadLetters: readonly { readonly queue: string; readonly count: number }[] };

/** Kept from being billed, given back later, and used while the person was at work. */
const [WITHHELD, CREDITED, USED_SINCE] = [20, 10, 30];

/** What AWS has to end with of each buyer. */
const BILLED: typeof USED = {
  ...USED,
  aboutToExpire: USED.aboutToExpire - WITHHELD,
  uncertain: USED.uncertain + USED_SINCE - CREDITED,
};

describe('a week of troubles', () => {
  it('is set right with the commands: each trouble is told with its time left, mended with its reason, and every unit is billed once', async () => {
    const { world, buyers, webhook, successor } = await startTroubledWorld(services());
    const { asked, said, mend, reasons } = commandsOf(world);
    const of = (name: Parameters<typeof buyers>[0]) => buyers(name).customerId;

    const { exitCode, told } = await asked<Status>('ledger status');
    const page = await said('ledger status');

    expect(exitCode).toBe(1);
    expect(told.entries.map(lineOf).sort()).toEqual(
      [
        'missedRun · · 2026-09-21T16 close-hours',
        'missedRun 140 min · · send-metering',
        'heldGroup · · · dimension metrics-cloud novel',
        `quarantined 80 min 90 2026-09-21T14 ${of('quarantined')}`,
        `held 80 min 60 2026-09-21T14 ${of('held')}`,
        `aboutToExpire 140 min 120 2026-09-21T15 ${of('aboutToExpire')}`,
        `aboutToExpire 140 min 15 2026-09-21T15 ${of('quarantined')}`,
        `heldLate -100 min 12 2026-09-21T11 ${of('heldLate')}`,
        `disputed -40 min 300 2026-09-21T12 ${of('disputed')}`,
        `uncertain -1600 min 50 2026-09-20T10 ${of('uncertain')}`,
        `expired -1540 min 300 2026-09-20T11 ${of('expired')}`,
        `presumed -100 min 7 2026-09-21T11 ${of('heldLate')}`,
        `presumed -100 min 40 2026-09-21T11 ${of('presumed')}`,
        'refusedUsage · · · dimensionUnknown',
        `waitingNotice · · · ${successor.agreementId}`,
        `undelivered · · · product`,
        `unregisteredBuyer · · · ${of('unregistered')}`,
      ].sort(),
    );
    expect(told.deadLetters).toEqual([{ queue: 'notices', count: 1 }]);
    const mayBeLost = ['quarantined', 'held', 'aboutToExpire', 'aboutToExpire'];
    expect(told.entries.slice(3, 7).map(({ kind }) => kind)).toEqual(mayBeLost);
    expect(page).toMatch(/^quarantined +1 h 20 min +90 +2026-09-21T14 +l-\w+ novel +InvalidUsageDimensionException/m);
    expect(page).toMatch(/^expired +over +300 +2026-09-20T11 +l-\w+ requests/m);
    expect(page).toMatch(/^undelivered +product cus_[\w-]+ event \d+ /m);
    expect(page).toContain('1 dead letter of notices: fulfillment notices redrive --queue notices\n');

    const trouble = (kind: AttentionKind, customerId?: string): AttentionEntry => {
      const found = told.entries.find(
        (each) => each.kind === kind && each.customerId === (customerId ?? each.customerId),
      );
      if (!found) throw new Error(`Nothing is told of ${kind}.`);
      return found;
    };
    const unsent = trouble('aboutToExpire', of('aboutToExpire'));
    await mend(unsent, 'records withhold', 'our own load test', ...recordOf(unsent), '--units', String(WITHHELD));

    // The schedules run again: what only waited for them goes by itself.
    await world.backend.closeHours();
    await world.backend.sendMetering();
    await world.backend.summarizeHours();
    await world.tell();
    const running = (await asked<Status>('ledger status')).told.entries.map(lineOf);
    expect(running.filter((line) => line.includes('close-hours') || line.includes(of('aboutToExpire')))).toEqual([]);

    // AWS lists the dimension now, and the buyer pays again.
    await listNovel(world);
    const { groups } = (await asked<{ groups: { key: string }[] }>('groups ls')).told;
    for (const { key } of groups) {
      await mend(trouble('heldGroup'), 'groups release', 'the listing has the dimension now', '--group', key);
    }
    const refused = trouble('quarantined');
    await mend(refused, 'records release', 'the listing has the dimension now', ...recordOf(refused));
    await world.control.post(`/control/agreements/${buyers('held').agreementId}/resume`);
    const held = ['--from', '2026-09-21T14', '--to', '2026-09-21T15', '--licence', buyers('held').licenceKey];
    await mend(trouble('held'), 'ledger resubmit', 'the buyer has paid', ...held);

    await mend(trouble('heldLate'), 'records carry-on', 'agreed with the buyer', ...recordOf(trouble('heldLate')));
    await mend(trouble('expired'), 'records carry-on', 'our role had no permission', ...recordOf(trouble('expired')));
    const decision = ['--decision', 'carryDifference', '--aws-quantity', '200'];
    const disputed = [...recordOf(trouble('disputed')), ...decision];
    await mend(trouble('disputed'), 'records settle', 'the old importer was still running', ...disputed);

    // AWS's own log tells what it has.
    const trail = aFile('trail.json', await cloudTrailOf(world));
    const month = ['--from', '2026-09-20T10', '--to', '2026-09-21T13', '--trail', trail];
    await mend(trouble('uncertain'), 'ledger confirm', 'month end', ...month);

    const linked = ['--agreement', successor.agreementId, '--replaces', buyers('replaced').agreementId];
    await mend(trouble('waitingNotice'), 'customers link', 'the buyer says so', ...linked);

    // The receiver is mended, and so is what handles notices.
    webhook.answer = { kind: 'answered', status: 204 };
    const { deliveries } = (await asked<{ deliveries: Delivery[] }>('webhooks ls')).told;
    for (const { endpoint, customerId, sequence, status } of deliveries) {
      if (status === 'pending') continue;
      const event = ['--endpoint', endpoint, '--customer', customerId, '--sequence', String(sequence)];
      await mend(trouble('undelivered'), 'webhooks resend', 'the receiver is mended', ...event);
    }
    await mend(undefined, 'notices redrive', 'the function is mended', '--queue', 'notices');
    await register(world, buyers('unregistered'), 'late');

    // What is billed can't be taken back: what comes later is billed less.
    const { licenceKey } = buyers('uncertain');
    const credit = ['--licence', licenceKey, '--dimension', 'requests', '--units', String(CREDITED)];
    await mend(undefined, 'records credit', 'counted twice', ...credit);
    await world.report([anEvent(buyers('uncertain'), '2026-09-22T12:20:00Z', { quantity: USED_SINCE })]);

    await world.tick('2026-09-22T13:11:00Z');
    await world.deliverNotices();
    await world.tell();
    await world.backend.summarizeHours();
    // Usage that was refused can't be taken back either; it is told of for two days.
    const mended = await asked<Status>('ledger status');
    expect(mended.told.entries.map(lineOf)).toEqual(['refusedUsage · · · dimensionUnknown']);
    expect(mended.told.deadLetters).toEqual([]);

    const verified = await asked('ledger verify', '--from', '2026-09-20T10', '--to', '2026-09-22T14');
    expect(verified.exitCode).toBe(0);
    expect(verified.told).toMatchObject({
      balanced: true,
      totals: { recorded: sumOf(USED) + USED_SINCE, withheld: WITHHELD, credited: CREDITED, honoured: sumOf(BILLED) },
    });
    const bill = Map.groupBy(await world.bill(), ({ licenceArn }) => licenceArn);
    const billed = [...bill].map(([licenceArn, lines]) => [
      licenceArn,
      lines.reduce((sum, each) => sum + each.quantity, 0),
    ]);
    const expected = Object.entries(BILLED).filter(([, units]) => units > 0);
    expect(Object.fromEntries(billed)).toEqual(
      Object.fromEntries(expected.map(([name, units]) => [buyers(name as keyof typeof BILLED).licenceArn, units])),
    );

    const rows = await said('ledger export', '--audit', '--from', '2026-09', '--to', '2026-09', '--format', 'jsonl');
    const audit = rows
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<'action' | 'who' | 'why', string>);
    const known = ['withhold', 'releaseGroup', 'release', 'resubmit', 'carryOn', 'accept', 'confirm', 'link'];
    expect(new Set(audit.map(({ action }) => action))).toEqual(new Set([...known, 'resend', 'redrive', 'credit']));
    expect(new Set(audit.map(({ why }) => why))).toEqual(reasons);
    expect(audit.every(({ who }) => who !== '')).toBe(true);

    await world.tick('2026-09-23T00:11:00Z');
    await world.tell();
    await world.backend.summarizeHours();
    const quiet = await asked<Status>('ledger status');
    expect([quiet.exitCode, quiet.told.entries]).toEqual([0, []]);
    expect(await said('ledger status')).toBe('Nothing needs a person.\n');
  }, 900_000);
});

function commandsOf(world: BackendWorld) {
  const environment = environmentOf(world);
  const run = (command: string, options: readonly string[]) =>
    fulfillment([...command.split(' '), ...options], { environment });

  /** Why each act was done. */
  const reasons = new Set<string>();

  /** What the command prints for a person. */
  const said = async (command: string, ...options: string[]) => (await run(command, options)).stdout;

  const asked = async <T>(command: string, ...options: string[]) => {
    const { exitCode, stdout, stderr } = await run(command, [...options, '--json']);
    if (stdout === '') throw new Error(`fulfillment ${command} printed nothing, but ${stderr}`);
    return { exitCode, told: JSON.parse(stdout) as T };
  };

  /** Does what the trouble names as its remedy; one that is told of otherwise names none. */
  const mend = async (entry: AttentionEntry | undefined, command: string, why: string, ...options: string[]) => {
    type Acted = ActAnswer & { readonly act: AttentionEntry['acts'][number] };
    const { exitCode, told } = await asked<Acted>(command, ...options, '--why', why, '--yes');
    reasons.add(why);
    expect([command, told.kind, exitCode], JSON.stringify(told)).toEqual([command, 'done', 0]);
    if (entry) expect(entry.acts, command).toContain(told.act);
  };
  return { said, asked, mend, reasons };
}

/** What it is, its minutes left, its units, its hour, and whose or what. */
function lineOf({ kind, timeLeftMs, units, hour, name, agreementId, customerId }: AttentionEntry): string {
  const left = timeLeftMs === undefined ? '·' : `${timeLeftMs / 60_000} min`;
  return [kind, left, units ?? '·', hour ?? '·', name ?? agreementId ?? customerId].join(' ');
}

function recordOf({ hour, licenceKey, dimension }: AttentionEntry): string[] {
  return ['--hour', hour ?? '', '--licence', licenceKey ?? '', '--dimension', dimension ?? ''];
}

function sumOf(units: typeof USED): number {
  return Object.values(units).reduce((sum, each) => sum + each, 0);
}
