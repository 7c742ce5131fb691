// What answers on the web: the pages, the seller's own, the address of usage, and AWS's clock.
import { connect } from 'node:tls';
import type { Aws } from '../../aws.ts';
import type { Facts, HttpAnswer } from '../facts.ts';
import { ABSENT, PASSED_OVER, type Probed, probe } from '../probed.ts';

const PATIENCE_MS = 15_000;

/** More is no page of ours. */
const MAX_BODY = 200_000;

const TOKEN_FIELD = 'x-amzn-marketplace-token';

/** Never given by AWS; says in AWS's own logs and in ours where it comes from. */
const NO_TOKEN = 'doctor-asks-with-no-token-of-aws';

/** `missing` is said where there is no address. */
export async function probePages(url: string | undefined, missing = ABSENT): Promise<Facts['pages']> {
  if (url === undefined) return { url, get: missing, post: missing, postToken: missing };
  const form = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) });
  const [get, post] = await Promise.all([ask(url, {}), ask(url, form({}))]);
  return { url, get, post, postToken: await ask(url, form({ [TOKEN_FIELD]: NO_TOKEN })) };
}

/** How long the certificate at an address is valid; whether browsers trust it shows where the address is asked. */
export async function probeCertificate(url: string | undefined, clock: () => number): Promise<Probed<number>> {
  if (url === undefined || new URL(url).protocol !== 'https:') return PASSED_OVER;
  const { hostname, port } = new URL(url);
  return probe('TLS', async () => Date.parse(await endOfCertificate(hostname, Number(port || 443))) - clock());
}

function endOfCertificate(servername: string, port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ host: servername, servername, port, rejectUnauthorized: false, timeout: PATIENCE_MS });
  socket.once('secureConnect', () => resolve(socket.getPeerCertificate().valid_to));
  socket.once('timeout', () => reject(new Error(`${servername} shows no certificate.`)));
  socket.once('error', reject);
  return promise.finally(() => socket.destroy());
}

/** As a browser that nobody led there: without a hand-off. */
export function probeSignUps(urls: readonly string[]): Promise<Facts['signUps']> {
  return Promise.all([...new Set(urls)].map(async (name) => ({ name, probed: await ask(name, {}) })));
}

/** Nothing of it could be recorded: it names no event. `missing` is said where there is no address. */
export async function probeUsage(url: string | undefined, missing = ABSENT): Promise<Facts['usage']> {
  if (url === undefined) return { url, post: missing };
  const headers = { 'content-type': 'application/json' };
  return { url, post: await ask(url, { method: 'POST', body: '{"events":[]}', headers }) };
}

function ask(url: string, request: RequestInit): Promise<Probed<HttpAnswer>> {
  return probe(request.method ?? 'GET', async () => {
    const answer = await fetch(url, { ...request, redirect: 'manual', signal: AbortSignal.timeout(PATIENCE_MS) });
    const body = (await answer.text()).slice(0, MAX_BODY);
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body };
  });
}

/** By the Date of an answer of AWS's, which has whole seconds; the call's own time is halved between the ways. */
export function probeClock({ region, endpoint }: Aws, clock: () => number): Promise<Probed<number>> {
  return probe('GET', async () => {
    const url = endpoint ?? `https://sts.${region}.amazonaws.com/`;
    const startedAt = clock();
    const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(PATIENCE_MS) });
    const nowMs = (startedAt + clock()) / 2;
    await answer.body?.cancel();
    const theirsMs = Date.parse(answer.headers.get('date') ?? '');
    if (Number.isNaN(theirsMs)) throw new Error(`${url} tells no time.`);
    return nowMs - (theirsMs + 500);
  });
}
