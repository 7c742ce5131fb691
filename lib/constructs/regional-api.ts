// A regional REST API before functions: throttled, logged without anything of its callers, with its own error answers.
import { Duration, RemovalPolicy, Size, Stack, Validations } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  AuthorizationType,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  ResponseType,
  RestApi,
} from 'aws-cdk-lib/aws-apigateway';
import type { PolicyDocument } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Limit } from '../deployment.ts';
import { BookedAlarm } from './alarm-book.ts';
import { FIVE_MINUTES } from './alarm-period.ts';
import { keyOf } from './encryption.ts';

/** What the function has to answer in. API Gateway waits 29 s; the rest is for the function's start. */
export const TIME_TO_ANSWER = Duration.seconds(25);

export interface Route {
  /** With a slash before it: `/registration/done`. */
  readonly path: string;
  readonly methods: readonly ('GET' | 'HEAD' | 'POST')[];
  readonly lambda: LambdaFunction;
  /**
   * How often each method of this route may be called.
   * @default - as the API's
   */
  readonly limit?: Limit;
}

/** What API Gateway answers where it reaches no function. */
export interface GatewayAnswer {
  /**
   * The status to answer with.
   * @default - API Gateway's own for this answer
   */
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RegionalApiProps {
  readonly description: string;
  readonly stageName: string;
  readonly routes: readonly Route[];
  /** Who may call: anyone, or whom IAM lets. */
  readonly callers: 'anyone' | 'iam';
  /** How often each method of each route may be called, unless the route says otherwise. */
  readonly limit: Limit;
  /** By API Gateway's names of its answers. */
  readonly gatewayAnswers: Readonly<Record<string, GatewayAnswer>>;
  readonly logRetention: RetentionDays;
  /** Who is harmed while the API answers with 5xx, as a clause: it stands in the alarm. */
  readonly impact: string;
  /** The heading of ours that says what to do then. */
  readonly remedy: string;
  /**
   * Lets callers of other accounts in; callers of this one need only their own leave.
   * @default - nobody of another account
   */
  readonly policy?: PolicyDocument;
}

export class RegionalApi extends Construct {
  readonly api: RestApi;

  constructor(scope: Construct, id: string, props: RegionalApiProps) {
    super(scope, id);
    const encryptionKey = keyOf(this);
    const logs = {
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(encryptionKey ? { encryptionKey } : {}),
    };
    // Said again for each method: what a method's settings leave out falls back to API Gateway's defaults.
    const settingsFor = ({ ratePerSecond, burst }: Limit) => ({
      throttlingRateLimit: ratePerSecond,
      throttlingBurstLimit: burst,
      metricsEnabled: true,
      loggingLevel: MethodLoggingLevel.ERROR,
      // Would write whole requests, registration tokens and personal data included, into the log.
      dataTraceEnabled: false,
    });
    const methodSettings = props.routes.flatMap(({ path, methods, limit = props.limit }) =>
      methods.map((method) => [`${path}/${method}`, settingsFor(limit)] as const),
    );
    this.api = new RestApi(this, 'Api', {
      restApiName: `${Stack.of(this).stackName}-${id}`,
      description: props.description,
      endpointConfiguration: { types: [EndpointType.REGIONAL] },
      minCompressionSize: Size.kibibytes(1),
      cloudWatchRole: false,
      ...(props.policy ? { policy: props.policy } : {}),
      deployOptions: {
        stageName: props.stageName,
        ...settingsFor(props.limit),
        methodOptions: Object.fromEntries(methodSettings),
        tracingEnabled: false,
        accessLogDestination: new LogGroupLogDestination(new LogGroup(this, 'AccessLog', logs)),
        accessLogFormat: AccessLogFormat.custom(JSON.stringify(ACCESS_LOG_LINE)),
      },
    });
    // CDK deploys an API anew when its routes change; a change of policy needs it as well.
    this.api.latestDeployment?.addToLogicalId({ policy: props.policy?.toJSON() });
    // API Gateway would make this group itself, and keep it for ever.
    const executionLog = new LogGroup(this, 'ExecutionLog', {
      ...logs,
      logGroupName: `API-Gateway-Execution-Logs_${this.api.restApiId}/${props.stageName}`,
    });
    this.api.deploymentStage.node.addDependency(executionLog);

    for (const route of props.routes) this.#addRoute(route, props.callers);
    for (const [name, answer] of Object.entries(props.gatewayAnswers)) this.#addAnswer(name, answer);
    new BookedAlarm(this, 'ServerErrors', {
      name: `${id}-server-errors`,
      severity: 'high',
      impact: `While ${id} answers with 5xx, ${props.impact}`,
      remedy: props.remedy,
      metric: this.api.metricServerError({ period: FIVE_MINUTES, statistic: 'Sum' }),
      above: 0,
    });
    Validations.of(this.api).acknowledge({
      id: 'AwsSolutions-APIG2',
      reason:
        'The functions check each request themselves and say what is wrong with it; API Gateway could only say no.',
    });
  }

  #addRoute({ path, methods, lambda }: Route, callers: RegionalApiProps['callers']): void {
    const resource = this.api.root.resourceForPath(path);
    const integration = new LambdaIntegration(lambda, { allowTestInvoke: false });
    const authorizationType = callers === 'iam' ? AuthorizationType.IAM : AuthorizationType.NONE;
    for (const method of methods) resource.addMethod(method, integration, { authorizationType });
  }

  #addAnswer(name: string, { status, headers, body }: GatewayAnswer): void {
    this.api.addGatewayResponse(name, {
      type: ResponseType.of(name),
      ...(status === undefined ? {} : { statusCode: String(status) }),
      responseHeaders: Object.fromEntries(Object.entries(headers).map(([header, value]) => [header, `'${value}'`])),
      // The same whatever the caller says it takes: the header above decides what the body is.
      templates: { 'application/json': body, 'text/html': body },
    });
  }
}

/** No address, no path and no query: a buyer's browser may have put anything into them. The route is its pattern. */
const ACCESS_LOG_LINE = {
  requestId: '$context.requestId',
  at: '$context.requestTime',
  method: '$context.httpMethod',
  route: '$context.resourcePath',
  status: '$context.status',
  gatewayAnswer: '$context.error.responseType',
  callerAccount: '$context.identity.accountId',
  ms: '$context.responseLatency',
  functionStatus: '$context.integration.status',
  functionMs: '$context.integration.latency',
};
