// Keys of the usage and the ledger table: the same order in both, so that closing an hour is a merge.
import { createHash } from 'node:crypto';
import type { HourStart } from './hour.ts';

/** Fixed for ever: a licence's hour has one place, and changing this number would move it. */
export const SHARD_COUNT = 64;

/** Sorts before every byte that `encodeKeyPart` lets through, so that parts compare one by one. */
export const KEY_SEPARATOR = '#';

/** DynamoDB allows 1,024 bytes a sort key; licence key and event id take under 450 of them. */
export const MAX_ENCODED_DIMENSION_BYTES = 512;

/**
 * Encodes one part of a key so that every byte of it sorts after the separator and `~` is left free: our own ids
 * start with `~`, so no caller can write one.
 */
export function encodeKeyPart(part: string): string {
  return encodeURIComponent(part).replace(/[!'()*~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Undoes `encodeKeyPart`; undefined where the text was not made by it. */
export function decodeKeyPart(part: string): string | undefined {
  try {
    const decoded = decodeURIComponent(part);
    return encodeKeyPart(decoded) === part ? decoded : undefined;
  } catch {
    return undefined;
  }
}

/** The shard of a licence, 0 to 63: a stable hash, the same in every release and language. */
export function shardOf(licenceKey: string): number {
  return createHash('sha256').update(licenceKey).digest().readUInt16BE(0) % SHARD_COUNT;
}

/** `2026-11-23T07#05`. */
export function hourShardKey(hour: HourStart, shard: number): string {
  return `${hour}${KEY_SEPARATOR}${String(shard).padStart(2, '0')}`;
}

/** `licence#dimension`: the sort key of a sealed hour, and the prefix of what it is made of. */
export function meterKey(licenceKey: string, dimension: string): string {
  return `${licenceKey}${KEY_SEPARATOR}${encodeKeyPart(dimension)}`;
}
