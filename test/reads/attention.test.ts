// Each kind of trouble shows, with the time that is left and what mends it, and nothing shows that is in order.
import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../lambdas/domain/hour.ts';
import type { SealedHour } from '../../lambdas/domain/ledger.ts';
import type { PulseCounts } from '../../lambdas/flow/read-ports.ts';
import { type AttentionPorts, type AttentionView, readAttention } from '../../lambdas/flow/reads/read-attention.ts';
import { readBackground } from '../../lambdas/flow/reads/read-background.ts';
import { DynamoCustomerDirectory } from '../../lambdas/stores/customer-directory.ts';
import { DynamoCustomerStore } from '../../lambdas/stores/customer-store.ts';
import { DynamoDeliveryStore } from '../../lambdas/stores/delivery-store.ts';
import { STATE_SHARDS } from '../../lambdas/stores/ledger-items.ts';
import { DynamoLedgerStore } from '../../lambdas/stores/ledger-store.ts';
import { DynamoNoticeStore } from '../../lambdas/stores/notice-store.ts';
import { DynamoSummaryStore } from '../../lambdas/stores/summary-store.ts';
import { DynamoWorkStore } from '../../lambdas/stores/work-store.ts';
import { anHour, aPolicy, aProduct, aSealedHour, at, LICENCE_ARN, LICENCE_KEY } from '../builders.ts';
import { MemoryLedgerStore } from '../doubles/memory-ports.ts';
import { useEngine } from '../stores/engine-tables.ts';

const engine = useEngine();
const NOW = at('2026-09-21T12:20:00Z');
/** What an hour's record is sealed at and until when AWS takes it, where a test does not say. */
const SOON = NOW + 5 * HOUR_MS;

async function world() {
  const { client, tables } = await engine();
  const work = new DynamoWorkStore(client, tables.work);
  const ports = {
    ledger: new DynamoLedgerStore(client, tables.ledger),
    work,
    notices: new DynamoNoticeStore(client, tables),
    directory: new DynamoCustomerDirectory(client, tables),
    deliveries: new DynamoDeliveryStore(client, tables.deliveries),
    summaries: new DynamoSummaryStore(client, tables.summaries),
    clock: () => NOW,
    policy: aPolicy(),
    usageWarningHours: [12, 6, 2],
    webhooks: [{ name: 'crm' }],
    stateShards: STATE_SHARDS,
  } satisfies AttentionPorts;
  // All schedules have run.
  await work.raiseWatermark(anHour('2026-09-21T11'));
  await work.noteLooks({ hour: anHour('2026-09-21T11'), looksDone: 1 });
  return { ...ports, customers: new DynamoCustomerStore(client, tables.customers) };
}

/** As the page shows it after the summaries' last run. */
async function look(
  ports: Awaited<ReturnType<typeof world>>,
  counts: Partial<PulseCounts> = {},
): Promise<AttentionView> {
  const background = await readBackground(ports);
  await ports.summaries.writePulse({ asOf: NOW, refused: [], untold: { count: 0 }, background, ...counts });
  return readAttention(ports);
}

function aRecord(dimension: string, overrides: Partial<SealedHour> = {}): SealedHour {
  const record = { ...aSealedHour().record, dimension };
  return aSealedHour({ dimension, record, deadlineAt: SOON, sealedAt: NOW - HOUR_MS, ...overrides });
}

