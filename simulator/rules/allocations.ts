// Vendor-metered tagging: what AWS accepts as usage allocations, and when two of them are the same.
import { WireError } from '../wire-error.ts';

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export interface Allocation {
  readonly quantity: number;
  /** Undefined for the one allocation that takes what no tag explains. */
  readonly tags: readonly Tag[] | undefined;
}

const TAGS_MAX = 5;
const KEY_MAX = 100;
const VALUE_MAX = 256;
// As in AWS's model: " -=" is a range there, from space to the equals sign.
const TAG_TEXT = /^[a-zA-Z0-9+ -=._:/@]+$/;

/**
 * Refuses allocations that AWS refuses: InvalidTagException for the tags, InvalidUsageAllocationsException for the
 * sum and for two allocations of one tag set (AWS: "Vendor-metered tagging", API reference UsageAllocation and Tag).
 */
export function checkAllocations(
  quantity: number,
  allocations: readonly Allocation[] | undefined,
  tagLimit: 'perRecord' | 'perAllocation',
): void {
  if (allocations === undefined) return;
  const keys = new Set<string>();
  const tagSets = new Set<string>();
  let sum = 0;
  for (const allocation of allocations) {
    checkTags(allocation.tags);
    for (const tag of allocation.tags ?? []) keys.add(tag.key);
    tagSets.add(tagSetOf(allocation));
    sum += allocation.quantity;
  }
  if (tagLimit === 'perRecord' && keys.size > TAGS_MAX) {
    throw new WireError(
      'InvalidTagException',
      `The usage allocations use ${keys.size} tag keys; at most 5 are allowed.`,
    );
  }
  if (tagSets.size < allocations.length) {
    throw new WireError('InvalidUsageAllocationsException', 'Two usage allocations have the same set of tags.');
  }
  if (sum !== quantity) {
    const difference = `Sum of allocated usage quantities ${sum} is not equal to the usage quantity ${quantity}.`;
    throw new WireError('InvalidUsageAllocationsException', difference);
  }
}

/** One text for allocations that mean the same, in whatever order they and their tags were sent. */
export function canonicalAllocations(allocations: readonly Allocation[] | undefined): string | undefined {
  if (allocations === undefined) return undefined;
  const canonical = allocations.map((allocation) => ({
    AllocatedUsageQuantity: allocation.quantity,
    ...(allocation.tags !== undefined && {
      Tags: sortedTags(allocation.tags).map(({ key, value }) => ({ Key: key, Value: value })),
    }),
  }));
  return `[${canonical
    .map((entry) => JSON.stringify(entry))
    .sort()
    .join(',')}]`;
}

function checkTags(tags: readonly Tag[] | undefined): void {
  if (tags === undefined) return;
  if (tags.length < 1 || tags.length > TAGS_MAX) {
    throw new WireError('InvalidTagException', `A usage allocation has ${tags.length} tags; 1 to 5 are allowed.`);
  }
  for (const { key, value } of tags) {
    if (key.length > KEY_MAX || !TAG_TEXT.test(key)) {
      throw new WireError(
        'InvalidTagException',
        'A tag key is empty, too long, or has characters that are not allowed.',
      );
    }
    if (value.length > VALUE_MAX || !TAG_TEXT.test(value)) {
      throw new WireError(
        'InvalidTagException',
        'A tag value is empty, too long, or has characters that are not allowed.',
      );
    }
  }
  if (new Set(tags.map((tag) => tag.key)).size < tags.length) {
    throw new WireError('InvalidTagException', 'A tag key appears twice in one usage allocation.');
  }
}

function tagSetOf(allocation: Allocation): string {
  return JSON.stringify(sortedTags(allocation.tags ?? []).map(({ key, value }) => [key, value]));
}

function sortedTags(tags: readonly Tag[]): readonly Tag[] {
  return tags.toSorted((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0));
}
