// The public keys of hand-offs, as the seller's server keeps them.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { SigningKeys } from '../../client/signing-keys.ts';
import { Unavailable } from '../../lambdas/domain/failure.ts';
import { publicKeyOf, signingKeyOf } from '../../lambdas/domain/hand-off.ts';

async function aList(...keyIds: string[]) {
  const list = { keyIds, reads: 0, status: 200 };
  const server = createServer((_request, response) => {
    list.reads += 1;
    response.statusCode = list.status;
    const keys = list.keyIds.map((keyId) => publicKeyOf(signingKeyOf(keyId, `secret of ${keyId}`)));
    response.end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const keys = new SigningKeys(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/prod`));
  return { list, keys };
}

test('a key that was made a moment after the list was read is met at once: its buyer is not turned away as forged', async () => {
  const { list, keys } = await aList('k1');
  await keys.key('k1');
  list.keyIds = ['k1', 'k2'];

  expect(await keys.key('k2')).toMatchObject({ kid: 'k2' });
});

test('a key that could not be looked for is looked for again, and is no forgery meanwhile', async () => {
  const { list, keys } = await aList('k1');
  await keys.key('k1');
  Object.assign(list, { keyIds: ['k1', 'k2'], status: 503 });
  await expect(keys.key('k2')).rejects.toThrow(Unavailable);
  list.status = 200;

  expect(await keys.key('k2')).toMatchObject({ kid: 'k2' });
});

test('keys that are made up cost no call each', async () => {
  const { list, keys } = await aList('k1');

  for (let request = 0; request < 50; request++) expect(await keys.key(`made-up-${request}`)).toBeUndefined();

  expect(list.reads).toBe(2);
});
