// The page on which a person plays the buyer.
import { isoInstant } from '../clock.ts';
import { listAgreements } from '../world/agreements.ts';
import { isContract, listProducts, type Product } from '../world/products.ts';
import type { World } from '../world/world.ts';
import { agreementCard, readable } from './agreement-card.ts';
import { subscriptionFields } from './forms.ts';
import { type Html, html } from './html.ts';
import { type PageReply, show } from './layout.ts';

const SUBSCRIPTIONS_SHOWN = 50;

/** Products, subscriptions and the clock; `problem` says what a pressed button met. */
export function marketplacePage(world: World, problem?: string): PageReply {
  // The simplest first: subscriptions of the current style, then contracts, then what was listed before.
  const products = listProducts(world).toSorted((one, other) => rankOf(one) - rankOf(other));
  const agreements = listAgreements(world, SUBSCRIPTIONS_SHOWN);
  const alert = problem === undefined ? html`` : html`<p class="card alert" role="alert">${problem}</p>`;
  const none = html`<p class="soft">None yet. Subscribe to a product above.</p>`;
  const main = html`${alert}${clockPanel(world)}
<section aria-labelledby="products"><h2 id="products">Products</h2>
<div class="grid">${products.map(productCard)}</div></section>
<section aria-labelledby="subscriptions"><h2 id="subscriptions">My subscriptions</h2>
<div class="grid wide">${agreements.length === 0 ? none : agreements.map((agreement) => agreementCard(world, agreement))}</div>
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

function rankOf(product: Product): number {
  if (product.identityStyle === 'legacy') return 2;
  return isContract(product) ? 1 : 0;
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
${subscriptionFields(id, product)}
<p><button>Subscribe<span class="hidden"> to ${product.title}</span></button></p>
</form></article>`;
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
