// Which view an address means, and how what it answers is sent.

import { html } from '../lambdas/pages/html.ts';
import { awsRemedy } from '../operator/aws-fault.ts';
import { assetAt } from './assets.ts';
import { readCookie } from './guard.ts';
import { frame } from './layout.ts';
import { csvOf } from './parts/csv.ts';
import type { PageRequest, Reply } from './reply.ts';
import { ROUTES } from './routes.ts';
import { type AdmittedRequest, type Answer, page, type StreamedAnswer } from './server.ts';
import type { Site } from './site.ts';

/** Answers a request that was let in. Never rejects for what was asked; only for what the desk could not do. */
export async function answerPage(site: Site, request: AdmittedRequest): Promise<Answer | StreamedAnswer> {
  const { url, method } = request;
  const asset = assetAt(url.pathname);
  if (asset) {
    const headers = { 'content-type': asset.type, 'cache-control': 'private, max-age=31536000, immutable' };
    return { status: 200, headers, body: asset.text };
  }
  if (method === 'POST' && url.pathname === '/product') return sent(site, request, switchProduct(site, request.form));
  await site.desk.followClock();
  const product = productOf(site, request);
  for (const route of ROUTES) {
    if (route.method !== method) continue;
    const names = route.pattern.exec({ pathname: url.pathname })?.pathname.groups;
    if (names === undefined) continue;
    const asked: PageRequest = { ...request, names: decoded(names), ...(product === undefined ? {} : { product }) };
    return sent(site, request, await route.view(site, asked).catch(unanswered), product);
  }
  return sent(site, request, NOT_FOUND);
}

/** What AWS would not do, with what a person can do about it; anything else is a fault of ours. */
function unanswered(fault: unknown): Reply {
  const remedy = awsRemedy(fault);
  if (!remedy) throw fault;
  const main = html`<h1>AWS did not do it</h1>
<div class="note bad" role="alert" tabindex="-1"><p>${remedy.message}</p></div>
${remedy.mayPass && html`<p>It may pass: <a href="">try again</a>. An act that was done is not done twice.</p>`}`;
  return { kind: 'page', status: 502, title: 'AWS did not do it', section: 'none', main };
}

const NOT_FOUND: Reply = {
  kind: 'page',
  status: 404,
  title: 'No such page',
  section: 'none',
  main: html`<h1>No such page</h1><p>There is nothing at this address. The links above lead to what there is.</p>`,
};

function sent(site: Site, request: AdmittedRequest, reply: Reply, product?: string): Answer | StreamedAnswer {
  const { url } = request;
  switch (reply.kind) {
    case 'redirect': {
      const cookie = reply.cookie === undefined ? {} : { 'set-cookie': reply.cookie };
      return { status: 303, headers: { location: reply.location, ...cookie }, body: '' };
    }
    case 'download': {
      const disposition = `attachment; filename="${reply.fileName}"`;
      const headers = { 'content-type': 'text/csv; charset=utf-8', 'content-disposition': disposition };
      return { status: 200, headers, body: reply.lines };
    }
    case 'page': {
      const wanted = url.searchParams.get('csv');
      const table = reply.tables?.find(({ name }) => name !== undefined && name === wanted);
      if (table) return sent(site, request, { kind: 'download', fileName: `${wanted}.csv`, lines: csvOf(table) });
      const { title, section, main, status = 200, isLive = false } = reply;
      const search = url.searchParams.get('q') ?? '';
      const path = `${url.pathname}${url.search}`;
      return page(status, frame(site, { title, section, main, isLive, product, path, search }).toString());
    }
  }
}

/** URLPattern leaves the parts of a path as they stand in it. */
function decoded(names: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(names).map(([name, text = '']) => [name, decodePart(text)]));
}

function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function productCookie({ launch }: Site): string {
  return `fulfillment-console-${launch.port}-product`;
}

/** The product that the reader has narrowed the console to, while the settings still name it. */
function productOf(site: Site, { cookie }: AdmittedRequest): string | undefined {
  const chosen = readCookie(cookie, productCookie(site));
  const productCode = chosen === undefined ? undefined : decodePart(chosen);
  return productCode !== undefined && site.desk.products.has(productCode) ? productCode : undefined;
}

/** Leads back to where the reader was; a path that begins with two slashes would name another site. */
function switchProduct(site: Site, form: URLSearchParams): Reply {
  const product = encodeURIComponent(form.get('product') ?? '');
  const location = `/${(form.get('back') ?? '').replace(/^[/\\]+/, '')}`;
  return { kind: 'redirect', location, cookie: `${productCookie(site)}=${product}; Path=/; HttpOnly; SameSite=Strict` };
}
