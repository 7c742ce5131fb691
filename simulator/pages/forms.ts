// The fields of the pages' forms, and what they say as the control API takes it: the pages decide nothing themselves.
import { isoInstant } from '../clock.ts';
import { ControlError } from '../control/input.ts';
import type { JsonObject } from '../json.ts';
import type { Agreement, Entitlement } from '../world/agreements.ts';
import { type Dimension, entitledDimensions, findProduct, isContract, type Product } from '../world/products.ts';
import type { World } from '../world/world.ts';
import { type Html, html } from './html.ts';

const DAY_MS = 86_400_000;
const DAYS_MAX = 3650;
const ENTITLED = 'entitled:';

const OFFERS = [
  ['public', 'Public offer'],
  ['private', 'Private offer'],
  ['freeTrial', 'Free trial'],
  ['channelPartner', 'Through a channel partner'],
] as const;

const DELIVERIES = [
  ['', 'As usual'],
  ['early', 'Early: all at once'],
  ['twice', 'Each one twice'],
  ['reordered', 'In reverse order'],
  ['late', 'Ten minutes late'],
] as const;

/** The choices of an offer. Contracts have quantities and last a year; anything else runs until somebody ends it. */
export function subscriptionFields(id: string, product: Product): Html {
  const days = isContract(product) ? '365' : '';
  return html`${select(`${id}-offer`, 'offer', 'Offer', OFFERS)}
${entitlementFields(id, product, [])}
<details><summary>Start, end and notices<span class="hidden"> of ${product.title}</span></summary>
<p><label for="${id}-start">Starts in how many days</label><input id="${id}-start" type="number" name="startInDays" min="0" max="${DAYS_MAX}" value="0"></p>
<p><label for="${id}-days">Lasts how many days</label><input id="${id}-days" type="number" name="days" min="1" max="${DAYS_MAX}" value="${days}"></p>
<p><label class="inline"><input type="checkbox" name="autoRenew"> Renews itself</label></p>
<p><label class="inline"><input type="checkbox" name="subscribeFails"> Payment fails</label></p>
${deliveryField(id)}
</details>`;
}

/** One field for each dimension of a contract, with the value that holds. */
export function entitlementFields(id: string, product: Product, held: readonly Entitlement[]): Html {
  const dimensions = entitledDimensions(product);
  if (dimensions.length === 0) return html``;
  const fields = dimensions.map((dimension, index) => {
    const value = held.find((each) => each.dimension === dimension.key)?.value;
    return entitlementField(`${id}-entitled-${index}`, dimension, value);
  });
  return html`<fieldset><legend>Contract</legend>${fields}</fieldset>`;
}

export function deliveryField(id: string): Html {
  return select(`${id}-deliver`, 'deliver', 'Notices arrive', DELIVERIES);
}

export function select(
  id: string,
  name: string,
  label: string,
  choices: readonly (readonly [value: string, text: string])[],
): Html {
  const options = choices.map(([value, text]) => html`<option value="${value}">${text}</option>`);
  return html`<p><label for="${id}">${label}</label><select id="${id}" name="${name}">${options}</select></p>`;
}

/** What the form of a product asks for. */
export function subscriptionBody(product: Product, form: URLSearchParams, nowMs: number): JsonObject {
  const buyerName = (form.get('buyerName') ?? '').trim();
  const account = (form.get('awsAccountId') ?? '').trim();
  if (buyerName.length < 1 || buyerName.length > 255)
    throw unusable('Please give the buyer a name of 1 to 255 characters.');
  if (account !== '' && !/^\d{12}$/.test(account)) {
    throw unusable('An AWS account id has 12 digits. Leave the field empty to get a new one.');
  }
  const startMs = nowMs + (daysIn(form, 'startInDays') ?? 0) * DAY_MS;
  const days = daysIn(form, 'days');
  return {
    productCode: product.productCode,
    buyerName,
    ...(account !== '' && { awsAccountId: account }),
    offer: { kind: form.get('offer') ?? 'public' },
    ...(startMs > nowMs && { startAt: isoInstant(startMs) }),
    ...(days !== undefined && days > 0 && { endAt: isoInstant(startMs + days * DAY_MS) }),
    autoRenew: form.has('autoRenew'),
    subscribeFails: form.has('subscribeFails'),
    ...entitlementsIn(product, form),
    ...deliveryIn(form),
  };
}

/** What a button of a subscription asks for. */
export function agreementBody(world: World, agreement: Agreement, action: string, form: URLSearchParams): JsonObject {
  const product = findProduct(world, agreement.productCode);
  switch (action) {
    case 'amend':
    case 'renew':
    case 'replace':
      return {
        ...(product !== undefined && entitlementsIn(product, form)),
        ...(agreement.termEndMs !== undefined && { autoRenew: form.has('autoRenew') }),
        ...deliveryIn(form),
      };
    case 'announce':
      return { event: form.get('event') ?? '', ...deliveryIn(form) };
    case 'cancel':
    case 'expire':
      return deliveryIn(form);
    default:
      return {};
  }
}

function entitlementField(id: string, { key, valueType }: Dimension, value: Entitlement['value'] | undefined): Html {
  const name = `${ENTITLED}${key}`;
  if (valueType === 'Boolean') {
    const checked = value === false ? html`` : html` checked`;
    return html`<p><label class="inline"><input type="checkbox" name="${name}"${checked}> <code>${key}</code></label></p>`;
  }
  const shown = String(value ?? 1);
  const field =
    valueType === 'String'
      ? html`<input id="${id}" type="text" name="${name}" value="${shown}" maxlength="255" autocomplete="off">`
      : html`<input id="${id}" type="number" name="${name}" value="${shown}" min="0" step="${valueType === 'Double' ? 'any' : '1'}" required>`;
  return html`<p><label for="${id}"><code>${key}</code></label>${field}</p>`;
}

function entitlementsIn(product: Product, form: URLSearchParams): JsonObject {
  const dimensions = entitledDimensions(product);
  if (dimensions.length === 0) return {};
  const entitlements = dimensions.map(({ key, valueType }) => {
    const text = form.get(`${ENTITLED}${key}`);
    if (valueType === 'Boolean') return { dimension: key, value: text !== null };
    if (valueType === 'String') return { dimension: key, value: text ?? '' };
    // An empty field is no number, not a zero.
    return { dimension: key, value: text === null || text.trim() === '' ? Number.NaN : Number(text) };
  });
  return { entitlements };
}

function deliveryIn(form: URLSearchParams): JsonObject {
  const deliver = form.get('deliver') ?? '';
  return deliver === '' ? {} : { deliver };
}

function daysIn(form: URLSearchParams, name: string): number | undefined {
  const text = (form.get(name) ?? '').trim();
  if (text === '') return undefined;
  if (/^\d{1,4}$/.test(text) && Number(text) <= DAYS_MAX) return Number(text);
  throw unusable(`Days are a whole number from 0 to ${DAYS_MAX}.`);
}

function unusable(message: string): ControlError {
  return new ControlError(400, 'InvalidInput', message);
}
