// The API of the seller's product: takes its usage, tells it of its customers, and registers buyers of its own sign-up page.
import { CfnOutput, Validations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { addCompleteSignUp, HAND_OFFS_ROUTE, REGISTRATION_ROUTE, SignUpCallers } from './complete-sign-up.ts';
import { HandlerFunction } from './constructs/handler-function.ts';
import { type GatewayAnswer, RegionalApi, TIME_TO_ANSWER } from './constructs/regional-api.ts';
import { type Deployment, hasSignUps, productsSetting } from './deployment.ts';
import type { StorageStack } from './storage-stack.ts';
import { CustomerReaders, UsageWriters, usagePolicy } from './usage-writers.ts';

const USAGE_ROUTE = '/usage';
const CUSTOMER_ROUTE = '/customers/{customerId}';
const CUSTOMER_ROUTES = [CUSTOMER_ROUTE, `${CUSTOMER_ROUTE}/entitlements`];
/** Both routes of every customer. */
const ANY_CUSTOMER = '/customers/*';

/** An API of its own: its callers are programs, which want JSON where the pages' callers want a page. */
export function addUsageApi(scope: Construct, deployment: Deployment, storage: StorageStack): void {
  const { stage, logRetentionDays: logRetention } = deployment;
  const recordUsage = new HandlerFunction(scope, 'RecordUsage', {
    handler: 'record-usage',
    description: 'POST /usage: takes what the product reports',
    settings: {
      CUSTOMERS_TABLE: storage.customers.access(['GetItem']),
      USAGE_TABLE: storage.usage.access(['PutItem', 'GetItem']),
      WORK_TABLE: storage.work.access(['UpdateItem']),
      REJECTS_TABLE: storage.rejects.access(['UpdateItem']),
      PRODUCTS: productsSetting(deployment.products),
      METERING_POLICY: JSON.stringify(deployment.meteringPolicy),
      STAGE: stage,
    },
    impact: 'the product cannot report usage and has to keep it until it can',
    remedy: 'docs/runbook.md#requestfailed',
    timeout: TIME_TO_ANSWER,
    logRetention,
  });
  const readCustomer = addReadCustomer(scope, deployment, storage);
  const completeSignUp = hasSignUps(deployment) ? addCompleteSignUp(scope, deployment, storage) : undefined;
  const signUpRoutes = completeSignUp ? [HAND_OFFS_ROUTE, REGISTRATION_ROUTE] : [];
  const policy = usagePolicy([
    { callers: deployment.usageWriters, routes: [`${stage}/POST${USAGE_ROUTE}`] },
    { callers: deployment.customerReaders, routes: [`${stage}/GET${ANY_CUSTOMER}`, `${stage}/HEAD${ANY_CUSTOMER}`] },
    {
      callers: completeSignUp ? deployment.signUpCallers : [],
      routes: signUpRoutes.map((path) => `${stage}/POST${path}`.replace('{customerId}', '*')),
    },
  ]);
  const { api } = new RegionalApi(scope, 'Usage', {
    description: 'Takes usage from the product, and tells it of its customers',
    stageName: stage,
    callers: 'iam',
    limit: deployment.usageThrottle,
    routes: [
      { path: USAGE_ROUTE, methods: ['POST'], lambda: recordUsage.lambda },
      ...CUSTOMER_ROUTES.map(
        (path) =>
          ({
            path,
            methods: ['GET', 'HEAD'],
            lambda: readCustomer.lambda,
            limit: deployment.customersThrottle,
          }) as const,
      ),
      ...(completeSignUp
        ? signUpRoutes.map(
            (path) =>
              ({
                path,
                methods: ['POST'],
                lambda: completeSignUp.lambda,
                limit: deployment.pagesThrottle,
              }) as const,
          )
        : []),
    ],
    gatewayAnswers: USAGE_ANSWERS,
    impact: 'the product cannot report usage, which it has to keep, or not read how its customers stand',
    remedy: 'docs/runbook.md#requestfailed',
    logRetention,
    ...(policy ? { policy } : {}),
  });
  Validations.of(api).acknowledge(
    {
      id: 'AwsSolutions-COG4',
      reason: 'The callers are programs of the seller, which sign with IAM: nobody signs in.',
    },
    {
      id: 'AwsSolutions-APIG3',
      reason: 'Only callers whom IAM lets in reach the function; a web ACL would see nothing new.',
    },
  );
  new UsageWriters(scope, 'UsageWriters', {
    usageMethodArn: api.arnForExecuteApi('POST', USAGE_ROUTE, stage),
    usage: storage.usage,
    work: storage.work,
    directWriters: deployment.directUsageWriters,
  });
  new CustomerReaders(scope, 'CustomerReaders', {
    methodArns: ['GET', 'HEAD'].map((method) => api.arnForExecuteApi(method, ANY_CUSTOMER, stage)),
  });
  if (completeSignUp) {
    new SignUpCallers(scope, 'SignUpCallers', {
      methodArns: signUpRoutes.map((path) => api.arnForExecuteApi('POST', path.replace('{customerId}', '*'), stage)),
    });
  }
  new CfnOutput(scope, 'UsageUrl', { value: api.urlForPath(USAGE_ROUTE), description: 'Where usage is reported' });
}

function addReadCustomer(
  scope: Construct,
  deployment: Deployment,
  storage: StorageStack,
): HandlerFunction<'read-customer'> {
  return new HandlerFunction(scope, 'ReadCustomer', {
    handler: 'read-customer',
    description: 'GET /customers/{customerId}: how a customer stands, and what its contract includes',
    settings: {
      CUSTOMERS_TABLE: storage.customers.access(['GetItem', 'BatchGetItem']),
      LEDGER_TABLE: storage.ledger.access(['Query']),
      PRODUCTS: productsSetting(deployment.products),
    },
    impact: 'the product cannot read how its customers stand and has to go by what it was told last',
    severity: 'low',
    remedy: 'docs/runbook.md#requestfailed',
    timeout: TIME_TO_ANSWER,
    logRetention: deployment.logRetentionDays,
  });
}

/** In the form of the function's own faults; see jsonFault in lambdas/runtime/http.ts. */
function usageAnswer(retryable: boolean, extra: Readonly<Record<string, string>> = {}): GatewayAnswer {
  const error =
    `{"error":{"code":"$context.error.responseType","message":$context.error.messageString,` +
    `"retryable":${retryable},"requestId":"$context.requestId"}}`;
  return { headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...extra }, body: error };
}

const USAGE_ANSWERS = {
  THROTTLED: usageAnswer(true, { 'Retry-After': '1' }),
  DEFAULT_4XX: usageAnswer(false),
  DEFAULT_5XX: usageAnswer(true, { 'Retry-After': '5' }),
};