describe('attention', () => {
  test('is empty where everything is in order, what was just sealed included', async () => {
    const ports = await world();
    await ports.ledger.seal(aRecord('a', { status: 'honoured' }));
    await ports.ledger.seal(aRecord('b', { deadlineAt: NOW + 23 * HOUR_MS, hour: anHour('2026-09-21T11') }));
    await ports.ledger.seal(aRecord('c', { sealedAt: NOW - MINUTE_MS, hour: anHour('2026-09-21T11') }));

    expect(await look(ports)).toEqual({ at: NOW, entries: [], kinds: [], pulseAt: NOW });
  });

  test('names a held group, and no missed run for the records that wait behind it', async () => {
    const ports = await world();
    await ports.ledger.seal(aRecord('requests', { deadlineAt: NOW + 20 * HOUR_MS }));
    const key = 'dimension metrics-cloud requests';
    await ports.work.holdGroup({ key, code: 'InvalidUsageDimensionException', since: NOW - 2 * HOUR_MS });
    await ports.ledger.seal(aRecord('storage', { deadlineAt: NOW + 20 * HOUR_MS }));

    const named = async () => (await look(ports)).entries.map(({ kind, name, reason }) => [kind, name, reason]);

    expect(await named()).toEqual([
      ['missedRun', 'send-metering', '1 record is due and unsent'],
      ['heldGroup', key, 'InvalidUsageDimensionException'],
    ]);
    await ports.work.releaseGroup(key);
    expect(await named()).toEqual([['missedRun', 'send-metering', '2 records are due and unsent']]);
  });

  test('names usage in trouble with its units and the time left, soonest to be lost first', async () => {
    const ports = await world();
    const past = NOW - HOUR_MS;
    const records = [
      aRecord('held', { status: 'held', reason: 'CustomerNotSubscribed', deadlineAt: SOON + 2 }),
      aRecord('quarantined', { status: 'quarantined', reason: 'InvalidTagException', deadlineAt: SOON + 1 }),
      aRecord('soon', { deadlineAt: SOON, nextAttemptAt: NOW + MINUTE_MS }),
      aRecord('disputed', { status: 'disputed', deadlineAt: past }),
      aRecord('presumed', { status: 'presumed', deadlineAt: past }),
      aRecord('uncertain', { status: 'uncertain', deadlineAt: past }),
      aRecord('expired', { status: 'expired', deadlineAt: past }),
      aRecord('late', { status: 'honoured', heldLate: 3, heldReasons: ['lateUsage'], deadlineAt: SOON + 9 }),
    ];
    for (const record of records) await ports.ledger.seal(record);

    const { entries, kinds } = await look(ports);

    expect(entries.map(({ dimension, units, timeLeftMs, acts }) => [dimension, units, timeLeftMs, acts[0]])).toEqual([
      ['soon', 12_500, SOON - NOW, 'resubmit'],
      ['quarantined', 12_500, SOON + 1 - NOW, 'release'],
      ['held', 12_500, SOON + 2 - NOW, 'resubmit'],
      ['late', 3, SOON + 9 - NOW, 'carryOn'],
      ['disputed', 12_500, -HOUR_MS, 'settle'],
      ['uncertain', 12_500, -HOUR_MS, 'confirm'],
      ['expired', 12_500, -HOUR_MS, 'carryOn'],
      ['presumed', 12_500, -HOUR_MS, 'confirm'],
    ]);
    expect(entries[2]).toMatchObject({
      kind: 'held',
      reason: 'CustomerNotSubscribed',
      customerId: aSealedHour().customerId,
      licenceKey: LICENCE_KEY,
      hour: '2026-09-21T10',
    });
    expect(kinds).toHaveLength(8);
    expect(kinds).toContainEqual({ kind: 'held', count: 1, isPartial: false, units: 12_500, soonestAt: SOON + 2 });
  });

  test('shows what was lost a moment ago, however much stands there that nobody has confirmed for months', async () => {
    const ports = await world();
    const ledger = new MemoryLedgerStore();
    const months = NOW - 60 * 24 * HOUR_MS;
    // A page of the double holds three.
    for (const name of ['a', 'b', 'c']) await ledger.seal(aRecord(name, { status: 'presumed', deadlineAt: months }));
    await ledger.seal(aRecord('lost', { status: 'expired', deadlineAt: NOW - MINUTE_MS }));

    const { entries } = await look({ ...ports, ledger: ledger as never });

    expect(entries.map(({ kind, dimension }) => [kind, dimension])).toContainEqual(['expired', 'lost']);
  });

  test('shows the latest of what was lost, where more was than is shown', async () => {
    const ports = await world();
    const months = NOW - 60 * 24 * HOUR_MS;
    for (let index = 0; index < 120; index++)
      await ports.ledger.seal(aRecord(`old-${index}`, { status: 'expired', deadlineAt: months + index }));
    await ports.ledger.seal(aRecord('lost', { status: 'expired', deadlineAt: NOW - MINUTE_MS }));

    const { entries, kinds } = await look(ports);

    expect(entries.map(({ dimension }) => dimension)).toContain('lost');
    expect(kinds).toMatchObject([{ kind: 'expired', count: 121 }]);
  });

  test('does not count a zero that can’t be sent, nor what a rehearsal holds', async () => {
    const ports = await world();
    const zero = { ...aSealedHour().record, quantity: 0 };
    await ports.ledger.seal(aRecord('zero', { status: 'held', record: { ...zero, dimension: 'zero' } }));
    await ports.ledger.seal(aRecord('shadow', { status: 'withheld', rehearsal: 'shadow', heldLate: 4 }));

    const { entries, kinds } = await look(ports);

    expect(entries).toEqual([]);
    expect(kinds).toEqual([]);
  });

  test('names each run that was missed before all else', async () => {
    const ports = await world();
    await ports.work.noteLooks({ hour: anHour('2026-09-21T09'), looksDone: 0 });
    const missing = { ...ports, work: { ...named(ports.work), watermark: async () => anHour('2026-09-21T09') } };
    await ports.ledger.seal(aRecord('due', { deadlineAt: NOW + HOUR_MS }));
    await ports.notices.noteDue({ customerId: 'cus_1', changesAt: NOW - HOUR_MS });
    const none = { ...missing, summaries: { pulse: async () => undefined } };

    const { entries } = await readAttention(none);

    expect(
      entries
        .filter(({ kind }) => kind === 'missedRun')
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['close-hours', 'send-metering', 'summarize-hours', 'tell-product']);
    expect(entries.findIndex(({ kind }) => kind !== 'missedRun')).toBe(4);
    expect(entries.find(({ name }) => name === 'send-metering')).toMatchObject({ timeLeftMs: HOUR_MS });
    expect(entries.find(({ name }) => name === 'close-hours')).toMatchObject({ hour: '2026-09-21T09' });
  });

  test('names held groups, refused usage, waiting notices, buyers to register and events that did not arrive', async () => {
    const ports = await world();
    await ports.work.holdGroup({
      key: 'dimension metrics-cloud requests',
      code: 'InvalidUsageDimension',
      since: NOW - 9,
    });
    await ports.work.holdGroup({ key: 'suspect dimension metrics-cloud x 2026-09-21T10', code: 'X', since: NOW });
    await ports.notices.noteWaiting('agreement#agmt-1', 'link', NOW - HOUR_MS);
    const buyer = { productCode: 'metrics-cloud', licenceArn: LICENCE_ARN, customerAwsAccountId: '111122223333' };
    const { customer } = await ports.customers.upsert(buyer, aProduct(), NOW - HOUR_MS);
    const delivery = { endpoint: 'crm', customerId: 'cus_1', sequence: 4, type: 'accessGranted', body: '{}' };
    const given = { status: 'givenUp' as const, since: NOW - 2 * HOUR_MS, tries: 9, attempts: [] };
    await ports.deliveries.begin({ ...delivery, ...given });
    const refused = { code: 'timeTooOld', times: 7, events: 5, lastAt: NOW, message: 'Too old.', subject: LICENCE_KEY };

    const { entries, kinds } = await look(ports, { refused: [refused], untold: { count: 6, oldestAt: NOW - HOUR_MS } });

    expect(
      entries.map(({ kind, name, agreementId, customerId, count }) => [kind, name ?? agreementId, customerId, count]),
    ).toEqual([
      ['heldGroup', 'dimension metrics-cloud requests', undefined, undefined],
      ['refusedUsage', 'timeTooOld', undefined, 7],
      ['waitingNotice', 'agmt-1', undefined, undefined],
      ['undelivered', 'crm', 'cus_1', undefined],
      ['untoldEvents', undefined, undefined, 6],
      ['unregisteredBuyer', undefined, customer.customerId, undefined],
    ]);
    expect(kinds.find(({ kind }) => kind === 'refusedUsage')).toMatchObject({ count: 7 });
    expect(entries.find(({ kind }) => kind === 'undelivered')).toMatchObject({ sequence: 4, since: NOW - 2 * HOUR_MS });
  });

  test('shows the hundred most urgent of more, some of each kind, and counts them all', async () => {
    const ports = await world();
    for (let index = 0; index < 150; index++) {
      await ports.ledger.seal(aRecord(`held-${index}`, { status: 'held', deadlineAt: SOON + index }));
    }
    await ports.ledger.seal(aRecord('expired', { status: 'expired', deadlineAt: NOW - HOUR_MS }));

    const { entries, kinds } = await look(ports);

    expect(entries).toHaveLength(100);
    expect(entries.at(0)?.dimension).toBe('held-0');
    expect(entries.at(-1)?.dimension).toBe('expired');
    expect(kinds.find(({ kind }) => kind === 'held')).toMatchObject({ count: 150, soonestAt: SOON });
  });
});

