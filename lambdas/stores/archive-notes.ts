// Which files of the audit trail stand in the archive, in the work table. Lost, they would be put again and stand.
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BrokenInvariant } from '../domain/failure.ts';
import { DAY_MS, type HourStart, parseHour, SECOND_MS } from '../domain/hour.ts';
import type { ArchiveNotes } from '../flow/archive-audit.ts';
import { putItem, queryAll, toItem } from './dynamo.ts';
import { text } from './item-reader.ts';

const ARCHIVED = 'archived';
const BEGIN = { pk: 'archive', sk: 'begin' };

/** Longer than anything is looked for that has not been archived. */
const KEPT_MS = 60 * DAY_MS;

export class DynamoArchiveNotes implements ArchiveNotes {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async begin(hour: HourStart): Promise<HourStart> {
    const written = await putItem(this.#client, {
      TableName: this.#table,
      Item: toItem({ ...BEGIN, hour }),
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    if (written.kind === 'written') return hour;
    const stands = parseHour(text(written.existing ?? {}, 'hour'));
    if (stands) return stands;
    throw new BrokenInvariant('ItemMalformed', 'The begin of the archive is no hour.', { facts: { member: 'hour' } });
  }

  async archived(): Promise<ReadonlySet<string>> {
    const items = await queryAll(this.#client, {
      TableName: this.#table,
      KeyConditionExpression: 'pk = :archived',
      ExpressionAttributeValues: toItem({ ':archived': ARCHIVED }),
    });
    return new Set(items.map((item) => text(item, 'sk')));
  }

  async noteArchived(name: string, nowMs: number): Promise<void> {
    const expiresAt = Math.ceil((nowMs + KEPT_MS) / SECOND_MS);
    await putItem(this.#client, {
      TableName: this.#table,
      Item: toItem({ pk: ARCHIVED, sk: name, archivedAt: nowMs, expiresAt }),
    });
  }
}
