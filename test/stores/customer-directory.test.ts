import { describe, expect, test } from 'vitest';
import type { BuyerDetails } from '../../lambdas/domain/buyer-details.ts';
import type { Standing } from '../../lambdas/domain/standing.ts';
import { DynamoBuyerStore } from '../../lambdas/stores/buyer-store.ts';
import { DynamoCustomerDirectory } from '../../lambdas/stores/customer-directory.ts';
import { DynamoCustomerStore } from '../../lambdas/stores/customer-store.ts';
import { DynamoNoticeStore } from '../../lambdas/stores/notice-store.ts';
import { aProduct, at } from '../builders.ts';
import { useEngine } from './engine-tables.ts';

const engine = useEngine();
const NOW = at('2026-09-21T11:20:00Z');

async function stores() {
  const { client, tables } = await engine();
  return {
    directory: new DynamoCustomerDirectory(client, tables),
    customers: new DynamoCustomerStore(client, tables.customers),
    notices: new DynamoNoticeStore(client, tables),
    buyers: new DynamoBuyerStore(client, tables.buyers),
  };
}

function licenceArn(number: number): string {
  return `arn:aws:license-manager::294406891311:license:l-${String(number).padStart(32, '0')}`;
}

async function make(customers: DynamoCustomerStore, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 0; number < count; number++) {
    const buyer = {
      productCode: aProduct().productCode,
      licenceArn: licenceArn(number),
      customerAwsAccountId: String(111_111_111_111 + number),
    };
    ids.push((await customers.upsert(buyer, aProduct(), NOW + number)).customer.customerId);
  }
  return ids;
}

function details(customerId: string, company: string): BuyerDetails {
  return { customerId, email: 'Kim@Example.com', fields: { company }, submittedAt: NOW };
}

const ACTIVE: Standing = { state: 'active', marks: [], agreements: [], registeredAt: NOW };

describe('the directory of customers', () => {
  test('lists all of them newest first, a page at a time, each once', async () => {
    const { directory, customers } = await stores();
    const ids = await make(customers, 7);

    const first = await directory.list('all', 4);
    const second = await directory.list('all', 4, first.cursor);

    expect([...first.items, ...second.items]).toEqual(ids.toReversed());
    expect(second.cursor).toBeUndefined();
  });

  test('lists one who is registered and active as that, and no more as unregistered', async () => {
    const { directory, customers, notices } = await stores();
    const [one = '', other = ''] = await make(customers, 2);
    const read = await notices.folded(one);
    if (!read) throw new Error('The customer is not there.');

    await notices.tell(read, { standing: ACTIVE, events: [] });

    expect((await directory.list('active', 9)).items).toEqual([one]);
    expect((await directory.list('unregistered', 9)).items).toEqual([other]);
    expect((await directory.list('all', 9)).items).toEqual([other, one]);
    expect((await directory.customers([other, 'cus_nobody', one])).map(({ standing }) => standing.state)).toEqual([
      'awaitingLicence',
      'active',
    ]);
  });

  test('finds customers by account and by licence', async () => {
    const { directory, customers } = await stores();
    const [one = ''] = await make(customers, 1);
    const codes = [aProduct().productCode, 'another'];

    expect(await directory.ofAccount('111111111111', codes)).toEqual([one]);
    expect(await directory.ofAccount('999999999999', codes)).toEqual([]);
    expect(await directory.ofLicences([`l-${'0'.repeat(32)}`, `l-${'9'.repeat(32)}`])).toEqual([one]);
  });

  test('finds an agreement that is somebody’s, and nobody for one that is not', async () => {
    const { directory, notices } = await stores();
    await notices.link('agreement#agmt-1', 'cus_1', undefined);

    expect(await directory.ofAgreement('agmt-1')).toBe('cus_1');
    expect(await directory.ofAgreement('agmt-2')).toBeUndefined();
  });
});

describe('the directory of buyers', () => {
  test('finds them by e-mail and by how their company begins, in whatever case', async () => {
    const { buyers } = await stores();
    await buyers.put(details('cus_1', 'Blue  Sky Ltd'));
    await buyers.put(details('cus_2', 'BLUE SKY INC'));
    await buyers.put({ ...details('cus_3', 'Red'), email: 'lee@example.com' });

    expect(await buyers.byCompany('blue sky', 9)).toEqual(['cus_2', 'cus_1']);
    expect(await buyers.byCompany('Blue Sky l', 9)).toEqual(['cus_1']);
    expect(await buyers.byCompany(' ', 9)).toEqual([]);
    expect(await buyers.byEmail('KIM@example.com', 9)).toEqual(['cus_1', 'cus_2']);
    expect([...(await buyers.detailsOf(['cus_3', 'cus_4'])).keys()]).toEqual(['cus_3']);
  });

  test('erases a buyer from every way in, once', async () => {
    const { buyers } = await stores();
    await buyers.put(details('cus_1', 'Blue Sky'));

    expect(await buyers.erase('cus_1')).toBe(true);

    expect(await buyers.erase('cus_1')).toBe(false);
    expect(await buyers.byCompany('blue', 9)).toEqual([]);
    expect(await buyers.byEmail('kim@example.com', 9)).toEqual([]);
    expect(await buyers.details('cus_1')).toBeUndefined();
  });

  test('keeps a buyer whose company is of any length and any letters', async () => {
    const { buyers } = await stores();

    expect(await buyers.put(details('cus_1', '𝔘'.repeat(2_000)))).toBe('recorded');

    expect(await buyers.byCompany('uuu', 9)).toEqual(['cus_1']);
  });
});
