// One hour of usage counted by the database while the real flow runs: what the model of docs/cost.md is held against.
import { HOUR_MS, hourStartMs } from '../lambdas/domain/hour.ts';
import type { Product } from '../lambdas/domain/product.ts';
import { type ReportEntry, recordUsage } from '../lambdas/flow/record-usage.ts';
import { sendMetering } from '../lambdas/flow/send-metering.ts';
import { type Units as AllUnits, CapacityCounter } from './capacity.ts';
import { CLOSE_HOUR, closeAll } from './close-all.ts';
import { sendPorts } from './cost.ts';
import { licenceArn, PRODUCT, startBenchWorld } from './world.ts';

type Units = Pick<AllUnits, 'reads' | 'writes'>;

interface HourSize {
  readonly customers: number;
  readonly eventsAMeter: number;
  readonly eventsAReport: number;
}

/** After ten minutes, after two hours and at the end of the intake window. */
const LOOKS = 3;

/** What one hour writes and reads in the tables of metering: reported, looked at three times, sent and settled. */
export async function countedHour({ customers, eventsAMeter, eventsAReport }: HourSize): Promise<{
  readonly events: number;
  readonly records: number;
  readonly intake: Units;
  readonly looks: Units;
  readonly sending: Units;
}> {
  let nowMs = hourStartMs(CLOSE_HOUR) + 30 * 60_000;
  await using world = await startBenchWorld(() => nowMs);
  const { ports, tables } = world;
  await register(ports.customers, customers, PRODUCT);
  const counter = new CapacityCounter(world.client);
  const entries = entriesOf(customers, eventsAMeter, nowMs);
  const all = Object.values(tables);
  const counted = async (task: () => Promise<unknown>): Promise<Units> => {
    const of = await counter.of(task);
    const units = all.map((table) => of(table));
    return {
      reads: units.reduce((sum, { reads }) => sum + reads, 0),
      writes: units.reduce((sum, { writes }) => sum + writes, 0),
    };
  };
  const intake = await counted(async () => {
    for (let from = 0; from < entries.length; from += eventsAReport) {
      await recordUsage(ports, entries.slice(from, from + eventsAReport));
    }
  });
  nowMs += HOUR_MS;
  const first = await counted(() => closeAll(ports));
  const sending = await counted(() =>
    sendMetering(
      sendPorts(world, () => nowMs),
      () => true,
    ),
  );
  const again = await counted(() => closeAll(ports));
  const further = LOOKS - 1;
  return {
    events: entries.length,
    records: customers * PRODUCT.dimensions.length,
    intake,
    looks: { reads: first.reads + again.reads * further, writes: first.writes + again.writes * further },
    sending,
  };
}

interface Registering {
  upsert(buyer: object, product: Product, nowMs: number): Promise<unknown>;
}

async function register(customers: Registering, count: number, product: Product): Promise<void> {
  for (let customer = 0; customer < count; customer++) {
    const buyer = {
      productCode: product.productCode,
      licenceArn: licenceArn(customer),
      customerAwsAccountId: '111122223333',
    };
    await customers.upsert(buyer, product, hourStartMs(CLOSE_HOUR) - 1);
  }
}

/** By customer, as a product reports that gathers what each of them used. */
function entriesOf(customers: number, eventsAMeter: number, nowMs: number): ReportEntry[] {
  const ofCustomer = PRODUCT.dimensions.length * eventsAMeter;
  return Array.from({ length: customers * ofCustomer }, (_, index) => ({
    kind: 'event',
    received: '',
    event: {
      id: `event-${index}`,
      subject: { kind: 'licence', name: { style: 'licence', licenceArn: licenceArn(Math.floor(index / ofCustomer)) } },
      dimension: PRODUCT.dimensions[index % PRODUCT.dimensions.length] ?? '',
      quantity: 1,
      atMs: nowMs - 1,
    },
  }));
}
