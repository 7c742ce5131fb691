// How long each view of the operator's side takes in a large world, and how many reads of the database it makes.
import { hourStartMs, MINUTE_MS, parseHour } from '../lambdas/domain/hour.ts';
import { dynamoClient } from '../lambdas/stores/dynamo.ts';
import { createTables } from '../local/tables.ts';
import { median } from './measure.ts';
import { accountOf, agreementIdOf, companyOf, customerIdOf, operatedItems } from './operated-items.ts';
import { askEach } from './operated-questions.ts';
import { startImportedDatabase } from './prepared.ts';
import { ENGINE_CREDENTIALS, licenceArn, PRODUCT } from './world.ts';

interface ReadsBench {
  /** Sealed hours in the ledger, as near as whole hours come. */
  readonly rows: number;
  readonly customers: number;
  readonly rounds: number;
  readonly keep: boolean;
}

interface ReadCost {
  readonly view: string;
  readonly reads: number;
  readonly medianMs: number;
  readonly rows: number;
  readonly customers: number;
}

/** The 21st, so that a month's views have most of a month to read. */
const END = '2026-09-21T12';
const IN_TROUBLE = 40;

/** Asks every view of a ledger of so many rows, in rounds. */
export async function benchReads({ rows, customers, rounds, keep }: ReadsBench): Promise<ReadCost[]> {
  const end = parseHour(END);
  if (!end) throw new Error('The end of the bench is not an hour.');
  const hours = Math.max(2, Math.round(rows / customers / PRODUCT.dimensions.length));
  const size = { customers, hours, end, inTrouble: Math.min(IN_TROUBLE, customers) };
  const name = `reads-${customers}-${hours}`;
  const database = await startImportedDatabase({ name, keep, tables: operatedItems(size) });
  const client = dynamoClient({ region: 'us-east-1', endpoint: database.endpoint, credentials: ENGINE_CREDENTIALS });
  try {
    // Those that nothing was imported into.
    const tables = await createTables(client);
    const nowMs = hourStartMs(end) + 15 * MINUTE_MS;
    const one = Math.floor(customers / 2);
    const who = {
      customerId: customerIdOf(one),
      licenceArn: licenceArn(one),
      agreementId: agreementIdOf(one),
      accountId: accountOf(one),
      company: companyOf(one),
      email: `buyer-${one}@example.com`,
    };
    const answers = [];
    for (let round = 0; round < Math.max(1, rounds); round++) {
      answers.push(...(await askEach({ client, tables, products: [PRODUCT], nowMs, who })));
    }
    return [...Map.groupBy(answers, ({ view }) => view)].map(([view, own]) => ({
      view,
      reads: own[0]?.reads ?? 0,
      medianMs: median(own.map(({ tookMs }) => tookMs)),
      rows: hours * customers * PRODUCT.dimensions.length,
      customers,
    }));
  } finally {
    client.destroy();
    await database.close();
  }
}
