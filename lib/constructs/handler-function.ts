// A deployed function with the house's choices: what it runs on, what it may do, where it logs, who is told.
import { writeFileSync } from 'node:fs';
import { AssetHashType, DockerImage, type Duration, RemovalPolicy, Token } from 'aws-cdk-lib';
import { type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { HandlerName, SettingsOf } from '../../lambdas/runtime/settings.ts';
import { BookedAlarm, type Severity } from './alarm-book.ts';
import { FIVE_MINUTES } from './alarm-period.ts';
import { BUNDLE_FILE, bundleHandler, LAMBDAS_FOLDER } from './bundle.ts';
import { keyOf } from './encryption.ts';

/** A setting that names a resource, together with what the function may do with it: never the one without the other. */
export interface Access {
  readonly value: string;
  readonly statements: readonly PolicyStatement[];
}

export interface HandlerFunctionProps<H extends HandlerName> {
  /** The file `lambdas/<handler>.handler.ts`. */
  readonly handler: H;
  /** What the function does, for whoever finds it in the console. */
  readonly description: string;
  /** Exactly the settings that the handler declares in lambdas/runtime/settings.ts. */
  readonly settings: Readonly<Record<keyof SettingsOf<H>, string | Access>>;
  /** Who is harmed while the function fails, as a clause: it stands in the alarm. */
  readonly impact: string;
  /** The heading of ours that says what to do then: `docs/runbook.md#requestfailed`. */
  readonly remedy: string;
  readonly timeout: Duration;
  readonly logRetention: RetentionDays;
  /**
   * Texts to lie beside the bundle, by file name: what settings have no room for.
   * @default - none
   */
  readonly files?: Readonly<Record<string, string>>;
  /**
   * The name of its role, where another account has to know it: at most 64 characters.
   * @default - CloudFormation names it
   */
  readonly roleName?: string;
  /**
   * What the function may do besides what comes with its settings.
   * @default - nothing
   */
  readonly statements?: readonly PolicyStatement[];
  /**
   * Processor time comes with memory.
   * @default 512
   */
  readonly memoryMb?: number;
  /**
   * Failures within five minutes that nobody is told of.
   * @default 0
   */
  readonly toleratedErrors?: number;
  /**
   * How urgent it is that the function fails.
   * @default 'high'
   */
  readonly severity?: Severity;
}

/** A start that was throttled once is tried again; one that is throttled for ten minutes is no accident. */
const THROTTLED_SPANS = 2;

export class HandlerFunction<H extends HandlerName> extends Construct {
  readonly lambda: LambdaFunction;
  /** The function's own role; no other function has it. */
  readonly role: Role;

  constructor(scope: Construct, id: string, props: HandlerFunctionProps<H>) {
    super(scope, id);
    const settings: readonly (readonly [string, string | Access])[] = Object.entries(props.settings);
    const environment = Object.fromEntries(settings.map(([name, value]) => [name, textOf(value)]));
    checkRoom(props.handler, environment);

    const encryptionKey = keyOf(this);
    const logGroup = new LogGroup(this, 'Logs', {
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(encryptionKey ? { encryptionKey } : {}),
    });
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `What ${props.handler} may do`,
      ...(props.roleName === undefined ? {} : { roleName: props.roleName }),
    });
    logGroup.grantWrite(this.role);
    const accesses = settings.flatMap(([, value]) => (typeof value === 'string' ? [] : value.statements));
    for (const statement of [...accesses, ...(props.statements ?? [])]) this.role.addToPolicy(statement);

    this.lambda = new LambdaFunction(this, 'Function', {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: handlerCode(props.handler, props.files),
      handler: 'index.handler',
      role: this.role,
      environment,
      timeout: props.timeout,
      memorySize: props.memoryMb ?? 512,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
    });
    const { handler, impact, remedy, severity = 'high' } = props;
    new BookedAlarm(this, 'Errors', {
      name: `${handler}-errors`,
      severity,
      impact: `While ${handler} fails, ${impact}`,
      remedy,
      metric: this.lambda.metricErrors({ period: FIVE_MINUTES }),
      above: props.toleratedErrors ?? 0,
    });
    new BookedAlarm(this, 'Throttles', {
      name: `${handler}-throttles`,
      severity,
      impact: `The account has no room to run ${handler}; while that lasts, ${impact}`,
      remedy: 'docs/runbook.md#functions-throttled',
      metric: this.lambda.metricThrottles({ period: FIVE_MINUTES }),
      above: 0,
      periods: THROTTLED_SPANS,
    });
  }
}

function textOf(setting: string | Access): string {
  return typeof setting === 'string' ? setting : setting.value;
}

function handlerCode(handler: HandlerName, files: Readonly<Record<string, string>> = {}): Code {
  return Code.fromAsset(LAMBDAS_FOLDER, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry('never-used'),
      // CDK takes two assets of one folder with equal options for the same one.
      command: [handler, ...Object.entries(files).flat()],
      local: {
        tryBundle: (folder) => {
          bundleHandler(handler, `${folder}/${BUNDLE_FILE}`);
          for (const [name, text] of Object.entries(files)) writeFileSync(`${folder}/${name}`, text);
          return true;
        },
      },
    },
  });
}

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const ROOM_FOR_SETTINGS_BYTES = 4_096;

/** More than the name of any resource of ours will have once it exists. */
const UNRESOLVED_BYTES = 160;

function checkRoom(handler: HandlerName, environment: Readonly<Record<string, string>>): void {
  const sizes = Object.entries(environment).map(([name, value]) => ({
    name,
    bytes: name.length + (Token.isUnresolved(value) ? UNRESOLVED_BYTES : Buffer.byteLength(value)),
  }));
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total <= ROOM_FOR_SETTINGS_BYTES) return;
  const largest = sizes.sort((one, other) => other.bytes - one.bytes).slice(0, 3);
  throw new Error(
    `The settings of the function ${handler} take ${total} bytes and Lambda has room for ${ROOM_FOR_SETTINGS_BYTES} ` +
      `(${largest.map(({ name, bytes }) => `${name}: ${bytes}`).join(', ')}). Leave out dimensions, titles or page ` +
      'texts that can be spared (a product without a list of dimensions lets any dimension in), give the logo as a ' +
      'path, name fewer webhook endpoints, or deploy some of the products on their own under another stage.',
  );
}
