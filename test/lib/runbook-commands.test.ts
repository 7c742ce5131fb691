// The commands that the runbook gives an operator, with their expressions as they stand there, on the real engine.
import { readFileSync } from 'node:fs';
import { DeleteItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { quarantine } from '../../lambdas/domain/metering-result.ts';
import { toItem } from '../../lambdas/stores/dynamo.ts';
import { STATE_SHARDS, sealedKey } from '../../lambdas/stores/ledger-items.ts';
import { DynamoLedgerStore } from '../../lambdas/stores/ledger-store.ts';
import { DynamoWorkStore } from '../../lambdas/stores/work-store.ts';
import { aSealedHour } from '../builders.ts';
import { useEngine } from '../stores/engine-tables.ts';

const engine = useEngine();

const RUNBOOK = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');

/** The options of one `aws dynamodb …` of the runbook; it stands there once. */
function optionsOf(command: string): (name: string) => string {
  const [text = '', ...others] = RUNBOOK.match(new RegExp(`aws dynamodb ${command} (?:.*\\\\\\n)*.*`, 'g')) ?? [];
  expect(others).toEqual([]);
  return (name) => new RegExp(`--${name} '([^']*)'`).exec(text)?.[1] ?? '';
}

test('the runbook’s update-item makes a quarantined record as open as it was when it was sealed, and no other', async () => {
  const { client, tables } = await engine();
  const ledger = new DynamoLedgerStore(client, tables.ledger);
  const sealed = aSealedHour();
  await ledger.seal(sealed);
  await ledger.settle(sealed, quarantine('InvalidUsageDimensionException', sealed.sealedAt));
  const option = optionsOf('update-item');
  const release = new UpdateItemCommand({
    TableName: tables.ledger,
    Key: toItem(sealedKey(sealed)),
    UpdateExpression: option('update-expression'),
    ConditionExpression: option('condition-expression'),
    ExpressionAttributeNames: JSON.parse(option('expression-attribute-names')),
    ExpressionAttributeValues: JSON.parse(option('expression-attribute-values')),
  });

  await client.send(release);

  const live = [];
  for await (const page of ledger.live(sealed.shard % STATE_SHARDS, () => {})) live.push(...page);
  expect(await ledger.sealed(sealed.hour, sealed.licenceKey, sealed.dimension)).toEqual(sealed);
  expect(live).toMatchObject([{ status: 'open', deadlineAt: sealed.deadlineAt }]);
  await expect(client.send(release)).rejects.toThrow('conditional');
  expect(JSON.parse(option('key'))).toMatchObject({ pk: { S: expect.any(String) }, sk: { S: expect.any(String) } });
});

test('the runbook’s delete-item releases a held group', async () => {
  const { client, tables } = await engine();
  const work = new DynamoWorkStore(client, tables.work);
  const option = optionsOf('delete-item');
  const key = JSON.parse(option('key')) as { pk: { S: string }; sk: { S: string } };
  await work.holdGroup({ key: key.sk.S, code: 'InvalidUsageDimensionException', since: 1 });

  await client.send(
    new DeleteItemCommand({
      TableName: tables.work,
      Key: key,
      ConditionExpression: option('condition-expression'),
    }),
  );

  expect([...(await work.heldGroups()).keys()]).toEqual([]);
});
