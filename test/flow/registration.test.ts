import { describe, expect, it } from 'vitest';
import type { BuyerDetails } from '../../lambdas/domain/buyer-details.ts';
import type { Customer } from '../../lambdas/domain/customer.ts';
import type { Product } from '../../lambdas/domain/product.ts';
import type { Resolution } from '../../lambdas/flow/ports.ts';
import { registerCustomer } from '../../lambdas/flow/register-customer.ts';
import { resolveBuyer } from '../../lambdas/flow/resolve-buyer.ts';
import type { RegistrationPorts } from '../../lambdas/flow/settle-registration.ts';
import { LifecycleTables, memoryNoticePorts } from '../doubles/memory-notices.ts';

const PRODUCT = { productCode: 'p', identityStyle: 'licence' } as Product;
const CUSTOMER: Customer = { customerId: 'cus_1', productCode: 'p', licenceKeys: [], createdAt: 1, sequence: 0 };
const BUYER = { productCode: 'p', licenceArn: `arn:aws:license-manager::1:license:l-${'0'.repeat(32)}` };

/** What follows on a registration finds nobody here, and so does nothing. */
function settling(): RegistrationPorts {
  return { ...memoryNoticePorts(new LifecycleTables(), [PRODUCT]).ports, log: { warn() {} } };
}

function resolving(resolution: Resolution) {
  const calls: string[] = [];
  const settled = settling();
  const ports = {
    ...settled,
    registration: { resolve: async () => resolution },
    customers: Object.assign(settled.customers, {
      upsert: async () => {
        calls.push('upsert');
        return { kind: 'known' as const, customer: CUSTOMER };
      },
    }),
    work: {
      releaseAwaiting: async (licenceKey: string) => {
        calls.push(`release ${licenceKey}`);
        return 0;
      },
    },
  };
  const run = () => resolveBuyer(ports, { token: 't', hints: {} }, 1);
  return { calls, run };
}

describe('resolveBuyer', () => {
  it('lets waiting usage go after the customer stands, for a known customer too', async () => {
    const { calls, run } = resolving({ kind: 'resolved', buyer: BUYER });
    expect(await run()).toMatchObject({ kind: 'resolved', isNew: false, customer: CUSTOMER });
    expect(calls).toEqual(['upsert', `release l-${'0'.repeat(32)}`]);
  });

  it('lets nothing go while AWS names no licence', async () => {
    const { calls, run } = resolving({ kind: 'resolved', buyer: { productCode: 'p', customerAwsAccountId: '1' } });
    await run();
    expect(calls).toEqual(['upsert']);
  });

  it('touches nothing for a bad token or a product that is not ours', async () => {
    for (const resolution of [
      { kind: 'tokenInvalid' },
      { kind: 'tokenExpired' },
      { kind: 'resolved', buyer: { productCode: '' } },
    ] as const) {
      const { calls, run } = resolving(resolution);
      expect((await run()).kind).toBe(resolution.kind === 'resolved' ? 'notOurProduct' : resolution.kind);
      expect(calls).toEqual([]);
    }
  });
});

describe('registerCustomer', () => {
  const details: BuyerDetails = { customerId: 'cus_1', email: 'a@b.co', fields: {}, submittedAt: 5 };

  function registering(customer: Customer | undefined, put: 'recorded' | 'already') {
    const calls: string[] = [];
    const settled = settling();
    const ports = {
      ...settled,
      customers: Object.assign(settled.customers, {
        customer: async () => customer,
        markRegistered: async () => void calls.push('mark'),
      }),
      buyers: {
        details: async () => (customer?.registeredAt === undefined ? details : undefined),
        put: async () => {
          calls.push('put');
          return put;
        },
      },
    };
    return { calls, run: () => registerCustomer(ports, details) };
  }

  it('finishes what a run that stopped halfway began', async () => {
    const { calls, run } = registering(CUSTOMER, 'already');
    expect(await run()).toBe('already');
    expect(calls).toEqual(['put', 'mark']);
  });

  it('takes no details of a customer who is registered, even if they were erased since', async () => {
    const { calls, run } = registering({ ...CUSTOMER, registeredAt: 2 }, 'recorded');
    expect(await run()).toBe('alreadyOtherwise');
    expect(calls).toEqual([]);
  });

  it('makes no customer out of a session whose customer is gone', async () => {
    const { calls, run } = registering(undefined, 'recorded');
    expect(await run()).toBe('unknownCustomer');
    expect(calls).toEqual([]);
  });
});
