// Reads:       one subscriber of the old stack, and what is known here of its licence
// Writes:      the customer and its licence; what it told; what the old stack was told of its standing, as a notice
// Once per:    licence; customer; notice id, made of the licence
// If it stops: the same again finds what stands and does what is left
import type { LicenceName } from '../../domain/licence.ts';
import { LICENCE_ARN_PATTERN, licenceKeyOf } from '../../domain/licence.ts';
import { type LastAnswer, type OldBuyer, standingTold } from '../../domain/migration/old-buyer.ts';
import { buyerThread, type Notice } from '../../domain/notice.ts';
import type { IdentityStyle, Product, Products } from '../../domain/product.ts';
import { applyNotice } from '../apply-notice.ts';
import type { CustomerStore, ResolvedBuyer } from '../ports.ts';
import { type RegisterCustomerPorts, registerCustomer } from '../register-customer.ts';
import { enrolBuyer } from '../resolve-buyer.ts';
import type { MigrationLine } from './report.ts';

export type MigrateBuyerPorts = RegisterCustomerPorts & {
  readonly customers: Pick<CustomerStore, 'licence'>;
  readonly products: Products;
};

/** Whose the rows of one key of the old tables are, by the settings here. */
export type Named =
  | { readonly kind: 'named'; readonly name: LicenceName; readonly licenceKey: string; readonly product: Product }
  | { readonly kind: 'unnamed'; readonly code: string; readonly message: string };

export type NamedOf = (customerIdentifier: string) => Named;

/**
 * The licence behind a key of the old tables. The key itself tells by what AWS meters the buyer, and so does the
 * product's setting here: where they differ nothing is taken, since AWS bills what is sent under both.
 */
export function nameOfBuyer(customerIdentifier: string, productCode: string | undefined, products: Products): Named {
  const product = productCode === undefined ? undefined : products.get(productCode);
  if (!product) {
    const given = productCode === undefined ? 'names no product' : `names product ${productCode}`;
    const message = `The row ${given}; expected is one of the settings (${[...products.keys()].join(', ')}). Give --product, or add it to the settings.`;
    return { kind: 'unnamed', code: 'productUnknown', message };
  }
  const style = styleOf(customerIdentifier);
  if (style === undefined) {
    const message =
      'The row is kept by AWS account, which may hold several licences. The buyer becomes a customer with the next notice of its licence, or when it presses "Set up your account" again.';
    return { kind: 'unnamed', code: 'accountOnly', message };
  }
  if (style !== product.identityStyle) {
    const message = `The old stack meters this buyer by ${style === 'legacy' ? 'customer identifier' : 'licence'}; identityStyle of product ${product.productCode} is ${product.identityStyle}. Set it to ${style}, migrate, and move buyers to licences later (customers cut-over).`;
    return { kind: 'unnamed', code: 'identityStyleWrong', message };
  }
  const name: LicenceName =
    style === 'legacy'
      ? { style, productCode: product.productCode, customerIdentifier }
      : { style, licenceArn: customerIdentifier };
  return { kind: 'named', name, licenceKey: licenceKeyOf(name), product };
}

function styleOf(customerIdentifier: string): IdentityStyle | undefined {
  if (LICENCE_ARN_PATTERN.test(customerIdentifier)) return 'licence';
  return /^\d{12}$/.test(customerIdentifier) || customerIdentifier.trim() === '' ? undefined : 'legacy';
}

interface Doing {
  readonly isApplied: boolean;
  readonly last: LastAnswer | undefined;
  readonly firstUsedAt: number | undefined;
  readonly nowMs: number;
}

type Told = Omit<MigrationLine, 'row' | 'customerIdentifier'>;

/** Makes a customer of a subscriber, or tells that it would. */
export async function migrateBuyer(
  ports: MigrateBuyerPorts,
  old: OldBuyer,
  named: Named,
  { isApplied, last, firstUsedAt, nowMs }: Doing,
): Promise<Told> {
  if (named.kind === 'unnamed') return { fate: 'refused', code: named.code, message: named.message };
  const { product, licenceKey } = named;
  const { productCode } = product;
  const standing = standingTold(old.claim, last);
  const told = { code: standing, message: STANDINGS[standing], productCode };
  if (!isApplied) {
    const known = await ports.customers.licence(licenceKey);
    return known ? { fate: 'known', ...told, customerId: known.customerId } : { fate: 'wouldMake', ...told };
  }
  const { kind, customer } = await enrolBuyer(ports, { buyer: buyerOf(old, named), product, hints: {} }, nowMs);
  const { customerId } = customer;
  // Before the standing: the first event of access then says that the buyer has registered.
  if (old.details) await registerCustomer(ports, { customerId, ...old.details, submittedAt: old.createdAt ?? nowMs });
  for (const notice of await noticesOf(ports, old, named, { standing, firstUsedAt, nowMs }))
    await applyNotice(ports, notice, '', nowMs);
  return { fate: kind === 'created' ? 'made' : 'known', ...told, customerId };
}

const STANDINGS = {
  active: 'Active, as AWS told the old stack.',
  ended: 'Ended, as AWS told the old stack.',
  untold: 'Without access until AWS tells of it: the old row and its answers from AWS do not say that it is active.',
} as const;

type NamedBuyer = Extract<Named, { kind: 'named' }>;

function buyerOf({ customerAwsAccountId }: OldBuyer, { name, product }: NamedBuyer): ResolvedBuyer {
  return {
    productCode: product.productCode,
    ...(customerAwsAccountId === undefined ? {} : { customerAwsAccountId }),
    ...(name.style === 'legacy' ? { customerIdentifier: name.customerIdentifier } : { licenceArn: name.licenceArn }),
  };
}

interface Judged {
  readonly standing: ReturnType<typeof standingTold>;
  readonly firstUsedAt: number | undefined;
  readonly nowMs: number;
}

/** Of a buyer of whom AWS has told us itself, nothing: its word stands. One by licence is told of by agreement alone. */
async function noticesOf(
  { notices }: MigrateBuyerPorts,
  old: OldBuyer,
  { name, licenceKey }: NamedBuyer,
  { standing, nowMs, firstUsedAt = nowMs }: Judged,
): Promise<Notice[]> {
  if (standing === 'untold' || name.style !== 'legacy') return [];
  const { notices: kept } = await notices.thread(buyerThread(licenceKey));
  if (kept.some(({ channel }) => channel !== 'operator')) return [];
  const startedAt = Math.min(old.createdAt ?? nowMs, firstUsedAt, nowMs - 1);
  const word = (kind: 'subscribed' | 'unsubscribed', atMs: number): Notice => ({
    noticeId: `migrated-${licenceKey}-${kind}`,
    channel: 'operator',
    kind,
    type: `migrated: ${kind}`,
    atMs,
    productCode: name.productCode,
    customerIdentifier: name.customerIdentifier,
    ...(old.isFreeTrial ? { isFreeTrial: true } : {}),
  });
  const started = word('subscribed', startedAt);
  return standing === 'active' ? [started] : [started, word('unsubscribed', nowMs)];
}
