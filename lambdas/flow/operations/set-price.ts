// Reads:       the prices
// Writes:      the audit line, then the price
// Once per:    action id; a later act's price stays
// If it stops: the same act, under the same id, sets the price whose line stands already
import type { AuditEntry } from '../../domain/amendment.ts';
import { type Money, moneyText, parsePrice } from '../../domain/money.ts';
import { type Act, auditOf, type Refused, refuse } from '../../domain/operations/act.ts';
import { hasDimension, type Products } from '../../domain/product.ts';
import type { LedgerStore } from '../ports.ts';
import type { PriceStore } from '../price-ports.ts';
import { type Doing, knownAct } from './amend-record.ts';

export interface SetPricePorts {
  readonly prices: PriceStore;
  readonly ledger: Pick<LedgerStore, 'action' | 'noteAction'>;
  readonly products: Products;
  readonly clock: () => number;
}

interface Priced {
  readonly productCode: string;
  readonly dimension: string;
  /** US dollars a unit, with up to eight decimals: `0.0035`. */
  readonly price: string;
}

type SetPriceOutcome =
  | Refused
  | { readonly kind: 'planned' | 'done'; readonly before?: Money; readonly after: Money }
  | { readonly kind: 'already'; readonly audit: AuditEntry };

/** Notes what a unit is worth, for the views of money. Nothing that is sent to AWS depends on it. */
export async function setPrice(
  ports: SetPricePorts,
  { productCode, dimension, price }: Priced,
  act: Act,
  doing: Doing = {},
): Promise<SetPriceOutcome> {
  const amount = parsePrice(price);
  if (amount === undefined) {
    return refuse(
      'priceInvalid',
      `'${price}' is no price. Write dollars a unit with up to eight decimals, such as 0.0035.`,
    );
  }
  const product = ports.products.get(productCode);
  if (!product) {
    const known = [...ports.products.keys()].join(', ');
    return refuse('productUnknown', `The settings name no product '${productCode}'. They name: ${known}.`);
  }
  if (!hasDimension(product, dimension)) {
    const listed = product.dimensions.join(', ');
    return refuse('dimensionUnknown', `Product '${productCode}' has no dimension '${dimension}'. It has: ${listed}.`);
  }
  const known = await knownAct(ports, act, 'setPrice', { dimension });
  if (known?.kind === 'refused') return known;
  const told = known?.kind === 'already' ? known.audit : undefined;
  if (told && (told.facts['product'] !== productCode || told.facts['after'] !== moneyText(amount))) {
    return refuse(
      'actionIdTaken',
      `The act's id ${act.actionId} stands for another price. Leave it out to have one made.`,
    );
  }
  const standing = (await ports.prices.prices()).find(
    (each) => each.productCode === productCode && each.dimension === dimension,
  );
  const before = standing?.amount;
  const change = { ...(before === undefined ? {} : { before }), after: amount };
  if (doing.dryRun) return { kind: 'planned', ...change };
  const version = Number(told?.facts['version'] ?? (standing?.version ?? 0) + 1);
  const facts = {
    product: productCode,
    before: before === undefined ? 'none' : moneyText(before),
    after: moneyText(amount),
    version,
  };
  await ports.ledger.noteAction(auditOf(act, 'setPrice', { dimension }, ports.clock(), facts));
  await ports.prices.setPrice({ productCode, dimension, amount, version, actionId: act.actionId });
  return told ? { kind: 'already', audit: told } : { kind: 'done', ...change };
}