describe('what is read in the background', () => {
  test('is not read again while the pulse is young, whereas what AWS refuses shows at once', async () => {
    const ports = await world();
    await look(ports);
    await ports.ledger.seal(aRecord('soon', { deadlineAt: SOON }));
    await ports.ledger.seal(aRecord('held', { status: 'held', deadlineAt: SOON }));
    await ports.ledger.seal(aRecord('expired', { status: 'expired', deadlineAt: NOW - HOUR_MS }));

    expect((await readAttention(ports)).entries.map(({ dimension }) => dimension)).toEqual(['held', 'expired']);
    expect((await look(ports)).entries.filter(({ kind }) => kind === 'aboutToExpire')).toMatchObject([
      { dimension: 'soon', timeLeftMs: SOON - NOW },
    ]);
  });

  test('is read at once where the pulse is old: trouble has to show in trouble', async () => {
    const ports = await world();
    await ports.ledger.seal(aRecord('soon', { deadlineAt: SOON, nextAttemptAt: NOW + MINUTE_MS }));

    const { entries, pulseAt } = await look(ports, { asOf: NOW - 31 * MINUTE_MS });

    expect(entries.map(({ kind, name, dimension }) => [kind, name ?? dimension])).toEqual([
      ['missedRun', 'summarize-hours'],
      ['aboutToExpire', 'soon'],
    ]);
    expect(pulseAt).toBe(NOW - 31 * MINUTE_MS);
  });

  test('does not show a record as short of time that has been sent since', async () => {
    const ports = await world();
    const record = aRecord('soon', { deadlineAt: SOON, nextAttemptAt: NOW + MINUTE_MS });
    await ports.ledger.seal(record);
    await look(ports);
    await ports.ledger.settle(record, { status: 'honoured', at: NOW });

    expect(await readAttention(ports)).toMatchObject({ entries: [], kinds: [] });
  });

  test('counts all that are short of time, and names the hundred soonest', async () => {
    const ports = await world();
    for (let index = 0; index < 120; index++)
      await ports.ledger.seal(aRecord(`d${index}`, { deadlineAt: SOON + index }));

    const { entries, kinds } = await look(ports);

    const short = entries.filter(({ kind }) => kind === 'aboutToExpire');
    expect(short).toHaveLength(100);
    expect(short.at(-1)?.dimension).toBe('d99');
    expect(kinds.find(({ kind }) => kind === 'aboutToExpire')).toMatchObject({ count: 120, soonestAt: SOON });
  });
});

/** The methods of a store as members, so that one can be stood in for. */
function named(work: DynamoWorkStore) {
  return { heldGroups: () => work.heldGroups(), looks: (from: ReturnType<typeof anHour>) => work.looks(from) };
}
