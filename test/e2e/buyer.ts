// A buyer's browser as far as registration needs one: it posts forms, keeps cookies and follows one redirect at a time.
import { request } from 'node:http';
import { FORM_ROUTE, FULFILLMENT_ROUTE } from '../../lambdas/pages/routes.ts';

export interface PageAnswer {
  readonly status: number;
  readonly location?: string;
  readonly text: string;
}

export class BuyerBrowser {
  readonly #port: number;
  readonly #host: string;
  readonly #base: string;
  readonly #cookies = new Map<string, string>();

  /** `fulfillmentUrl` as the stack gives it; the emulator serves its host on `port`, told by the Host header. */
  constructor(fulfillmentUrl: string, port: number) {
    const { hostname, pathname } = new URL(fulfillmentUrl);
    this.#port = port;
    this.#host = `${hostname.split('.')[0]}.execute-api.localhost:${port}`;
    this.#base = pathname.slice(0, -FULFILLMENT_ROUTE.length);
  }

  /** As AWS Marketplace sends it after "Set up your account". */
  arrive(token: string): Promise<PageAnswer> {
    return this.post(`${this.#base}${FULFILLMENT_ROUTE}`, { 'x-amzn-marketplace-token': token });
  }

  form(): Promise<PageAnswer> {
    return this.get(`${this.#base}${FORM_ROUTE}`);
  }

  /** Fills in the page that is open: its hidden fields go along. */
  submit(page: PageAnswer, fields: Readonly<Record<string, string>>): Promise<PageAnswer> {
    const hidden = [...page.text.matchAll(/type="hidden" name="([^"]+)" value="([^"]+)"/g)].map(
      ([, name = '', value = '']) => [name, value] as const,
    );
    return this.post(`${this.#base}${FORM_ROUTE}`, { ...Object.fromEntries(hidden), ...fields });
  }

  get(path: string): Promise<PageAnswer> {
    return this.#ask('GET', path);
  }

  post(path: string, form: Readonly<Record<string, string>>): Promise<PageAnswer> {
    return this.#ask('POST', path, new URLSearchParams(form).toString());
  }

  #ask(method: string, path: string, body?: string): Promise<PageAnswer> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = {
      host: this.#host,
      ...(cookie === '' ? {} : { cookie }),
      ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    };
    return new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port: this.#port, method, path, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          for (const cookie of answer.headers['set-cookie'] ?? []) this.#keep(cookie);
          const { location } = answer.headers;
          const text = Buffer.concat(chunks).toString();
          resolve({ status: answer.statusCode ?? 0, text, ...(location === undefined ? {} : { location }) });
        });
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }

  #keep(cookie: string): void {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
    if (name !== undefined && value !== undefined) this.#cookies.set(name, value);
  }
}
