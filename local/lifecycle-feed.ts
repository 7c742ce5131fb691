// What AWS would tell by notices, read from the simulator: the starts and ends of licences.
import { type EndNotice, type LicenceStart, licenceKeyOf } from '../lambdas/domain/licence.ts';
import type { CustomerStore } from '../lambdas/flow/ports.ts';
import type { ControlClient } from './control-client.ts';

interface LifecycleEvent {
  readonly seq: number;
  readonly at: string;
  readonly kind: string;
  readonly agreementId: string;
  readonly licenceArn: string;
  readonly productCode: string;
  readonly startsAt: string;
  readonly customerIdentifier?: string;
  readonly status?: string;
}

type Notice =
  | { readonly kind: 'start'; readonly start: LicenceStart }
  | { readonly kind: 'end'; readonly end: EndNotice };

/** Agreements that end because another takes their place: access goes on. */
const SUCCEEDED = new Set(['RENEWED', 'REPLACED']);

/** Follows the feed and notes each start and end. Starting again reads it anew, which changes nothing. */
export class LifecycleFeed {
  readonly #control: Pick<ControlClient, 'get'>;
  readonly #customers: Pick<CustomerStore, 'noteStart' | 'noteEnding'>;
  #after = 0;
  /** Events of licences whose buyers have not come to our page yet. */
  #unmatched: readonly LifecycleEvent[] = [];

  constructor(control: Pick<ControlClient, 'get'>, customers: Pick<CustomerStore, 'noteStart' | 'noteEnding'>) {
    this.#control = control;
    this.#customers = customers;
  }

  /** Notes what is new; gives back the keys of the licences that are ending by it. */
  async follow(): Promise<readonly string[]> {
    const { events, next } = await this.#control.get<{ events: LifecycleEvent[]; next: number }>(
      `/control/events?after=${this.#after}`,
    );
    const ending = new Set<string>();
    const waiting: LifecycleEvent[] = [];
    for (const event of [...this.#unmatched, ...events]) {
      const notice = noticeOf(event);
      if (!notice) continue;
      const licences = await Promise.all(licenceKeysOf(event).map((key) => this.#note(key, notice)));
      const known = licences.find((licence) => licence !== undefined);
      if (!known) waiting.push(event);
      else if (notice.kind === 'end' && known.ending) ending.add(known.licenceKey);
    }
    // Only now that all of it stands: what a fault of the database kept from being noted is read again.
    this.#unmatched = waiting;
    this.#after = next;
    return [...ending];
  }

  #note(licenceKey: string, notice: Notice) {
    return notice.kind === 'start'
      ? this.#customers.noteStart(licenceKey, notice.start)
      : this.#customers.noteEnding(licenceKey, notice.end);
  }
}

function noticeOf({ kind, at, status, agreementId, startsAt }: LifecycleEvent): Notice | undefined {
  const atMs = Date.parse(at);
  switch (kind) {
    case 'agreementCreated':
    case 'licenceUpdated': {
      const from = Date.parse(startsAt);
      // One that lies ahead is told again when it comes, and must not end what runs until then.
      return from <= atMs ? { kind: 'start', start: { agreementId, from } } : undefined;
    }
    case 'agreementEnded':
      return SUCCEEDED.has(status ?? '') ? undefined : { kind: 'end', end: { agreementId, noticeAt: atMs } };
    case 'licenceDeprovisioned':
      // The licence is gone from here on: access is revoked with it.
      return { kind: 'end', end: { agreementId, noticeAt: atMs, revokedAt: atMs, deprovisionedAt: atMs } };
    default:
      return undefined;
  }
}

/** A legacy product's licence goes by its customer identifier; the event does not say which style is ours. */
function licenceKeysOf({ licenceArn, productCode, customerIdentifier }: LifecycleEvent): string[] {
  const byArn = licenceKeyOf({ style: 'licence', licenceArn });
  return customerIdentifier === undefined
    ? [byArn]
    : [byArn, licenceKeyOf({ style: 'legacy', productCode, customerIdentifier })];
}
