// Reads:       the keys that sign hand-offs, then the customer
// Writes:      that the hand-off is spent, by whom it was redeemed, and until when its buyer may be registered under it
// Once per:    hand-off; the same redemption again finds its own and gets the same answer
// If it stops: the seller's server asks again under the same redemption
import type { Customer } from '../domain/customer.ts';
import { type HandOff, type HandOffVerdict, REGISTERS_FOR_MS } from '../domain/hand-off.ts';
import type { HandOffJudge, HandOffStore } from './hand-off-ports.ts';
import type { CustomerStore } from './ports.ts';

export interface RedeemHandOffPorts {
  readonly judge: HandOffJudge;
  readonly customers: Pick<CustomerStore, 'customer'>;
  readonly handOffs: Pick<HandOffStore, 'redeem'>;
}

export type Redemption =
  | { readonly kind: 'redeemed'; readonly handOff: HandOff; readonly customer: Customer }
  | { readonly kind: 'spent' }
  | { readonly kind: 'unknownCustomer' }
  | Exclude<HandOffVerdict, { kind: 'verified' }>;

/** Spends a hand-off for the seller's server, whatever that has checked of it before. */
export async function redeemHandOff(
  { judge, customers, handOffs }: RedeemHandOffPorts,
  { handOff: text, redemptionId }: { readonly handOff: string; readonly redemptionId: string },
  nowMs: number,
): Promise<Redemption> {
  const verdict = await judge(text, nowMs);
  if (verdict.kind !== 'verified') return verdict;
  const { handOffId, customerId } = verdict.handOff;
  const customer = await customers.customer(customerId);
  if (!customer) return { kind: 'unknownCustomer' };
  const registersUntil = nowMs + REGISTERS_FOR_MS;
  const redeemed = await handOffs.redeem({ handOffId, customerId, redemptionId, registersUntil });
  return redeemed === 'spent' ? { kind: 'spent' } : { kind: 'redeemed', handOff: verdict.handOff, customer };
}
