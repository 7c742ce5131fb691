// Closes the bench's hour once and prints the largest heap on the way, in MiB: run under a heap cap by close.ts.
import { hourStartMs } from '../lambdas/domain/hour.ts';
import { dynamoClient } from '../lambdas/stores/dynamo.ts';
import { DynamoLedgerStore } from '../lambdas/stores/ledger-store.ts';
import { createTables } from '../local/tables.ts';
import { CLOSE_HOUR, closeAll } from './close-all.ts';
import { benchPorts, ENGINE_CREDENTIALS } from './world.ts';

const [endpoint = '', ledger = ''] = process.argv.slice(2);
const client = dynamoClient({ region: 'us-east-1', endpoint, credentials: ENGINE_CREDENTIALS });
const ports = benchPorts(client, await createTables(client), () => hourStartMs(CLOSE_HOUR) + 75 * 60_000);
let peakBytes = 0;
const watch = setInterval(() => {
  peakBytes = Math.max(peakBytes, process.memoryUsage().heapUsed);
}, 5);
await closeAll({ ...ports, ledger: new DynamoLedgerStore(client, ledger) });
clearInterval(watch);
client.destroy();
console.log(Math.round(peakBytes / 1_048_576));
