// The simulator's control API, as the laptop, the operator's commands and the tests call it.
import { InvalidInput } from '../lambdas/domain/failure.ts';

/** Throws InvalidInput for what the simulator refuses, in its own words. */
export class ControlClient {
  readonly #url: string;
  readonly #secret: string;

  constructor(url: string, secret: string) {
    this.#url = url;
    this.#secret = secret;
  }

  get<T>(path: string): Promise<T> {
    return this.#call<T>('GET', path);
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.#call<T>('PUT', path, body);
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.#call<T>('POST', path, body);
  }

  delete<T>(path: string): Promise<T> {
    return this.#call<T>('DELETE', path);
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        'x-control-secret': this.#secret,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) {
      const told =
        messageIn(await response.text()) ?? `The simulator answered ${response.status} to ${method} ${path}.`;
      throw response.status < 500 ? new InvalidInput('SimulatorRefused', told) : new Error(told);
    }
    return (await response.json()) as T;
  }
}

/** What the simulator says of a request that it refuses. */
function messageIn(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: { message?: unknown } };
    return typeof error?.message === 'string' ? error.message : undefined;
  } catch {
    return undefined;
  }
}
