// From a usage event to AWS's answer: POST /usage, and the functions that run every minute. The API also answers
// the product's questions about its customers.
import { CfnOutput, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { BY_STATE } from '../lambdas/stores/tables.ts';
import { addCompleteSignUp, HAND_OFFS_ROUTE, REGISTRATION_ROUTE, SignUpCallers } from './complete-sign-up.ts';
import { DeadLetters } from './constructs/dead-letters.ts';
import { HandlerFunction } from './constructs/handler-function.ts';
import { type GatewayAnswer, RegionalApi, TIME_TO_ANSWER } from './constructs/regional-api.ts';
import { Schedule, TIME_TO_RUN, TOLERATED_ERRORS } from './constructs/schedule.ts';
import { type Deployment, hasSignUps, productsSetting } from './deployment.ts';
import { allowMarketplace, callerRole, marketplaceAccess } from './marketplace-actions.ts';
import type { StorageStack } from './storage-stack.ts';
import { Summaries } from './summaries.ts';
import { CustomerReaders, UsageWriters, usagePolicy } from './usage-writers.ts';

const USAGE_ROUTE = '/usage';
const CUSTOMER_ROUTE = '/customers/{customerId}';
const CUSTOMER_ROUTES = [CUSTOMER_ROUTE, `${CUSTOMER_ROUTE}/entitlements`];
/** Both routes of every customer. */
const ANY_CUSTOMER = '/customers/*';

export interface MeteringStackProps extends StackProps {
  readonly deployment: Deployment;
  readonly storage: StorageStack;
}

export class MeteringStack extends Stack {
  constructor(scope: Construct, id: string, { deployment, storage, ...props }: MeteringStackProps) {
    super(scope, id, props);
    // The stage of the API needs the role for its logs, which nothing else refers to.
    this.addStackDependency(storage);
    this.#addUsageApi(deployment, storage);
    this.#addSchedules(deployment, storage);
  }

  /** An API of its own: its callers are programs, which want JSON where the pages' callers want a page. */
  #addUsageApi(deployment: Deployment, storage: StorageStack): void {
    const { stage, logRetentionDays: logRetention } = deployment;
    const recordUsage = new HandlerFunction(this, 'RecordUsage', {
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
    const readCustomer = this.#addReadCustomer(deployment, storage);
    const completeSignUp = hasSignUps(deployment) ? addCompleteSignUp(this, deployment, storage) : undefined;
    const signUpRoutes = completeSignUp ? [HAND_OFFS_ROUTE, REGISTRATION_ROUTE] : [];
    const policy = usagePolicy([
      { callers: deployment.usageWriters, routes: [`${stage}/POST${USAGE_ROUTE}`] },
      { callers: deployment.customerReaders, routes: [`${stage}/GET${ANY_CUSTOMER}`, `${stage}/HEAD${ANY_CUSTOMER}`] },
      {
        callers: completeSignUp ? deployment.signUpCallers : [],
        routes: signUpRoutes.map((path) => `${stage}/POST${path}`.replace('{customerId}', '*')),
      },
    ]);
    const { api } = new RegionalApi(this, 'Usage', {
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
    new UsageWriters(this, 'UsageWriters', {
      usageMethodArn: api.arnForExecuteApi('POST', USAGE_ROUTE, stage),
      usage: storage.usage,
      work: storage.work,
      directWriters: deployment.directUsageWriters,
    });
    new CustomerReaders(this, 'CustomerReaders', {
      methodArns: ['GET', 'HEAD'].map((method) => api.arnForExecuteApi(method, ANY_CUSTOMER, stage)),
    });
    if (completeSignUp) {
      new SignUpCallers(this, 'SignUpCallers', {
        methodArns: signUpRoutes.map((path) => api.arnForExecuteApi('POST', path.replace('{customerId}', '*'), stage)),
      });
    }
    new CfnOutput(this, 'UsageUrl', { value: api.urlForPath(USAGE_ROUTE), description: 'Where usage is reported' });
  }

  #addReadCustomer(deployment: Deployment, storage: StorageStack): HandlerFunction<'read-customer'> {
    return new HandlerFunction(this, 'ReadCustomer', {
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

  /**
   * No concurrency is reserved for the sender: a lease in the work table keeps it single, and an account's first
   * quota of ten functions at once leaves nothing to reserve, so that the deployment would fail.
   */
  #addSchedules(deployment: Deployment, storage: StorageStack): void {
    const deadLetters = new DeadLetters(this, 'FailedRuns');
    const house = {
      timeout: TIME_TO_RUN,
      toleratedErrors: TOLERATED_ERRORS,
      logRetention: deployment.logRetentionDays,
      // Half a processor: both parse and hash thousands of rows in a run.
      memoryMb: 1_024,
    };
    const METERING_POLICY = JSON.stringify(deployment.meteringPolicy);
    const closeHours = new HandlerFunction(this, 'CloseHours', {
      ...house,
      handler: 'close-hours',
      description: 'Seals the hours that are over and carries what came late',
      settings: {
        CUSTOMERS_TABLE: storage.customers.access([
          'GetItem',
          'Query',
          'BatchGetItem',
          'DeleteItem',
          'ConditionCheckItem',
        ]),
        USAGE_TABLE: storage.usage.access(['Query']),
        LEDGER_TABLE: storage.ledger.access(['Query', 'GetItem', 'PutItem', 'UpdateItem', 'ConditionCheckItem']),
        WORK_TABLE: storage.work.access(['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem']),
        REJECTS_TABLE: storage.rejects.access(['UpdateItem']),
        PRODUCTS: productsSetting(deployment.products),
        METERING_POLICY,
        STAGE: deployment.stage,
      },
      impact: 'usage is not sealed; after about a day AWS no longer takes it and the seller is not paid for it',
      remedy: 'docs/runbook.md#schedulefailed',
    });
    const sendMetering = new HandlerFunction(this, 'SendMetering', {
      ...house,
      handler: 'send-metering',
      ...callerRole(deployment, 'send-metering'),
      description: 'Sends sealed hours to AWS Marketplace and writes down its answers',
      settings: {
        LEDGER_TABLE: storage.ledger.access(['GetItem', 'BatchGetItem', 'UpdateItem'], [BY_STATE]),
        WORK_TABLE: storage.work.access(['Query', 'PutItem', 'UpdateItem', 'DeleteItem']),
        MARKETPLACE_ACCESS: marketplaceAccess(this, deployment, 'BatchMeterUsage'),
        METERING_POLICY,
        STAGE: deployment.stage,
      },
      impact: 'sealed usage does not reach AWS; after about a day AWS no longer takes it and the seller is not paid',
      remedy: 'docs/runbook.md#schedulefailed',
    });
    allowMarketplace(sendMetering, 'BatchMeterUsage', deployment);
    new Schedule(this, 'CloseEveryMinute', {
      run: closeHours,
      handler: 'close-hours',
      everyMinutes: 1,
      deadLetters,
      impact: 'usage is not sealed, and is lost to the seller about a day after its hour',
      remedy: 'docs/runbook.md#dead-letters',
    });
    new Schedule(this, 'SendEveryMinute', {
      run: sendMetering,
      handler: 'send-metering',
      everyMinutes: 1,
      deadLetters,
      impact: 'sealed usage does not reach AWS, and is lost to the seller about a day after its hour',
      remedy: 'docs/runbook.md#dead-letters',
    });
    new Summaries(this, 'Summaries', { deployment, storage, deadLetters });
  }
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
