// Reads members of a stored item with their types, so that a broken item is named instead of travelling on.
import { BrokenInvariant } from '../domain/failure.ts';
import type { Item } from './dynamo.ts';
import { refuseNewer } from './layout.ts';

/** Reads items one by one, so that one that can't be read does not take the others with it. */
export function readEach<T>(
  items: readonly Item[],
  read: (item: Item) => T,
  onUnreadable: (item: Item, fault: unknown) => void,
): T[] {
  return items.flatMap((item) => {
    try {
      return [read(item)];
    } catch (fault) {
      onUnreadable(item, fault);
      return [];
    }
  });
}

export function text(item: Item, name: string): string {
  const value = optionalText(item, name);
  return value ?? broken(name);
}

export function optionalText(item: Item, name: string): string | undefined {
  const value = memberOf(item, name);
  return value === undefined || typeof value === 'string' ? value : broken(name);
}

export function whole(item: Item, name: string): number {
  const value = optionalWhole(item, name);
  return value ?? broken(name);
}

export function optionalWhole(item: Item, name: string): number | undefined {
  const value = memberOf(item, name);
  return value === undefined || (typeof value === 'number' && Number.isSafeInteger(value)) ? value : broken(name);
}

export function optionalFlag(item: Item, name: string): boolean | undefined {
  const value = memberOf(item, name);
  return value === undefined || typeof value === 'boolean' ? value : broken(name);
}

export function textList(item: Item, name: string): string[] {
  const value = memberOf(item, name);
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? value : broken(name);
}

/** A map member, to be read on with the functions above. */
export function optionalMap(item: Item, name: string): Item | undefined {
  const value = memberOf(item, name);
  return value === undefined || isMap(value) ? value : broken(name);
}

export function mapList(item: Item, name: string): Item[] {
  const value = memberOf(item, name);
  return Array.isArray(value) && value.every(isMap) ? value : broken(name);
}

/** A member that has to be one of a closed set. */
export function oneOf<T extends string>(item: Item, name: string, allowed: readonly T[]): T {
  const value = memberOf(item, name);
  return allowed.find((each) => each === value) ?? broken(name);
}

export function optionalOneOf<T extends string>(item: Item, name: string, allowed: readonly T[]): T | undefined {
  return memberOf(item, name) === undefined ? undefined : oneOf(item, name, allowed);
}

/** Leaves out the members that are undefined: to be spread where a member is present or absent, never undefined. */
export function present<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/**
 * Each member is asked for by itself, so that an item of a newer layout costs itself alone, as a broken one does. Keys are
 * of no layout: whoever names the item that was refused reads them.
 */
function memberOf(item: Item, name: string): unknown {
  if (name !== 'pk' && name !== 'sk') refuseNewer(item);
  return item[name];
}

function isMap(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function broken(name: string): never {
  throw new BrokenInvariant('ItemMalformed', `A stored item's member ${name} is missing or of another type.`, {
    facts: { member: name },
  });
}
