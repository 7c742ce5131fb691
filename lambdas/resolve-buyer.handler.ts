// The fulfillment URL: where AWS Marketplace sends a buyer's browser after "Set up your account".
import { parseMarketplaceAccess } from './contracts/marketplace-access.ts';
import { parseProducts } from './contracts/product-settings.ts';
import { readMarketplaceForm, TOKEN_FIELD } from './contracts/registration-form.ts';
import { PRODUCT_PAGES_FILE, parseRegistrations } from './contracts/registration-settings.ts';
import { parseSessionKeys } from './contracts/session-keys.ts';
import { handOffIssuer } from './domain/hand-off.ts';
import { pagesOf, signUpOrigins } from './domain/registration-settings.ts';
import { SESSION_LIFETIME_MS } from './domain/session.ts';
import { handOffBuyer } from './flow/hand-off-buyer.ts';
import { openSession } from './flow/registration-session.ts';
import { type BuyerResolution, resolveBuyer } from './flow/resolve-buyer.ts';
import { marketplaceSettings } from './marketplace/publishing-account.ts';
import { MarketplaceRegistration, registrationClient } from './marketplace/registration.ts';
import { failureAnswer, methodNotAllowed, pageFaults, pageHeaders, seeOther } from './pages/answers.ts';
import type { Retry } from './pages/failures.ts';
import { FORM_ROUTE, FULFILLMENT_ROUTE, placeOf } from './pages/routes.ts';
import { clientSettings } from './runtime/aws-client.ts';
import { bundledFile } from './runtime/bundled-file.ts';
import { built, type Surroundings } from './runtime/handler.ts';
import { type HttpResponse, httpHandler } from './runtime/http.ts';
import type { HttpRequest } from './runtime/http-request.ts';
import { unmeasured } from './runtime/metric.ts';
import { sessionCookie } from './runtime/session-cookie.ts';
import { readSettings } from './runtime/settings.ts';
import { DynamoCustomerStore } from './stores/customer-store.ts';
import { dynamoClient } from './stores/dynamo.ts';
import { DynamoNoticeStore } from './stores/notice-store.ts';
import { SecretSessionKeys, secretsClient } from './stores/session-keys.ts';
import { DynamoWorkStore } from './stores/work-store.ts';

/** A token has some hundred characters; the rest is for what else AWS may come to send. */
const MAX_BODY_BYTES = 64 * 1024;

/** `productPages` is what products have of their own: the text of the file. */
export function createResolveBuyerHandler(
  { environment, clock, log, measure = unmeasured }: Surroundings,
  productPages: string,
) {
  const settings = readSettings('resolve-buyer', environment);
  const registrations = parseRegistrations(settings.REGISTRATION, productPages);
  const database = dynamoClient(clientSettings(environment, 'DYNAMODB'));
  const access = parseMarketplaceAccess(settings.MARKETPLACE_ACCESS);
  const marketplace = marketplaceSettings(environment, 'MARKETPLACE_METERING', access);
  const ports = {
    registration: new MarketplaceRegistration(
      registrationClient({ ...marketplace, region: settings.MARKETPLACE_REGION }),
    ),
    notices: new DynamoNoticeStore(database, { notices: settings.NOTICES_TABLE, customers: settings.CUSTOMERS_TABLE }),
    customers: new DynamoCustomerStore(database, settings.CUSTOMERS_TABLE),
    work: new DynamoWorkStore(database, settings.WORK_TABLE),
    products: parseProducts(settings.PRODUCTS),
    log,
  };
  const keys = new SecretSessionKeys({
    client: secretsClient(clientSettings(environment, 'SECRETS_MANAGER')),
    secretId: settings.SESSION_KEYS_SECRET,
    parse: parseSessionKeys,
    clock,
  });

  const answer = async (request: HttpRequest): Promise<HttpResponse> => {
    const frame = { settings: registrations.shared, base: placeOf(request.path).base };
    if (request.method === 'GET') return failureAnswer(frame, 'tokenMissing');
    if (request.method !== 'POST') return methodNotAllowed(frame, 'GET, HEAD, POST');
    const { token, hints } = readMarketplaceForm(request.form(MAX_BODY_BYTES));
    if (!token) return { ...failureAnswer(frame, 'tokenMissing'), status: 400 };

    const resolution = await resolveBuyer(ports, { token, hints }, clock());
    const isRedeemed = resolution.kind === 'resolved';
    measure('resolve-buyer', { TokensRedeemed: isRedeemed ? 1 : 0, TokensRefused: isRedeemed ? 0 : 1 });
    if (!isRedeemed) return failed(frame, resolution);
    const { customer, isNew } = resolution;
    const facts = {
      customerId: customer.customerId,
      productCode: customer.productCode,
      hasLicence: customer.licenceKeys.length > 0,
    };
    const outcome = isNew ? 'buyerArrived' : 'buyerCameBack';
    const { signUp } = pagesOf(registrations, customer.productCode);
    if (signUp) {
      const target = await handOffBuyer({ keys, issuer: handOffIssuer(settings.STAGE) }, signUp, resolution, clock());
      return { ...seeOther(target, outcome), facts: { ...facts, isHandedOn: true } };
    }
    const session = await openSession(keys, customer, clock());
    const cookie = { 'Set-Cookie': sessionCookie(session, SESSION_LIFETIME_MS) };
    return { ...seeOther(`${frame.base}${FORM_ROUTE}`, outcome, cookie), facts };
  };
  return httpHandler(
    {
      log,
      clock,
      headers: pageHeaders(signUpOrigins(registrations)),
      fault: pageFaults(() => registrations.shared, retryOf),
    },
    answer,
  );
}

function failed(
  frame: Parameters<typeof failureAnswer>[0],
  resolution: Exclude<BuyerResolution, { kind: 'resolved' }>,
): HttpResponse {
  const response = failureAnswer(frame, resolution.kind);
  return resolution.kind === 'notOurProduct'
    ? { ...response, facts: { productCode: resolution.productCode } }
    : response;
}

/** The token goes back to the browser that brought it, inside of a page that nobody keeps, and nowhere else. */
function retryOf(request: HttpRequest, base: string): Retry | undefined {
  if (request.method !== 'POST') return undefined;
  const { token, hints } = readMarketplaceForm(request.form(MAX_BODY_BYTES));
  if (!token) return undefined;
  const offer = hints.freeTrial ? [['x-amzn-marketplace-offer-type', 'free-trial'] as const] : [];
  return { action: `${base}${FULFILLMENT_ROUTE}`, fields: [[TOKEN_FIELD, token], ...offer] };
}

export const handler = built((surroundings) =>
  createResolveBuyerHandler(surroundings, bundledFile(`./${PRODUCT_PAGES_FILE}`)),
);
