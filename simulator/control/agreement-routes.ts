// Control: buyers subscribe, get tokens, and what happens to their agreements; the feed of what that made known.
import { isoInstant } from '../clock.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import { type Agreement, findAgreement, isEnded, listAgreements, OFFER_KINDS } from '../world/agreements.ts';
import { readEvents } from '../world/events.ts';
import { type Subscription, subscribe } from '../world/lifecycle.ts';
import { findProduct, isContract } from '../world/products.ts';
import { mintToken, TOKEN_LIFETIME_SECONDS } from '../world/tokens.ts';
import type { World } from '../world/world.ts';
import { AGREEMENT_ACTIONS } from './agreement-actions.ts';
import { LICENCE_ARN, readEntitlements, refuseShortTerm } from './agreement-input.ts';
import { DELIVERY_MEMBERS, optionalDelivery } from './delivery.ts';
import {
  ControlError,
  invalid,
  objectWith,
  optionalChoice,
  optionalFlag,
  optionalInstantMs,
  optionalText,
  optionalWhole,
  queryWhole,
  requiredText,
} from './input.ts';
import type { Route } from './route.ts';

const SUBSCRIPTION_MEMBERS = [
  'productCode',
  'awsAccountId',
  'buyerName',
  'offer',
  'startAt',
  'endAt',
  'provisionAt',
  'previousAgreementId',
  'intent',
  'licenceArn',
  'customerIdentifier',
  'entitlements',
  'autoRenew',
  'subscribeFails',
  ...DELIVERY_MEMBERS,
];
const BATCH_MAX = 100_000;
const YEAR_SECONDS = 31_536_000;

export const agreementRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/control/agreements',
    run: (world, { body }) => agreementView(world, subscribe(world, readSubscription(world, body))),
  },
  {
    method: 'POST',
    path: '/control/agreements/batch',
    run: (world, { body }) => {
      const list = isJsonObject(body) ? body['agreements'] : body;
      if (!Array.isArray(list) || list.length > BATCH_MAX) {
        throw invalid(`Send a list of at most ${BATCH_MAX} agreements, bare or as {"agreements":[...]}.`);
      }
      // All or none: one faulty entry rolls the others back.
      return {
        agreements: list.map((entry) => agreementView(world, subscribe(world, readSubscription(world, entry)))),
      };
    },
  },
  {
    method: 'GET',
    path: '/control/agreements',
    run: (world, { query }) => ({
      agreements: listAgreements(world, queryWhole(query, 'limit', 1000, BATCH_MAX)).map((a) =>
        agreementView(world, a),
      ),
    }),
  },
  {
    method: 'GET',
    path: '/control/agreements/:id',
    run: (world, { params }) => agreementView(world, known(world, params)),
  },
  {
    method: 'POST',
    path: '/control/agreements/:id/tokens',
    run: (world, { params, body }) => {
      const wanted = objectWith(body, ['lifetimeSeconds']);
      const lifetime = optionalWhole(wanted, 'lifetimeSeconds', 1, YEAR_SECONDS) ?? TOKEN_LIFETIME_SECONDS;
      const expiresMs = world.now() + lifetime * 1000;
      return { token: mintToken(world, known(world, params).agreementId, expiresMs), expiresAt: isoInstant(expiresMs) };
    },
  },
  ...Object.entries(AGREEMENT_ACTIONS).map(
    ([name, act]): Route => ({
      method: 'POST',
      path: `/control/agreements/:id/${name}`,
      run: (world, { params, body }) => agreementView(world, act(world, known(world, params), body)),
    }),
  ),
  {
    method: 'GET',
    path: '/control/events',
    run: (world, { query }) => {
      const after = queryWhole(query, 'after', 0, Number.MAX_SAFE_INTEGER);
      return readEvents(world, after, queryWhole(query, 'limit', 1000, BATCH_MAX));
    },
  },
];

