// Control: how the notices of an action reach the seller, where that is to differ from what is usual.
import type { JsonObject } from '../json.ts';
import { DELIVERIES, type Delivery } from '../world/products.ts';
import { optionalChoice, optionalWhole } from './input.ts';

/** The members that every action, and every product, may bring. */
export const DELIVERY_MEMBERS = ['deliver', 'lateByMs'];

const TEN_MINUTES_MS = 600_000;
const YEAR_MS = 31_536_000_000;

/** The delivery that is asked for, or undefined where none is. */
export function optionalDelivery(wanted: JsonObject): Delivery | undefined {
  const deliver = optionalChoice(wanted, 'deliver', DELIVERIES);
  const lateByMs = optionalWhole(wanted, 'lateByMs', 0, YEAR_MS) ?? TEN_MINUTES_MS;
  return deliver === undefined ? undefined : { deliver, lateByMs };
}
