// Every kind of item that is stored, and how its key tells it.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { TableKind } from '../../lambdas/stores/tables.ts';

export interface StoredKey {
  readonly pk: string;
  readonly sk: string;
}

/** Buyers alone have no sort key, and call their partition key by another name. */
export function keyOf(item: Readonly<Record<string, AttributeValue>>): StoredKey {
  return { pk: item['pk']?.S ?? item['customerId']?.S ?? '', sk: item['sk']?.S ?? '' };
}

interface ItemKind {
  readonly kind: string;
  readonly pk: RegExp;
  readonly sk: RegExp;
}

const HOUR_SHARD = /^\d{4}-\d\d-\d\dT\d\d#\d\d$/;
const THREAD = /^(agreement|buyer)#/;

export const ITEM_KINDS: Readonly<Record<TableKind, readonly ItemKind[]>> = {
  usage: [{ kind: 'usage event', pk: HOUR_SHARD, sk: /^[lhc]-[^#]+#[^#]+#/ }],
  ledger: [
    { kind: 'sealed hour', pk: HOUR_SHARD, sk: /^[^#]+#[^#]+$/ },
    { kind: 'carry', pk: HOUR_SHARD, sk: /^[^#]+#[^#]+#~/ },
    { kind: 'credit', pk: /^credit#\d\d$/, sk: /^[^#]+#[^#]+$/ },
    { kind: 'counter of a term', pk: /^counter#\d\d$/, sk: /^[^#]+#[^#]+#/ },
    { kind: 'audit line', pk: /^audit#\d{4}-\d\d$/, sk: /./ },
  ],
  customers: [
    { kind: 'licence', pk: /^licences#\d\d$/, sk: /^[lhc]-/ },
    { kind: 'customer', pk: /^customer#/, sk: /^customer$/ },
    { kind: 'customer of an account', pk: /^account#/, sk: /^cus_/ },
    { kind: 'customer who awaits a licence', pk: /^account#/, sk: /^awaiting-licence$/ },
    { kind: 'entitlements', pk: /^entitlements#\d\d$/, sk: /^[lhc]-/ },
    { kind: 'ending licence', pk: /^ending$/, sk: /^[lhc]-/ },
  ],
  buyers: [{ kind: 'buyer', pk: /^cus_/, sk: /^$/ }],
  work: [
    { kind: 'late marker', pk: /^late$/, sk: HOUR_SHARD },
    { kind: 'waiting usage', pk: /^waiting$/, sk: /^[lhc]-/ },
    { kind: 'look', pk: /^looks$/, sk: /^\d{4}-/ },
    { kind: 'watermark', pk: /^watermark$/, sk: /./ },
    { kind: 'lease', pk: /^lease$/, sk: /./ },
    { kind: 'refresh', pk: /^refresh$/, sk: /./ },
    { kind: 'held group', pk: /^groups$/, sk: /./ },
    { kind: 'archived file', pk: /^archived$/, sk: /./ },
    { kind: 'begin of the archive', pk: /^archive$/, sk: /^begin$/ },
    { kind: 'price', pk: /^prices$/, sk: /./ },
    { kind: 'run of the sender', pk: /^sending#/, sk: /./ },
    { kind: 'touched hour', pk: /^touched$/, sk: /./ },
    { kind: 'summarised', pk: /^summarized$/, sk: /./ },
    { kind: 'told trouble', pk: /^told#/, sk: /./ },
    { kind: 'redeemed hand-off', pk: /^hand-off#/, sk: /^redeemed$/ },
  ],
  notices: [
    { kind: 'notice', pk: /^(agreement|buyer|unplaced)#/, sk: /^notice#/ },
    { kind: 'owner', pk: THREAD, sk: /^owner$/ },
    { kind: 'successor', pk: /^agreement#/, sk: /^successor#/ },
    { kind: 'thread of a customer', pk: /^customer#/, sk: THREAD },
    { kind: 'thread of a licence', pk: /^licence#/, sk: THREAD },
    { kind: 'thread of an account', pk: /^account#/, sk: THREAD },
    { kind: 'waiting thread', pk: /^waiting$/, sk: THREAD },
    { kind: 'due customer', pk: /^due$/, sk: /./ },
    { kind: 'event to be told', pk: /^outbox#\d$/, sk: /./ },
  ],
  deliveries: [{ kind: 'delivery', pk: /^cus_/, sk: /^\d{10}#/ }],
  rejects: [{ kind: 'reject', pk: /^\d{4}-\d\d-\d\d#\d+$/, sk: /./ }],
  summaries: [
    { kind: 'hour', pk: /^hours#/, sk: /./ },
    { kind: 'day', pk: /^licence#/, sk: /^\d{4}-\d\d-\d\d#/ },
    { kind: 'month', pk: /^month#/, sk: /./ },
    { kind: 'pulse', pk: /^pulse$/, sk: /^counts$/ },
    { kind: 'hour out of balance', pk: /^pulse$/, sk: /^unbalanced#/ },
  ],
};

/** The kinds that a key may be of: one, or the key is of none of ours. */
export function kindsOf(table: TableKind, { pk, sk }: StoredKey): string[] {
  return ITEM_KINDS[table].filter((each) => each.pk.test(pk) && each.sk.test(sk)).map(({ kind }) => kind);
}
