// What no engine on a laptop ever answers, said by the client itself.
import { TransactionConflictException } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { DynamoLedgerStore } from '../../lambdas/stores/ledger-store.ts';
import { startDatabase } from '../../local/database.ts';
import { createTables } from '../../local/tables.ts';
import { localClient } from '../backend-world.ts';
import { aSealedHour, at } from '../builders.ts';

test('a single write that meets a transaction on its item is tried again, as a transaction is', async () => {
  const database = await startDatabase();
  const client = localClient(database.endpoint);
  const { ledger: table } = await createTables(client);
  const ledger = new DynamoLedgerStore(client, table);
  await ledger.seal(aSealedHour());
  let conflicts = 2;
  client.middlewareStack.add(
    (next) => async (args) => {
      if (conflicts-- > 0) throw new TransactionConflictException({ message: 'Ongoing.', $metadata: {} });
      return next(args);
    },
    { step: 'initialize' },
  );

  const settled = await ledger.settle(aSealedHour(), { status: 'honoured', at: at('2026-09-21T11:12:00Z') });

  expect(settled).toBe(true);
  client.destroy();
  await database.close();
});
