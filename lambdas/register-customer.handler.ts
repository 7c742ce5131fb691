// The registration page: shows the form, takes it, and says what comes next.
import { parseProducts } from './contracts/product-settings.ts';
import { FORM_TOKEN_FIELD, formFields, readSubmission, type Submission } from './contracts/registration-form.ts';
import { PRODUCT_PAGES_FILE, parseRegistrations } from './contracts/registration-settings.ts';
import { parseSessionKeys } from './contracts/session-keys.ts';
import { publicKeyOf, signingKeyOf } from './domain/hand-off.ts';
import {
  everySettings,
  pagesOf,
  type RegistrationSettings,
  type Registrations,
} from './domain/registration-settings.ts';
import { isSameToken } from './domain/session.ts';
import { registerCustomer } from './flow/register-customer.ts';
import { type OpenSession, readSession } from './flow/registration-session.ts';
import {
  failureAnswer,
  keysAnswer,
  methodNotAllowed,
  PAGE_HEADERS,
  pageFaults,
  seeOther,
  styleAnswer,
} from './pages/answers.ts';
import type { Retry } from './pages/failures.ts';
import type { PageFrame } from './pages/frame.ts';
import { DONE_ROUTE, FORM_ROUTE, FULFILLMENT_ROUTE, KEYS_ROUTE, placeOf, STYLE_ROUTE } from './pages/routes.ts';
import { showDone, showForm, showProblems, type Visitor } from './pages/visits.ts';
import { clientSettings } from './runtime/aws-client.ts';
import { bundledFile } from './runtime/bundled-file.ts';
import { built, type Surroundings } from './runtime/handler.ts';
import { type HttpResponse, httpHandler } from './runtime/http.ts';
import type { HttpRequest } from './runtime/http-request.ts';
import { SESSION_COOKIE } from './runtime/session-cookie.ts';
import { readSettings } from './runtime/settings.ts';
import { DynamoBuyerStore } from './stores/buyer-store.ts';
import { DynamoCustomerStore } from './stores/customer-store.ts';
import { dynamoClient } from './stores/dynamo.ts';
import { DynamoNoticeStore } from './stores/notice-store.ts';
import { SecretSessionKeys, secretsClient } from './stores/session-keys.ts';
import { DynamoWorkStore } from './stores/work-store.ts';

/** Nine fields of a thousand characters take less, percent-encoded in three alphabets. */
const MAX_BODY_BYTES = 64 * 1024;

/** What a browser with a session asks for. */
interface Visit {
  readonly frame: PageFrame;
  readonly visit: OpenSession;
  readonly route: string;
  readonly form: URLSearchParams | undefined;
}

