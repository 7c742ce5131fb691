import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { noticesAfter, startTestWorld, type TestWorld } from './fixture.ts';

interface Arrival {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A seller's endpoint that refuses the first `failures` posts. */
async function startTarget(failures = 0): Promise<{ url: string; arrivals: Arrival[] }> {
  const arrivals: Arrival[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    arrivals.push({ headers: request.headers, body });
    response.writeHead(arrivals.length <= failures ? 503 : 204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/notices`, arrivals };
}

/** How long something that is sure to come may take on a busy machine. */
const PATIENCE = { timeout: 20_000 };

const setTarget = (world: TestWorld, body: object) => world.control('PUT', '/control/notice-target', body);

const advance = (world: TestWorld, ms: number) => world.control('POST', '/control/clock/advance', { ms });

const sequence = (arrivals: readonly Arrival[]) => arrivals.map(({ headers }) => headers['x-notice-seq']);

describe('The notice target', () => {
  it('gets each notice when it is due, in order, as the log has it', async () => {
    const world = await startTestWorld();
    const { url, arrivals } = await startTarget();
    await setTarget(world, { url });

    await world.subscribe({ startAt: '2026-09-21T14:30:00Z' });
    await expect.poll(() => sequence(arrivals), PATIENCE).toEqual(['1']);
    await advance(world, 61_000);
    await expect.poll(() => sequence(arrivals), PATIENCE).toEqual(['1', '2']);

    const log = await noticesAfter(world);
    expect(arrivals.map(({ body }) => body)).toEqual(log.map(({ body }) => body));
    expect(arrivals[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-notice-channel': 'eventbridge',
    });
    await expect.poll(() => world.control('GET', '/control/notice-target'), PATIENCE).toEqual({ url, sentSeq: 2 });
  });

  it('is asked again until it takes a notice, and gets none out of turn', async () => {
    const world = await startTestWorld();
    const { url, arrivals } = await startTarget(2);
    await world.subscribe();
    await setTarget(world, { url });

    await expect.poll(() => sequence(arrivals), PATIENCE).toEqual(['1', '1', '1', '2']);
  });

  it('is not told anew what it took, also under another address, unless it asks for that', async () => {
    const world = await startTestWorld();
    const [first, second] = [await startTarget(), await startTarget()];
    await setTarget(world, { url: first.url });
    await world.subscribe();
    await expect.poll(() => world.control('GET', '/control/notice-target'), PATIENCE).toMatchObject({ sentSeq: 2 });
    await world.control('DELETE', '/control/notice-target');
    await world.subscribe();

    await setTarget(world, { url: second.url });
    await expect.poll(() => sequence(second.arrivals), PATIENCE).toEqual(['3', '4']);
    await setTarget(world, { url: second.url, after: 3 });
    await expect.poll(() => sequence(second.arrivals), PATIENCE).toEqual(['3', '4', '4']);
    expect(sequence(first.arrivals)).toEqual(['1', '2']);
  });

  it('gets what went out while it was away, also after a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simulator-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const dataPath = join(folder, 'world.db');
    const { url, arrivals } = await startTarget(1);
    const before = await startTestWorld({ dataPath });
    await setTarget(before, { url });
    await before.subscribe();
    await expect.poll(() => arrivals.length, PATIENCE).toBeGreaterThan(0);
    await before.close();

    const after = await startTestWorld({ dataPath });

    await expect.poll(() => after.control('GET', '/control/notice-target'), PATIENCE).toEqual({ url, sentSeq: 2 });
    expect(new Set(sequence(arrivals))).toEqual(new Set(['1', '2']));
  });

  it('gets what falls due while nobody calls, where the clock runs', async () => {
    const world = await startTestWorld();
    const { url, arrivals } = await startTarget();
    await setTarget(world, { url });
    await world.control('PUT', '/control/clock', { mode: 'accelerated', rate: 600 });
    await world.subscribe({ startAt: '2026-09-21T14:30:00Z' });

    await expect.poll(() => sequence(arrivals), PATIENCE).toEqual(['1', '2']);
  });

  it.each([
    'http://example.com/notices',
    'http://169.254.169.254/',
    'http://127.0.0.1.example.com/',
    'https://127.0.0.1:3000/',
    'http://user:secret@127.0.0.1:3000/',
    'http://0.0.0.0:3000/',
    'file:///etc/passwd',
    '',
  ])('is never %j: notices stay on this machine', async (url) => {
    const world = await startTestWorld();

    expect(await setTarget(world, { url })).toMatchObject({ error: { code: 'InvalidInput' } });
    expect(await world.control('GET', '/control/notice-target')).toEqual({ url: null, sentSeq: 0 });
  });

  it('follows no redirect off this machine', async () => {
    const world = await startTestWorld();
    const { url, arrivals } = await startTarget();
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      response.writeHead(307, { location: url }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    await world.subscribe();

    await setTarget(world, { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/` });

    await expect.poll(() => asked, PATIENCE).toBeGreaterThan(1);
    expect(arrivals).toEqual([]);
    expect(await world.control('GET', '/control/notice-target')).toMatchObject({ sentSeq: 0 });
  });
});
