// The layout of items, and the way from an older one to today's.
import { Misconfigured } from '../domain/failure.ts';
import type { Item } from './dynamo.ts';

/**
 * Brings an item from one layout to the next. Pure, and for items of every table: what a step is not about, by key, it
 * gives back as it is. It only adds members that are missing, so that an item which has been written to since, member by
 * member, comes out the same; and none that conditions of writes compare.
 */
export type LayoutStep = (item: Item) => Item;

/** In order: the first leads from layout 1 to 2. A released step is never changed. */
export const LAYOUT_STEPS: readonly LayoutStep[] = [];

/** The layout's number on every item that is put. Items without one (the tables `work` and `rejects`) are of layout 1. */
export const LAYOUT = LAYOUT_STEPS.length + 1;

/**
 * An item as the layout after the last step has it, and without a number: whoever stores it puts today's. Items of that
 * layout, and of a newer one, come back as they are.
 */
export function upgraded(item: Item, steps: readonly LayoutStep[]): Item {
  const layout = layoutOf(item);
  if (layout > steps.length) return item;
  const { v: _former, ...read } = steps.slice(layout - 1).reduce((before, step) => step(before), item);
  return read;
}

/**
 * Refuses an item of a newer layout than this code knows: after a roll back, what the newer code wrote must not be taken
 * for something else. Whatever was to be made of it waits until the newer code is deployed again.
 */
export function refuseNewer(item: Item): void {
  const layout = item['v'];
  if (typeof layout !== 'number' || layout <= LAYOUT) return;
  throw new Misconfigured(
    'ItemNewer',
    `A stored item has layout ${layout}; this version knows layouts up to ${LAYOUT}. Deploy the version that wrote it, or a later one.`,
    { facts: { layout, known: LAYOUT } },
  );
}

function layoutOf(item: Item): number {
  const layout = item['v'];
  return typeof layout === 'number' && layout >= 1 ? layout : 1;
}
