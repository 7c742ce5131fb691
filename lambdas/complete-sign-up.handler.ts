// POST /hand-offs and POST /customers/{customerId}/registration: the seller's own sign-up page takes a buyer over.
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { parseProducts } from './contracts/product-settings.ts';
import { PRODUCT_PAGES_FILE, parseRegistrations } from './contracts/registration-settings.ts';
import { parseSessionKeys } from './contracts/session-keys.ts';
import { MAX_SIGN_UP_BYTES, parseRedemption, readSignUp } from './contracts/sign-up.ts';
import { handOffIssuer, publicKeyOf, signingKeyOf } from './domain/hand-off.ts';
import { pagesOf, signUpOrigins } from './domain/registration-settings.ts';
import { completeSignUp } from './flow/complete-sign-up.ts';
import { redeemHandOff } from './flow/redeem-hand-off.ts';
import { clientSettings } from './runtime/aws-client.ts';
import { bundledFile } from './runtime/bundled-file.ts';
import { judgeHandOff } from './runtime/hand-off-judge.ts';
import { built, type Surroundings } from './runtime/handler.ts';
import { type HttpResponse, httpHandler, JSON_HEADERS, jsonFault } from './runtime/http.ts';
import type { HttpRequest } from './runtime/http-request.ts';
import { readSettings } from './runtime/settings.ts';
import { DynamoBuyerStore } from './stores/buyer-store.ts';
import { DynamoCustomerStore } from './stores/customer-store.ts';
import { dynamoClient } from './stores/dynamo.ts';
import { DynamoHandOffStore } from './stores/hand-off-store.ts';
import { DynamoNoticeStore } from './stores/notice-store.ts';
import { SecretSessionKeys, secretsClient } from './stores/session-keys.ts';
import { DynamoWorkStore } from './stores/work-store.ts';

/** At the end of a path, behind a stage or a custom domain's base path. */
const REDEEM = /(?:^|\/)hand-offs$/;
const REGISTER = /(?:^|\/)customers\/([\w-]{1,64})\/registration$/;

/** What is told of each refusal, by its code. */
const REFUSALS = {
  HandOffSpent: [409, 'This hand-off was redeemed before. Send the buyer back to AWS Marketplace for a new one.'],
  HandOffExpired: [410, 'A hand-off is good for five minutes. Send the buyer back to AWS Marketplace for a new one.'],
  HandOffNotForUs: [400, 'This hand-off is of another stage, or for a page that products[].signUp does not name.'],
  HandOffForged: [400, 'This hand-off is not signed by this deployment, or was changed.'],
  HandOffNotRedeemed: [409, 'No hand-off of this customer is redeemed under this id. Redeem the one that it brought.'],
  CustomerUnknown: [404, 'There is no customer of this id. Use the id that the hand-off told.'],
  RegistrationIncomplete: [422, 'What the buyer wrote is not complete: problems says what is missing.'],
  MethodUnknown: [405, 'Hand-offs are redeemed, and buyers registered, by POST.'],
  RouteUnknown: [404, 'There is nothing here.'],
} as const satisfies Record<string, readonly [number, string]>;

const CODE_OF = {
  spent: 'HandOffSpent',
  expired: 'HandOffExpired',
  notForUs: 'HandOffNotForUs',
  forged: 'HandOffForged',
  unknownCustomer: 'CustomerUnknown',
} as const;

export function createCompleteSignUpHandler({ environment, clock, log }: Surroundings, productPages: string) {
  const settings = readSettings('complete-sign-up', environment);
  const registrations = parseRegistrations(settings.REGISTRATION, productPages);
  const database = dynamoClient(clientSettings(environment, 'DYNAMODB'));
  const keys = new SecretSessionKeys({
    client: secretsClient(clientSettings(environment, 'SECRETS_MANAGER')),
    secretId: settings.SESSION_KEYS_SECRET,
    parse: parseSessionKeys,
    clock,
  });
  const ports = {
    customers: new DynamoCustomerStore(database, settings.CUSTOMERS_TABLE),
    buyers: new DynamoBuyerStore(database, settings.BUYERS_TABLE),
    notices: new DynamoNoticeStore(database, { notices: settings.NOTICES_TABLE, customers: settings.CUSTOMERS_TABLE }),
    work: new DynamoWorkStore(database, settings.WORK_TABLE),
    handOffs: new DynamoHandOffStore(database, settings.WORK_TABLE),
    products: parseProducts(settings.PRODUCTS),
    log,
    judge: (text: string, nowMs: number) =>
      judgeHandOff(text, {
        issuer: handOffIssuer(settings.STAGE),
        audiences: signUpOrigins(registrations),
        keyOf: async (keyId) => {
          const key = (await keys.ring(keyId)).keys.get(keyId);
          return key === undefined ? undefined : publicKeyOf(signingKeyOf(keyId, key));
        },
        nowMs,
        toleranceSeconds: 0,
      }),
  };

  const redeem = async (request: HttpRequest): Promise<HttpResponse> => {
    const redemption = await redeemHandOff(ports, parseRedemption(request.text(MAX_SIGN_UP_BYTES)), clock());
    if (redemption.kind !== 'redeemed') return refusal(request, CODE_OF[redemption.kind]);
    const { customer, handOff } = redemption;
    const { customerId, productCode, customerAwsAccountId, registeredAt } = customer;
    const { handOffId, licenseArn } = handOff;
    const isRegistered = registeredAt !== undefined;
    const told = { handOffId, customerId, productCode, licenseArn, customerAwsAccountId, isRegistered };
    return { ...json(200, told, 'HandOffRedeemed'), facts: { customerId, productCode } };
  };

  const register = async (request: HttpRequest, customerId: string): Promise<HttpResponse> => {
    const customer = await ports.customers.customer(customerId);
    if (!customer) return refusal(request, 'CustomerUnknown');
    const look = pagesOf(registrations, customer.productCode).settings;
    const { handOffId, submission } = readSignUp(request.text(MAX_SIGN_UP_BYTES), look);
    if (submission.kind === 'incomplete') {
      return refusal(request, 'RegistrationIncomplete', { problems: submission.problems });
    }
    const { email, fields } = submission;
    const outcome = await completeSignUp(ports, handOffId, { customerId, email, fields, submittedAt: clock() });
    if (outcome === 'notRedeemed') return refusal(request, 'HandOffNotRedeemed');
    if (outcome === 'unknownCustomer') return refusal(request, 'CustomerUnknown');
    return { ...json(200, { outcome }, outcome), facts: { customerId, productCode: customer.productCode } };
  };

  return httpHandler({ log, clock, headers: JSON_HEADERS, fault: jsonFault }, async (request) => {
    const [, customerId] = REGISTER.exec(request.path) ?? [];
    if (customerId === undefined && !REDEEM.test(request.path)) return refusal(request, 'RouteUnknown');
    if (request.method !== 'POST') return refusal(request, 'MethodUnknown');
    return customerId === undefined ? redeem(request) : register(request, customerId);
  });
}

function json(status: number, body: object, outcome: string): HttpResponse {
  return { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), outcome };
}

function refusal({ requestId }: HttpRequest, code: keyof typeof REFUSALS, more: object = {}): HttpResponse {
  const [status, message] = REFUSALS[code];
  return json(status, { error: { code, message, retryable: false, requestId, ...more } }, code);
}

export const handler = built<APIGatewayProxyEvent, unknown>((surroundings) =>
  createCompleteSignUpHandler(surroundings, bundledFile(`./${PRODUCT_PAGES_FILE}`)),
);
