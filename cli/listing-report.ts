// What a person is told of a listing, and of a change to it.
import type { Finding } from '../operator/doctor/finding.ts';
import type { ChangeSet } from '../operator/listing/catalog.ts';
import type { Listing } from '../operator/listing/listing.ts';
import { listOf } from './table.ts';

export function isEnded({ status }: ChangeSet): boolean {
  return status !== 'PREPARING' && status !== 'APPLYING';
}

export function listingText(listing: Listing): string {
  return listOf([
    ['product', listing.title],
    ['product id', listing.entityId],
    ['product code', listing.productCode],
    ['visibility', listing.visibility],
    ['pricing model', listing.pricingModel ?? 'no public offer'],
    ['dimensions', listing.dimensions.join(', ')],
    ['fulfillment URL', listing.fulfillmentUrls.join(', ') || 'none'],
  ]);
}

export function findingText({ level, subject, seen, remedy }: Finding): string {
  return `${level === 'ok' ? '✓' : '✗'} ${subject}: ${seen}\n${remedy === undefined ? '' : `    do: ${remedy}\n`}`;
}

interface Planned {
  readonly kind: 'planned' | 'same' | 'started';
  readonly productCode: string;
  readonly before: string;
  readonly after: string;
  readonly actionId?: string;
}

export function planText({ kind, productCode, before, after, actionId }: Planned): string {
  if (kind === 'same') return `The listing of ${productCode} points at ${after} already.\n`;
  const change = `${listOf([
    ['product', productCode],
    ['before', before],
    ['after', after],
  ])}`;
  return kind === 'planned'
    ? `${change}\nNothing was changed. To have AWS do it: --apply --why TEXT\n`
    : `${change}act     ${actionId}\n`;
}

/** What AWS's words don't say. */
const HINTS: Readonly<Record<string, string>> = {
  INVALID_FULFILLMENT_URL:
    'AWS asks it by GET from the public internet, and wants 200: look at firewalls and allow-lists.',
  AUDIT_ERROR: 'A person at AWS refused it. The portal has a way to ask them.',
  CLIENT_ERROR: 'What was asked for is wrong; mend it and do it anew.',
  SERVER_FAULT: 'A fault of AWS. Do it anew later.',
};

export function changeText(change: ChangeSet, actionId: string): string {
  if (change.status === 'SUCCEEDED') return `AWS has changed it (${change.changeSetId}).\n`;
  if (!isEnded(change)) {
    return `AWS is still at it (${change.changeSetId}). Look again with the same options and --act-id ${actionId}\n`;
  }
  const errors = change.errors.map(({ code, message }) => {
    const hint = HINTS[code];
    return `  ${code}: ${message}${hint === undefined ? '' : `\n    ${hint}`}\n`;
  });
  return `AWS did not change it: ${change.status.toLowerCase()} (${change.changeSetId}).\n${errors.join('')}`;
}
