// The page on which a person plays the buyer.
import { isoInstant } from '../clock.ts';
import { type Agreement, listAgreements } from '../world/agreements.ts';
import { findProduct, listProducts, type Product } from '../world/products.ts';
import { mintToken, TOKEN_LIFETIME_SECONDS } from '../world/tokens.ts';
import type { World } from '../world/world.ts';
import { type Html, html } from './html.ts';
import { type PageReply, show } from './layout.ts';

const SUBSCRIPTIONS_SHOWN = 50;

/** Products, subscriptions and the clock; `problem` says what a pressed button met. */
export function marketplacePage(world: World, problem?: string): PageReply {
  // The current style first: what is listed anew today.
  const products = listProducts(world).toSorted((one, other) => rankOf(one) - rankOf(other));
  const agreements = listAgreements(world, SUBSCRIPTIONS_SHOWN);
  const alert = problem === undefined ? html`` : html`<p class="card alert" role="alert">${problem}</p>`;
  const none = html`<p class="soft">None yet. Subscribe to a product above.</p>`;
  const main = html`${alert}${clockPanel(world)}
<section aria-labelledby="products"><h2 id="products">Products</h2>
<div class="grid">${products.map(productCard)}</div></section>
<section aria-labelledby="subscriptions"><h2 id="subscriptions">My subscriptions</h2>
<div class="grid wide">${agreements.length === 0 ? none : agreements.map((agreement) => subscriptionCard(world, agreement))}</div>
</section>`;
  return show({
    title: 'Marketplace',
    path: '/',
    main,
    status: problem === undefined ? 200 : 400,
    formTargets: [...new Set(products.flatMap(({ fulfillmentUrl }) => formTargets(fulfillmentUrl)))],
  });
}

function clockPanel(world: World): Html {
  const advance = html`<form class="row" method="post" action="/clock/advance">
<button class="quiet" name="by" value="hour">Advance 1 hour</button>
<button class="quiet" name="by" value="next-hour">To next hour</button></form>`;
  const note = world.clock.mode === 'real' ? 'follows the wall' : `runs ${world.clock.rate} times as fast as the wall`;
  const control =
    world.clock.mode === 'set'
      ? html`${advance}<span class="soft">It stands still until you move it.</span>`
      : html`<span class="soft">It ${note}.</span>`;
  const nowMs = world.now();
  return html`<section class="card row" aria-label="Clock"><span>World time: <time datetime="${isoInstant(nowMs)}"><strong>${readable(nowMs)}</strong></time></span>${control}</section>`;
}

function rankOf({ identityStyle }: Product): number {
  return identityStyle === 'legacy' ? 1 : 0;
}

function productCard(product: Product): Html {
  const id = `product-${product.productCode}`;
  const dimensions = product.dimensions.map(
    ({ key, unitPriceUsd }) =>
      html`<dt><code>${key}</code></dt><dd>${unitPriceUsd === undefined ? 'no price' : `$${unitPriceUsd} per unit`}</dd>`,
  );
  return html`<article class="card" aria-labelledby="${id}"><h3 id="${id}">${product.title}</h3>
<p class="soft">Product code <code>${product.productCode}</code></p>
<dl>${dimensions}</dl>
<form method="post" action="/subscriptions">
<input type="hidden" name="productCode" value="${product.productCode}">
<p><label for="${id}-buyer">Buyer name</label><input id="${id}-buyer" type="text" name="buyerName" required maxlength="255" autocomplete="off"></p>
<p><label for="${id}-account">AWS account id (optional)</label><input id="${id}-account" type="text" name="awsAccountId" inputmode="numeric" pattern="[0-9]{12}" title="12 digits" autocomplete="off"></p>
<p><label class="inline"><input type="checkbox" name="freeTrial"> As a free trial</label></p>
<button>Subscribe<span class="hidden"> to ${product.title}</span></button>
</form></article>`;
}

function subscriptionCard(world: World, agreement: Agreement): Html {
  const product = findProduct(world, agreement.productCode);
  const title = product?.title ?? agreement.productCode;
  const ended = agreement.endedMs !== undefined && agreement.endedMs <= world.now();
  const state = ended ? `Ended (${agreement.endStatus ?? ''})` : agreement.suspended ? 'Suspended' : 'Active';
  const whose = html`<span class="hidden"> for ${title}, ${agreement.buyerName}</span>`;
  const actions =
    ended || product === undefined
      ? html``
      : html`<div class="row">${setUpForm(world, agreement, product, whose)}
<form method="post" action="/subscriptions/${agreement.agreementId}/cancel"><button class="danger">Cancel subscription${whose}</button></form></div>`;
  return html`<article class="card" aria-label="${title}, ${agreement.buyerName}"><h3>${title}</h3>
<dl><dt>Buyer</dt><dd>${agreement.buyerName}</dd><dt>Account</dt><dd>${agreement.awsAccountId}</dd>
<dt>State</dt><dd>${state}${agreement.freeTrial ? ', free trial' : ''}</dd>
<dt>Since</dt><dd>${readable(agreement.startsMs)}</dd>
<dt>Agreement</dt><dd><code>${agreement.agreementId}</code></dd>
<dt>License</dt><dd><code>${agreement.licenceArn}</code></dd></dl>${actions}</article>`;
}

/** As on AWS: the buyer's browser posts a fresh registration token to the seller's fulfillment URL. */
function setUpForm(world: World, agreement: Agreement, product: Product, whose: Html): Html {
  const token = mintToken(world, agreement.agreementId, world.now() + TOKEN_LIFETIME_SECONDS * 1000);
  const offerType = html`<input type="hidden" name="x-amzn-marketplace-offer-type" value="free-trial">`;
  return html`<form method="post" action="${product.fulfillmentUrl}">
<input type="hidden" name="x-amzn-marketplace-token" value="${token}">${agreement.freeTrial ? offerType : html``}
<button>Set up your account${whose}</button></form>`;
}

/**
 * Origins that the policy lets forms lead to. Browsers hold redirects to it too, and a seller's server on this machine
 * may well answer with its other name or another port.
 */
function formTargets(fulfillmentUrl: string): string[] {
  const { origin, hostname } = new URL(fulfillmentUrl);
  const local = ['127.0.0.1', 'localhost'].includes(hostname);
  return local ? ['http://127.0.0.1:*', 'http://localhost:*'] : [origin];
}

/** An instant as a person reads it, to the second. */
function readable(ms: number): string {
  return `${isoInstant(ms).slice(0, 19).replace('T', ' ')} UTC`;
}
