// What AWS would tell by notices, read from the simulator: the ends of licences.
import { type LicenceEnding, licenceKeyOf } from '../lambdas/domain/licence.ts';
import type { CustomerStore } from '../lambdas/flow/ports.ts';
import type { ControlClient } from './control-client.ts';

interface LifecycleEvent {
  readonly seq: number;
  readonly at: string;
  readonly kind: string;
  readonly licenceArn: string;
  readonly productCode: string;
  readonly customerIdentifier?: string;
  readonly status?: string;
}

/** Agreements that end because another takes their place: access goes on. */
const SUCCEEDED = new Set(['RENEWED', 'REPLACED']);

/** Follows the feed and notes each end. Starting again reads it anew, which changes nothing. */
export class LifecycleFeed {
  readonly #control: ControlClient;
  readonly #customers: Pick<CustomerStore, 'noteEnding'>;
  #after = 0;
  /** Ends of licences whose buyers have not come to our page yet. */
  #unmatched: LifecycleEvent[] = [];

  constructor(control: ControlClient, customers: Pick<CustomerStore, 'noteEnding'>) {
    this.#control = control;
    this.#customers = customers;
  }

  /** Notes what is new; gives back the keys of the licences whose end has been noted. */
  async follow(): Promise<readonly string[]> {
    const { events, next } = await this.#control.get<{ events: LifecycleEvent[]; next: number }>(
      `/control/events?after=${this.#after}`,
    );
    this.#after = next;
    const noted: string[] = [];
    const waiting: LifecycleEvent[] = [];
    for (const event of [...this.#unmatched, ...events]) {
      const ending = endingOf(event);
      if (!ending) continue;
      const keys = licenceKeysOf(event);
      const licences = await Promise.all(keys.map((key) => this.#customers.noteEnding(key, ending)));
      const known = licences.find((licence) => licence !== undefined);
      if (known) noted.push(known.licenceKey);
      else waiting.push(event);
    }
    this.#unmatched = waiting;
    return noted;
  }
}

function endingOf({ kind, at, status }: LifecycleEvent): LicenceEnding | undefined {
  const atMs = Date.parse(at);
  if (kind === 'agreementEnded' && !SUCCEEDED.has(status ?? '')) return { noticeAt: atMs };
  // The licence is gone from here on: access is revoked with it.
  if (kind === 'licenceDeprovisioned') return { noticeAt: atMs, revokedAt: atMs, deprovisionedAt: atMs };
  return undefined;
}

/** A legacy product's licence goes by its customer identifier; the event does not say which style is ours. */
function licenceKeysOf({ licenceArn, productCode, customerIdentifier }: LifecycleEvent): string[] {
  const byArn = licenceKeyOf({ style: 'licence', licenceArn });
  return customerIdentifier === undefined
    ? [byArn]
    : [byArn, licenceKeyOf({ style: 'legacy', productCode, customerIdentifier })];
}
