// One agreement as its buyer sees it, with everything that can be done to it.
import { isoInstant } from '../clock.ts';
import { type Agreement, isEnded } from '../world/agreements.ts';
import { isProposer } from '../world/notice-bodies.ts';
import { findProduct, type Product } from '../world/products.ts';
import { mintToken, TOKEN_LIFETIME_SECONDS } from '../world/tokens.ts';
import type { World } from '../world/world.ts';
import { deliveryField, entitlementFields, select } from './forms.ts';
import { type Html, html } from './html.ts';

const OFFER_WORDS: Readonly<Record<Agreement['offerKind'], string>> = {
  public: '',
  private: ', private offer',
  freeTrial: '',
  channelPartner: ', through a channel partner',
};

/** What AWS tells the proposer apart from what the buttons do. */
const ANNOUNCEMENTS = [
  ['cancellationRequestPendingApproval', 'Cancellation request: pending'],
  ['cancellationRequestApproved', 'Cancellation request: approved'],
  ['cancellationRequestRejected', 'Cancellation request: rejected'],
  ['cancellationRequestCancelled', 'Cancellation request: withdrawn'],
  ['cancellationRequestValidationFailed', 'Cancellation request: not valid'],
  ['billingAdjustmentCompleted', 'Billing adjustment: completed'],
  ['billingAdjustmentFailed', 'Billing adjustment: failed'],
] as const;

/** The same of an agreement with an agreed end. */
const END_ANNOUNCEMENTS = [
  ['ending', 'Ending'],
  ['renewalTermsFinalized', 'Renewal terms finalized'],
  ['renewalUpcoming', 'Renewal upcoming'],
] as const;

/** A card; the agreements that have ended offer nothing any more. */
export function agreementCard(world: World, agreement: Agreement): Html {
  const product = findProduct(world, agreement.productCode);
  const title = product?.title ?? agreement.productCode;
  const whose = html`<span class="hidden"> for ${title}, ${agreement.buyerName}</span>`;
  const ended = isEnded(agreement, world.now());
  const actions = ended || product === undefined ? html`` : actionsOf(world, agreement, product, whose);
  const trial = agreement.freeTrial ? ', free trial' : '';
  return html`<article class="card" aria-label="${title}, ${agreement.buyerName}"><h3>${title}</h3>
<dl><dt>Buyer</dt><dd>${agreement.buyerName}</dd><dt>Account</dt><dd>${agreement.awsAccountId}</dd>
<dt>State</dt><dd>${stateOf(world, agreement)}${trial}${OFFER_WORDS[agreement.offerKind]}</dd>
<dt>Since</dt><dd>${readable(agreement.startsMs)}</dd>
${ending(agreement)}${entitled(agreement)}${advisory(agreement)}
<dt>Agreement</dt><dd><code>${agreement.agreementId}</code></dd>
<dt>License</dt><dd><code>${agreement.licenceArn}</code></dd></dl>${actions}</article>`;
}

/** An instant as a person reads it, to the second. */
export function readable(ms: number): string {
  return `${isoInstant(ms).slice(0, 19).replace('T', ' ')} UTC`;
}

function stateOf(world: World, agreement: Agreement): string {
  if (isEnded(agreement, world.now())) return `Ended (${agreement.endStatus ?? ''})`;
  if (agreement.provisionedMs === undefined) return 'Payment failed';
  if (agreement.suspended) return 'Suspended';
  return agreement.startsMs > world.now() ? 'Not started' : 'Active';
}

function ending({ termEndMs, autoRenew }: Agreement): Html {
  if (termEndMs === undefined) return html``;
  return html`<dt>Agreed end</dt><dd>${readable(termEndMs)}, ${autoRenew ? 'renews itself' : 'no renewal'}</dd>`;
}

function entitled({ entitlements }: Agreement): Html {
  if (entitlements.length === 0) return html``;
  const each = entitlements.map(({ dimension, value }) => html`<code>${dimension}</code> ${String(value)}<br>`);
  return html`<dt>Entitled to</dt><dd>${each}</dd>`;
}

function advisory({ advisoryMs }: Agreement): Html {
  return advisoryMs === undefined ? html`` : html`<dt>Advisory</dt><dd>issued ${readable(advisoryMs)}</dd>`;
}

function actionsOf(world: World, agreement: Agreement, product: Product, whose: Html): Html {
  const path = `/subscriptions/${agreement.agreementId}`;
  return html`<div class="row">${setUpForm(world, agreement, product, whose)}
<form method="post" action="${path}/cancel"><button class="danger">Cancel subscription${whose}</button></form></div>
<details><summary>More actions${whose}</summary>${moreActions(agreement, product, path, whose)}</details>`;
}

/** One form: amendment, renewal and replacement take its fields, every button takes the delivery. */
function moreActions(agreement: Agreement, product: Product, path: string, whose: Html): Html {
  const id = `agreement-${agreement.agreementId}`;
  const { termEndMs, suspended, advisoryMs } = agreement;
  const checked = agreement.autoRenew ? html` checked` : html``;
  const renews = html`<p><label class="inline"><input type="checkbox" name="autoRenew"${checked}> Renews itself</label></p>`;
  const button = (action: string, text: string): Html =>
    html`<button class="quiet" formaction="${path}/${action}">${text}${whose}</button>`;
  return html`<form method="post" action="${path}/amend">
${entitlementFields(id, product, agreement.entitlements)}${termEndMs === undefined ? html`` : renews}
${deliveryField(id)}
<p class="row">${button('amend', 'Amend')}${button('renew', 'Renew')}${button('replace', 'Replace')}${termEndMs === undefined ? html`` : button('expire', 'Let it expire')}${suspended ? button('resume', 'Resume account') : button('suspend', 'Suspend account')}</p>
</form>
<form method="post" action="${path}/announce">
<input type="hidden" name="event" value="${advisoryMs === undefined ? 'advisoryIssued' : 'advisoryResolved'}">
<p><button class="quiet">${advisoryMs === undefined ? 'Issue advisory' : 'Resolve advisory'}${whose}</button></p></form>
${isProposer(agreement) ? announceForm(id, termEndMs, path, whose) : html``}`;
}

function announceForm(id: string, termEndMs: number | undefined, path: string, whose: Html): Html {
  const choices = termEndMs === undefined ? ANNOUNCEMENTS : [...ANNOUNCEMENTS, ...END_ANNOUNCEMENTS];
  return html`<form method="post" action="${path}/announce">
${select(`${id}-event`, 'event', 'Announcement', choices)}
<p><button class="quiet">Announce${whose}</button></p></form>`;
}

/** As on AWS: the buyer's browser posts a fresh registration token to the seller's fulfillment URL. */
function setUpForm(world: World, agreement: Agreement, product: Product, whose: Html): Html {
  const token = mintToken(world, agreement.agreementId, world.now() + TOKEN_LIFETIME_SECONDS * 1000);
  const offerType = html`<input type="hidden" name="x-amzn-marketplace-offer-type" value="free-trial">`;
  return html`<form method="post" action="${product.fulfillmentUrl}">
<input type="hidden" name="x-amzn-marketplace-token" value="${token}">${agreement.freeTrial ? offerType : html``}
<button>Set up your account${whose}</button></form>`;
}
