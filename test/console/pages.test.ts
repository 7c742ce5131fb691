// What the views say of a world in which everything went wrong once.
import { describe, expect, test } from 'vitest';
import { anEvent, startBackendWorld, useServices } from '../backend-world.ts';
import { type Heard, startConsoleWorld } from './console-world.ts';
import { startCountingProxy } from './counting-proxy.ts';
import { startTroubledWorld } from './troubled-world.ts';

const services = useServices();

function textOf({ body }: Heard): string {
  return body.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ');
}

/** What stands in the list of troubles, one text each. */
function troubles({ body }: Heard): string[] {
  const items = body.split('<li class="trouble"').slice(1);
  return items.map((item) => textOf({ status: 200, headers: {}, body: `<li ${item.split('</li>')[0]}` }).trim());
}

describe('the console', () => {
  test('names every trouble with the time that is left, and shows each hour as the worst that is true of it', async () => {
    const { world, buyers } = await startTroubledWorld(services());
    const { visit } = await startConsoleWorld(world);

    const list = troubles(await visit('/'));

    const expected: readonly (readonly [RegExp, string])[] = [
      [/Quarantined 1 h 20 min left .* 90 novel of 2026-09-21T14/, buyers('quarantined').customerId],
      [/Held 1 h 20 min left .* 60 requests of 2026-09-21T14 .*CustomerNotSubscribed/, buyers('held').customerId],
      [/About to expire 2 h 20 min left .* 120 requests of 2026-09-21T15/, buyers('aboutToExpire').customerId],
      [/Late usage held .* 12 requests of 2026-09-21T11/, buyers('heldLate').customerId],
      [/Disputed 40 min past its deadline .* 300 requests of 2026-09-21T12/, buyers('disputed').customerId],
      [/Uncertain 26 h 40 min past its deadline .* 50 requests of 2026-09-20T10/, buyers('uncertain').customerId],
      [/Expired 25 h 40 min past its deadline .* 300 requests of 2026-09-20T11/, buyers('expired').customerId],
      [/Not confirmed .* 40 requests of 2026-09-21T11/, buyers('presumed').customerId],
      [/Buyer not registered/, buyers('unregistered').customerId],
      [/Missed run for 19 h 30 min close-hours/, ''],
      [/Missed run 2 h 20 min left .* send-metering 1 record is due and unsent\. A schedule/, ''],
      [/Group held back .* InvalidUsageDimensionException/, ''],
      [/Refused usage .* dimensionUnknown/, ''],
      [/Dead letters notices 1 message/, ''],
      [/Webhook not delivered .* stopped/, ''],
    ];
    for (const [words, customerId] of expected) {
      expect(
        list.filter((text) => words.test(text) && text.includes(customerId)),
        String(words),
      ).toHaveLength(1);
    }
    // What is said in words is no code, and begins as a sentence does.
    expect((await visit('/')).body).toContain('<p class="soft">20 hours are over and were not looked at. ');
    const timed = list.findLastIndex((text) => /\d (min|h|s) left/.test(text));
    const passed = list.findIndex((text) => text.includes('past its deadline'));
    expect(timed).toBeLessThan(passed);

    const page = await visit('/metering');
    const hour = await visit('/hours/2026-09-20T11');

    const said = [...page.body.matchAll(/href="\/hours\/([^"]+)" title="\d\d:00: ([^,"]+)/g)];
    const states = new Map(said.map(([, name = '', state = '']) => [name, state]));
    expect(states.get('2026-09-20T11')).toBe('units lost');
    expect(states.get('2026-09-21T12')).toBe('in trouble: needs a person');
    expect(states.get('2026-09-21T15')).toBe('sealed');
    expect(states.get('2026-09-21T20')).toBe('open: not sealed yet');
    expect(states.get('2026-09-20T20')).toBe('nothing used');
    expect(textOf(page)).toMatch(/Calls \d+ \d+ is the fewest possible/);
    expect(textOf(hour)).toMatch(/Metrics Cloud requests 300 0 0 0 300 0 1 expired/);
  });

  test('finds a customer by every name, explains its hours, and balances the books in files that no spreadsheet runs', async () => {
    const { world, buyers } = await startTroubledWorld(services());
    const { visit, faults } = await startConsoleWorld(world);
    const { customerId, licenceArn, licenceKey, awsAccountId, agreementId } = buyers('held');

    for (const text of [customerId, licenceArn, licenceKey, awsAccountId, agreementId, 'HELD@buyer.example']) {
      const found = await visit(`/customers?${new URLSearchParams({ q: ` ${text} ` })}`);
      expect(found, text).toMatchObject({ status: 303, headers: { location: `/customers/${customerId}` } });
    }
    const byCompany = await visit('/customers?q=held');
    const nobody = await visit('/customers?q=nobody');
    const page = await visit(`/customers/${customerId}`);
    const shown = await visit(`/customers/${customerId}?details=shown`);

    expect(textOf(byCompany)).toMatch(/2 customers for “held”. Found by the company/);
    expect(textOf(nobody)).toContain('Nobody is found by this.');
    for (const each of [page, byCompany, await visit('/customers'), await visit('/')]) {
      expect(each.body).not.toMatch(/buyer\.example|Ada Lovelace|Sons/);
    }
    expect(textOf(shown)).toMatch(/E-mail held@buyer.example Company held &amp; Sons Name Ada Lovelace/);
    expect(faults).toEqual([]);

    const disputed = buyers('disputed').customerId;
    const month = await visit(`/customers/${disputed}/usage?month=2026-09`);
    const day = await visit(`/customers/${disputed}/usage?day=2026-09-21`);
    const link = /href="(\/explain\?[^"]*)"/.exec(day.body)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const explained = await visit(link);

    expect(textOf(month)).toMatch(/21 Sept 2026 300 0 0 0 300 0 0 0/);
    expect(month.body).toContain('requests, by day: 300 units in all');
    expect(textOf(day)).toMatch(/21 Sept 2026, 12:00 300 0 0 0 300/);
    expect(textOf(explained)).toMatch(/disputed DuplicateRecord .* Balanced 300 300/);
    expect(textOf(explained)).toMatch(/Usage events \(1\) .* event-\d+ .* 300 untagged/);
    expect(explained.body).toMatch(/href="\/acts\/settle\?hour=2026-09-21T12&amp;licenceKey=/);

    const books = await visit('/books?month=2026-09');
    const file = await visit('/books?month=2026-09&csv=books');
    const ledger = await visit('/export/ledger.csv?month=2026-09');
    const audit = await visit('/export/audit.csv?month=2026-09');

    expect(textOf(books)).toContain('✓ Balanced');
    expect(file.headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="books.csv"',
    });
    expect(file.body.split('\r\n')[0]).toBe(
      'Product,Dimension,Recorded,Carried in,Billed,On its way,At stake,Lost,Withheld,Credited,Rejected,Carried on,Difference',
    );
    expect(file.body).toMatch(/^Metrics Cloud,requests,\d+,/m);
    expect(ledger.body.split('\r\n').filter((line) => line.startsWith('sealed,')).length).toBeGreaterThan(7);
    expect(audit.body.split('\r\n')).toHaveLength(2);
  });

  test('asks the database a handful of questions for the first view and for a customer’s month, however many there are', async () => {
    const asked = [];
    for (const size of [1, 12]) {
      const world = await startBackendWorld(services());
      const buyers = [];
      for (let index = 0; index < size; index++) buyers.push(await world.subscribe());
      await world.report(buyers.map((buyer) => anEvent(buyer, '2026-09-21T10:05:00Z', { quantity: 3 })));
      await world.tick('2026-09-21T11:11:00Z');
      await world.backend.summarizeHours();
      const proxy = await startCountingProxy(world.facts.endpoints.DYNAMODB ?? '');
      const endpoints = { ...world.facts.endpoints, DYNAMODB: proxy.url };
      const { visit } = await startConsoleWorld({ ...world, facts: { ...world.facts, endpoints } });
      const counts = [];
      for (const path of [
        '/',
        '/customers',
        `/customers/${buyers[0]?.customerId}/usage?month=2026-09`,
        '/metering',
        '/books',
      ]) {
        proxy.counted();
        expect((await visit(path)).status).toBe(200);
        counts.push({ path: path.replace(/cus_[\w-]+/, ':id'), asked: proxy.counted() });
      }
      asked.push(counts);
    }

    expect(asked[1]).toEqual(asked[0]);
    const sums = asked[0]?.map(({ path, asked: counts }) => [path, Object.values(counts).reduce((a, b) => a + b, 0)]);
    expect(sums).toEqual([
      ['/', 5],
      ['/customers', 3],
      ['/customers/:id/usage?month=2026-09', 3],
      ['/metering', 5],
      ['/books', 1],
    ]);
    expect(JSON.stringify(asked)).not.toContain('Scan');
  });
});