/** What a buyer wants, as the control API takes it. */
export function readSubscription(world: World, body: unknown): Subscription {
  const wanted = objectWith(body, SUBSCRIPTION_MEMBERS);
  const productCode = requiredText(wanted, 'productCode');
  const product = findProduct(world, productCode);
  if (product === undefined) {
    throw new ControlError(
      404,
      'NotFound',
      `There is no product ${productCode}: PUT /control/products/${productCode} first.`,
    );
  }
  const offer = objectWith(wanted['offer'], ['id', 'kind', 'freeTrial', 'partnerAccountId']);
  const previousId = optionalText(wanted, 'previousAgreementId');
  const startMs = optionalInstantMs(wanted, 'startAt');
  const endMs = optionalInstantMs(wanted, 'endAt');
  if (endMs !== undefined && endMs <= (startMs ?? world.now())) throw invalid('endAt must be later than startAt.');
  const autoRenew = optionalFlag(wanted, 'autoRenew');
  // A contract without an end gets one.
  if (autoRenew === true && !(endMs === undefined && isContract(product))) {
    refuseShortTerm(startMs ?? world.now(), endMs);
  }
  const provisionMs = optionalInstantMs(wanted, 'provisionAt');
  if (provisionMs !== undefined && provisionMs < (startMs ?? world.now())) {
    throw invalid('provisionAt must not be earlier than startAt.');
  }
  return {
    product,
    awsAccountId: optionalText(wanted, 'awsAccountId', /^\d{12}$/),
    buyerName: optionalText(wanted, 'buyerName'),
    offerId: optionalText(offer, 'id'),
    offerKind: optionalChoice(offer, 'kind', OFFER_KINDS),
    partnerAccountId: optionalText(offer, 'partnerAccountId', /^\d{12}$/),
    freeTrial: optionalFlag(offer, 'freeTrial'),
    startMs,
    endMs,
    provisionMs,
    autoRenew,
    entitlements: readEntitlements(product, wanted['entitlements']),
    fails: optionalFlag(wanted, 'subscribeFails'),
    delivery: optionalDelivery(wanted),
    intent: optionalChoice(wanted, 'intent', ['RENEW', 'REPLACE']),
    previous: previousId === undefined ? undefined : known(world, { id: previousId }),
    licenceArn: optionalText(wanted, 'licenceArn', LICENCE_ARN),
    customerIdentifier: optionalText(wanted, 'customerIdentifier'),
  };
}

function known(world: World, params: JsonObject): Agreement {
  const id = requiredText(params, 'id');
  const agreement = findAgreement(world, id);
  if (agreement === undefined) {
    throw new ControlError(404, 'NotFound', `There is no agreement ${id}: GET /control/agreements lists them.`);
  }
  return agreement;
}

/** An agreement as the control API shows it: ids by AWS's meaning, instants in ISO, its status as of now. */
function agreementView(world: World, agreement: Agreement): JsonObject {
  const nowMs = world.now();
  const { endedMs, deprovisionedMs, provisionedMs, customerIdentifier, partnerAccountId, termEndMs } = agreement;
  return {
    agreementId: agreement.agreementId,
    licenceArn: agreement.licenceArn,
    awsAccountId: agreement.awsAccountId,
    ...(customerIdentifier !== undefined && { customerIdentifier }),
    productCode: agreement.productCode,
    buyerName: agreement.buyerName,
    offer: {
      id: agreement.offerId,
      kind: agreement.offerKind,
      freeTrial: agreement.freeTrial,
      ...(partnerAccountId !== undefined && { partnerAccountId }),
    },
    intent: agreement.intent,
    ...(agreement.previousAgreementId !== undefined && { previousAgreementId: agreement.previousAgreementId }),
    status: isEnded(agreement, nowMs) ? agreement.endStatus : 'ACTIVE',
    suspended: agreement.suspended,
    advisoryOpen: agreement.advisoryMs !== undefined,
    entitlements: agreement.entitlements,
    autoRenew: agreement.autoRenew,
    acceptedAt: isoInstant(agreement.acceptedMs),
    startsAt: isoInstant(agreement.startsMs),
    ...(termEndMs !== undefined && { termEndsAt: isoInstant(termEndMs) }),
    ...(provisionedMs !== undefined && { provisionedAt: isoInstant(provisionedMs) }),
    ...(endedMs !== undefined && { endedAt: isoInstant(endedMs) }),
    ...(deprovisionedMs !== undefined && { deprovisionedAt: isoInstant(deprovisionedMs) }),
  };
}
