// Whose an agreement is: decided from its notices and from what is known of its neighbours.
import { LICENCE_ARN_PATTERN, licenceKeyOf } from './licence.ts';
import { byTime, type Notice } from './notice.ts';

/** What the notices of one thread tell of it, taken together. */
export interface ThreadFacts {
  readonly productCode?: string;
  readonly customerAwsAccountId?: string;
  readonly customerIdentifier?: string;
  readonly licenceKey?: string;
  /** Only an ARN as AWS's API takes it: samples in AWS's own pages are malformed, and must never meter. */
  readonly licenceArn?: string;
  readonly intent?: string;
  readonly previousAgreementId?: string;
  /** AWS has said that the licence is active, or was. */
  readonly isStarted: boolean;
}

export function factsOf(notices: readonly Notice[]): ThreadFacts {
  const ordered = [...notices].sort(byTime);
  const last = <K extends keyof Notice>(name: K) => ordered.findLast((notice) => notice[name] !== undefined)?.[name];
  const arn = last('licenceArn');
  const wellFormed = ordered.findLast(({ licenceArn = '' }) => LICENCE_ARN_PATTERN.test(licenceArn))?.licenceArn;
  const isOfLast = wellFormed !== undefined && arn !== undefined && keyOf(wellFormed) === keyOf(arn);
  const members = {
    productCode: last('productCode'),
    customerAwsAccountId: last('customerAwsAccountId'),
    customerIdentifier: last('customerIdentifier'),
    licenceKey: arn === undefined ? undefined : keyOf(arn),
    licenceArn: isOfLast ? wellFormed : undefined,
    intent: ordered.find(({ kind }) => kind === 'agreementCreated')?.intent,
    // AWS's word before an operator's.
    previousAgreementId:
      ordered.find(({ channel, previousAgreementId }) => channel !== 'operator' && previousAgreementId !== undefined)
        ?.previousAgreementId ?? last('previousAgreementId'),
  };
  const known = Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
  return { ...known, isStarted: ordered.some(({ kind }) => kind === 'licenceUpdated' || kind === 'subscribed') };
}

function keyOf(licenceArn: string): string {
  return licenceKeyOf({ style: 'licence', licenceArn });
}

/** What is known of the neighbours: customers by id. */
export interface Neighbours {
  /** Whose the agreement is already. */
  readonly owner?: string;
  /** Who holds the agreement before it. */
  readonly predecessor?: string;
  /** Who holds the licence that it names. */
  readonly holder?: string;
  /** All other customers of the account and product, but for one who waits for a licence. */
  readonly others: readonly string[];
}

export type WaitsFor =
  /** A notice of a licence of its own. */
  | 'licence'
  /** The notice that it was made: it may succeed another agreement of the account. */
  | 'agreement'
  /** The buyer: only a registration tells who that is, or the licence's well-formed ARN. */
  | 'registration'
  /** An operator: it replaces one of several agreements, and AWS does not say which. */
  | 'link'
  /** A product that is in the settings, and of which the channel may speak. */
  | 'product';

export type Placement =
  | { readonly kind: 'customer'; readonly customerId: string }
  | { readonly kind: 'create' }
  | { readonly kind: 'waits'; readonly for: WaitsFor };

/** An agreement of a product whose buyers are known by licence. */
export function placeAgreement(facts: ThreadFacts, { owner, predecessor, holder, others }: Neighbours): Placement {
  const known = predecessor ?? owner ?? holder;
  if (known !== undefined) return { kind: 'customer', customerId: known };
  if (!facts.isStarted) return { kind: 'waits', for: 'licence' };
  if (facts.licenceArn === undefined || facts.customerAwsAccountId === undefined) {
    return { kind: 'waits', for: 'registration' };
  }
  const [only, ...more] = others;
  if (only === undefined || facts.intent === 'NEW') return { kind: 'create' };
  if (facts.intent === undefined) return { kind: 'waits', for: 'agreement' };
  return more.length === 0 ? { kind: 'customer', customerId: only } : { kind: 'waits', for: 'link' };
}

/** An agreement of a product whose buyers are known by customer identifier, which no notice of an agreement names. */
export function placeLegacyAgreement({ owner, predecessor, holder, others }: Neighbours): Placement {
  const known = predecessor ?? owner ?? holder;
  if (known !== undefined) return { kind: 'customer', customerId: known };
  const [only, ...more] = others;
  if (only !== undefined && more.length === 0) return { kind: 'customer', customerId: only };
  return { kind: 'waits', for: more.length === 0 ? 'registration' : 'link' };
}

/** A buyer of whom the legacy channel tells. */
export function placeBuyer(facts: ThreadFacts, { owner, holder }: Neighbours, isLegacyProduct: boolean): Placement {
  const known = owner ?? holder;
  if (known !== undefined) return { kind: 'customer', customerId: known };
  if (!isLegacyProduct) return { kind: 'waits', for: 'product' };
  return facts.isStarted ? { kind: 'create' } : { kind: 'waits', for: 'registration' };
}
