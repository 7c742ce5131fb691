// A view makes as many reads of the database in a large world as in a small one.
import { describe, expect, test } from 'vitest';
import {
  accountOf,
  agreementIdOf,
  companyOf,
  customerIdOf,
  type OperatedSize,
  operatedItems,
} from '../../bench/operated-items.ts';
import { askEach } from '../../bench/operated-questions.ts';
import { putItems } from '../../bench/records.ts';
import { licenceArn, PRODUCT } from '../../bench/world.ts';
import { addHours, hourStartMs, MINUTE_MS } from '../../lambdas/domain/hour.ts';
import { anHour } from '../builders.ts';
import { useEngine } from '../stores/engine-tables.ts';

const engine = useEngine();
const END = anHour('2026-09-21T12');
const SMALL: OperatedSize = { customers: 3, hours: 4, end: END, inTrouble: 3 };
/** More than a page of each list: customers, records in trouble, days, and hours of a month. */
const LARGE: OperatedSize = { customers: 140, hours: 26, end: END, inTrouble: 130 };

/** Reads by view; a page of customers or a batch of records is one, however full. */
const READS = {
  // The pulse, what AWS has refused, what needs a person, the records shown, groups, notices, what did not arrive.
  attention: 7,
  customers: 4,
  'search by company': 4,
  'search by account': 6,
  'search by licence': 4,
  'search by agreement': 5,
  'search by e-mail': 5,
  customer: 12,
  'a customer’s month': 2,
  'a customer’s day': 2,
  hours: 1,
  books: 1,
  money: 1,
  'money by customer': 8,
};

async function asked(size: OperatedSize) {
  const { client, tables } = await engine();
  for (const [kind, items] of Object.entries(operatedItems(size))) {
    await putItems(client, tables[kind as keyof typeof tables], [...items()]);
  }
  const nowMs = hourStartMs(END) + 15 * MINUTE_MS;
  const who = {
    customerId: customerIdOf(1),
    licenceArn: licenceArn(1),
    agreementId: agreementIdOf(1),
    accountId: accountOf(1),
    company: companyOf(1),
    email: 'buyer-1@example.com',
  };
  return askEach({ client, tables, products: [PRODUCT], nowMs, who });
}

describe('the views', () => {
  test('make as many reads however many customers and rows there are, and tell what stands there', async () => {
    const [small, large] = [await asked(SMALL), await asked(LARGE)];
    const reads = (answers: typeof small) => Object.fromEntries(answers.map(({ view, reads: count }) => [view, count]));

    expect(reads(small)).toEqual(READS);
    // A full page has fifty licences of three dimensions, of which a hundred are read at once; no page has more.
    expect(reads(large)).toEqual({ ...READS, customers: READS.customers + 1 });
    const answers = new Map(large.map(({ view, answer }) => [view, answer]));
    const units = 7 * LARGE.hours;

    expect(answers.get('attention')).toMatchObject({
      kinds: [
        { kind: 'held', count: 390, isPartial: false },
        { kind: 'expired', count: 390, isPartial: false },
      ],
    });
    expect(answers.get('customers')).toMatchObject({
      customers: {
        length: 50,
        0: { customerId: customerIdOf(139), lastUsageDay: '2026-09-21', company: companyOf(139) },
      },
      cursor: expect.any(String),
    });
    for (const by of ['company', 'account', 'licence', 'agreement', 'e-mail']) {
      expect(answers.get(`search by ${by}`), by).toMatchObject({
        hits: { length: 1, 0: { customerId: customerIdOf(1) } },
      });
    }
    expect(answers.get('customer')).toMatchObject({
      customerId: customerIdOf(1),
      lastUsageHour: addHours(END, -1),
      timeline: { length: 1 },
      licences: { length: 1 },
    });
    const total = { recorded: units, billed: units };
    expect(answers.get('a customer’s month')).toMatchObject({
      dimensions: PRODUCT.dimensions
        .toSorted()
        .map((dimension) => ({ dimension, total, slots: { length: LARGE.hours } })),
    });
    expect(answers.get('books')).toMatchObject({ balanced: true, hoursCounted: LARGE.hours, lines: { length: 3 } });
    expect(answers.get('money by customer')).toMatchObject({
      customers: { length: 140, 0: { values: { billed: '546.00', pending: '0.00', atStake: '0.00', lost: '0.00' } } },
    });
  }, 120_000);
});
