// Reads:       usage and ledger of a range of hours
// Writes:      nothing
// Once per:    licence, dimension and hour, in order
// If it stops: nothing is left behind
import { booksOf, type HourBooks } from '../domain/books.ts';
import { type HourStart, hoursBetween } from '../domain/hour.ts';
import { SHARD_COUNT, shardOf } from '../domain/keys.ts';
import type { LedgerStore, UsageStore } from './ports.ts';
import { readMeters } from './read-meters.ts';

interface VerifyPorts {
  readonly usage: Pick<UsageStore, 'rows'>;
  readonly ledger: Pick<LedgerStore, 'entries'>;
}

/** The books of every meter in `[first, end)`, of one licence if named; each says whether it balances. */
export async function* verifyBooks(
  ports: VerifyPorts,
  first: HourStart,
  end: HourStart,
  licenceKey?: string,
): AsyncGenerator<HourBooks> {
  const shards =
    licenceKey === undefined ? Array.from({ length: SHARD_COUNT }, (_, shard) => shard) : [shardOf(licenceKey)];
  for (const hour of hoursBetween(first, end)) {
    const books = await Promise.all(shards.map((shard) => booksOfPartition(ports, hour, shard, licenceKey)));
    yield* books.flat();
  }
}

async function booksOfPartition(
  ports: VerifyPorts,
  hour: HourStart,
  shard: number,
  licenceKey: string | undefined,
): Promise<HourBooks[]> {
  const books: HourBooks[] = [];
  const partition = { hour, shard, ...(licenceKey === undefined ? {} : { licenceKey }) };
  for await (const { licenceKey: licence, dimension, tally, sealed } of readMeters(ports, partition)) {
    books.push(booksOf({ hour, licenceKey: licence, dimension }, tally, sealed));
  }
  return books;
}