/** `productPages` is what products have of their own: the text of the file. */
export function createRegisterCustomerHandler({ environment, clock, log }: Surroundings, productPages: string) {
  const settings = readSettings('register-customer', environment);
  const products = parseProducts(settings.PRODUCTS);
  const registrations = parseRegistrations(settings.REGISTRATION, productPages);
  const database = dynamoClient(clientSettings(environment, 'DYNAMODB'));
  const customers = new DynamoCustomerStore(database, settings.CUSTOMERS_TABLE);
  const ports = {
    customers,
    buyers: new DynamoBuyerStore(database, settings.BUYERS_TABLE),
    notices: new DynamoNoticeStore(database, { notices: settings.NOTICES_TABLE, customers: settings.CUSTOMERS_TABLE }),
    work: new DynamoWorkStore(database, settings.WORK_TABLE),
    products,
    log,
  };
  const keys = new SecretSessionKeys({
    client: secretsClient(clientSettings(environment, 'SECRETS_MANAGER')),
    secretId: settings.SESSION_KEYS_SECRET,
    parse: parseSessionKeys,
    clock,
  });

  /** In which product's look a failure is told, where the product was known by then. */
  const lookOfError = new WeakMap<Error, RegistrationSettings>();

  const answer = async (request: HttpRequest): Promise<HttpResponse> => {
    const { route, base } = placeOf(request.path);
    const shared: PageFrame = { settings: registrations.shared, base };
    if (route === undefined || route === FULFILLMENT_ROUTE) return failureAnswer(shared, 'notFound');
    const isPost = request.method === 'POST' && route === FORM_ROUTE;
    if (request.method !== 'GET' && !isPost) {
      return methodNotAllowed(shared, route === FORM_ROUTE ? 'GET, HEAD, POST' : 'GET, HEAD');
    }
    if (route === STYLE_ROUTE) return styleAnswer(registrations, request.query('v'));
    if (route === KEYS_ROUTE) {
      // By whatever id a key is asked for, it may be younger than those that we hold.
      const ring = await keys.ring(request.query('kid') ?? '');
      return keysAnswer([...ring.keys].map(([keyId, key]) => publicKeyOf(signingKeyOf(keyId, key))));
    }
    // A browser that goes back and reloads may post nothing at all; the form is what its person wants to see.
    if (isPost && request.text(MAX_BODY_BYTES) === '') return seeOther(`${base}${FORM_ROUTE}`, 'formAskedAgain');
    // Before anything is asked of others: what can't be a form is refused even while they are down.
    const form = isPost ? request.form(MAX_BODY_BYTES) : undefined;

    const visit = await readSession(keys, request.cookie(SESSION_COOKIE), clock());
    if (!visit) return failureAnswer(shared, 'sessionExpired');
    const { settings: look } = pagesOf(registrations, visit.session.productCode);
    try {
      return await answerVisit({ frame: { settings: look, base }, visit, route, form });
    } catch (error) {
      if (error instanceof Error) lookOfError.set(error, look);
      throw error;
    }
  };

  const answerVisit = async ({ frame, visit, route, form }: Visit): Promise<HttpResponse> => {
    const customer = await customers.customer(visit.session.customerId);
    if (!customer) return failureAnswer(frame, 'sessionExpired');
    const product = products.get(customer.productCode);
    if (!product) return failureAnswer(frame, 'notOurProduct');
    const formToken = [FORM_TOKEN_FIELD, visit.formToken] as const;
    const visitor: Visitor = { frame, customer, product, fields: formFields(frame.settings), formToken };
    if (route === DONE_ROUTE) return showDone(visitor);
    if (!form) return showForm(visitor);
    return isSameToken(form.get(FORM_TOKEN_FIELD) ?? '', visit.formToken)
      ? submit(visitor, readSubmission(form, frame.settings))
      : failureAnswer(frame, 'sessionExpired');
  };

  const submit = async (visitor: Visitor, submission: Submission): Promise<HttpResponse> => {
    const { frame, customer } = visitor;
    const { customerId, productCode, registeredAt } = customer;
    // The form's own address says "registered already", and that nothing was changed.
    const already = () => seeOther(`${frame.base}${FORM_ROUTE}`, 'alreadyOtherwise');
    if (submission.kind === 'incomplete') {
      return registeredAt === undefined ? showProblems(visitor, submission) : already();
    }
    const { email, fields } = submission;
    const registered = await registerCustomer(ports, { customerId, email, fields, submittedAt: clock() });
    if (registered === 'unknownCustomer') return failureAnswer(frame, 'sessionExpired');
    if (registered === 'alreadyOtherwise') return already();
    return { ...seeOther(`${frame.base}${DONE_ROUTE}`, registered), facts: { customerId, productCode } };
  };

  const lookOf = (thrown: unknown) => (thrown instanceof Error ? lookOfError.get(thrown) : undefined);
  const fault = pageFaults(
    // What nobody foresaw stands behind the failure that it was taken for.
    (failure) => lookOf(failure) ?? lookOf(failure.cause) ?? registrations.shared,
    (request, base) => retryOf(request, base, registrations),
  );
  return httpHandler({ log, clock, headers: PAGE_HEADERS, fault }, answer);
}

/** What the buyer wrote, to be sent again with one press. */
function retryOf(request: HttpRequest, base: string, registrations: Registrations): Retry | undefined {
  if (request.method !== 'POST') return undefined;
  const form = request.form(MAX_BODY_BYTES);
  // Of whichever product: what did not answer may be what would have told.
  const asked = everySettings(registrations).flatMap((settings) => formFields(settings).map(({ name }) => name));
  const names = [...new Set([FORM_TOKEN_FIELD, ...asked])].filter((name) => form.has(name));
  return { action: `${base}${FORM_ROUTE}`, fields: names.map((name) => [name, form.get(name) ?? ''] as const) };
}

export const handler = built((surroundings) =>
  createRegisterCustomerHandler(surroundings, bundledFile(`./${PRODUCT_PAGES_FILE}`)),
);
