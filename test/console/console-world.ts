// The console over a backend world, asked over HTTP as a browser would ask it.
import { request } from 'node:http';
import { onTestFinished } from 'vitest';
import { startConsole } from '../../console/console.ts';
import type { BackendWorld } from '../backend-world.ts';
import { deskOf } from '../operator/desk-world.ts';

export interface Heard {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Asks as told and nothing more: fetch would not let a Host or Origin be forged. */
export function ask(url: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => void chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

export async function startConsoleWorld(world: BackendWorld) {
  const { desk, perform } = await deskOf(world);
  const faults: unknown[] = [];
  const served = await startConsole({
    desk,
    port: 0,
    timeZone: 'Europe/Berlin',
    onFault: (fault) => void faults.push(fault),
  });
  onTestFinished(() => served.close());
  const { origin } = new URL(served.url);
  const entered = await ask(served.url);
  const cookie = String(entered.headers['set-cookie']).split(';')[0] ?? '';

  const visit = (path: string, headers: Asked['headers'] = {}) =>
    ask(`${origin}${path}`, { headers: { cookie, ...headers } });

  /** Sends a form of a page as the browser would, with what is hidden in it. */
  const send = async (page: Heard, action: string, fields: Readonly<Record<string, string>>) => {
    const form = page.body.split('<form').find((each) => each.includes(`action="${action}"`));
    if (form === undefined) throw new Error(`The page has no form for ${action}: ${page.body}`);
    const hidden = [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
    const body = new URLSearchParams([
      ...hidden.map(([, name = '', value = '']): [string, string] => [
        name,
        value.replaceAll('&apos;', "'").replaceAll('&amp;', '&'),
      ]),
      ...Object.entries(fields),
    ]);
    const headers = { cookie, origin, 'content-type': 'application/x-www-form-urlencoded' };
    return ask(`${origin}${action}`, { method: 'POST', headers, body: body.toString() });
  };

  return { desk, perform, url: served.url, origin, cookie, entered, visit, send, faults };
}
