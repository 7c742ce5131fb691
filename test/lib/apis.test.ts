import { beforeAll, describe, expect, test } from 'vitest';
import { synthesize } from './synthesized.ts';

let stacks: ReturnType<typeof synthesize>;

beforeAll(() => {
  stacks = synthesize();
});

function methods(stack: string) {
  return stacks.ofType('AWS::ApiGateway::Method').filter(({ id }) => id.startsWith(`${stack}/`));
}

function stage(stack: string) {
  return stacks.ofType('AWS::ApiGateway::Stage').find(({ id }) => id.startsWith(`${stack}/`))?.Properties;
}

test('the product’s API takes usage and tells of customers, and is open to those whom IAM lets in', () => {
  const found = methods('Metering');

  expect(found.map(({ Properties }) => Properties['HttpMethod'])).toEqual(['POST', 'GET', 'HEAD', 'GET', 'HEAD']);
  expect(found.every(({ Properties }) => Properties['AuthorizationType'] === 'AWS_IAM')).toBe(true);
});

test('reading customers has a throttle of its own', () => {
  const throttled = synthesize({ customersThrottle: { ratePerSecond: 7, burst: 9 } });
  const settings = throttled.ofType('AWS::ApiGateway::Stage').find(({ id }) => id.startsWith('Metering/'))?.Properties[
    'MethodSettings'
  ] as readonly Record<string, unknown>[];

  expect(
    settings.map((each) => `${each['HttpMethod']} ${each['ResourcePath']} ${each['ThrottlingRateLimit']}`),
  ).toEqual([
    '* /* 200',
    'POST /~1usage 200',
    'GET /~1customers~1{customerId} 7',
    'HEAD /~1customers~1{customerId} 7',
    'GET /~1customers~1{customerId}~1entitlements 7',
    'HEAD /~1customers~1{customerId}~1entitlements 7',
  ]);
});

test('the pages are open to buyers, to GET, HEAD and, where there is a form, POST', () => {
  const open = methods('Registration');

  expect(open.every(({ Properties }) => Properties['AuthorizationType'] === 'NONE')).toBe(true);
  expect(open.map(({ Properties }) => Properties['HttpMethod']).sort()).toEqual([
    ...['GET', 'GET', 'GET', 'GET'],
    ...['HEAD', 'HEAD', 'HEAD', 'HEAD'],
    ...['POST', 'POST'],
  ]);
});

test('both APIs are regional', () => {
  for (const { Properties } of stacks.ofType('AWS::ApiGateway::RestApi')) {
    expect(Properties['EndpointConfiguration']).toEqual({ Types: ['REGIONAL'] });
  }
});

test('every public method is throttled by name, and traces no data', () => {
  const settings = stage('Registration')?.['MethodSettings'] as readonly Record<string, unknown>[];

  expect(settings.map((each) => `${each['HttpMethod']} ${each['ResourcePath']}`)).toEqual([
    '* /*',
    ...['GET', 'HEAD', 'POST'].map((method) => `${method} /~1register`),
    ...['GET', 'HEAD', 'POST'].map((method) => `${method} /~1registration`),
    ...['GET', 'HEAD'].map((method) => `${method} /~1registration~1done`),
    ...['GET', 'HEAD'].map((method) => `${method} /~1registration~1style.css`),
  ]);
  for (const each of settings) {
    expect(each).toMatchObject({ ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40, DataTraceEnabled: false });
  }
});

test('the access log tells nothing of a caller that a person or a token could be known by', () => {
  for (const { Properties } of stacks.ofType('AWS::ApiGateway::Stage')) {
    const { Format } = Properties['AccessLogSetting'] as { Format: string };
    expect(Format).toContain('$context.resourcePath');
    expect(Format).not.toMatch(/sourceIp|userAgent|\$context\.path|queryString|userArn|\$context\.identity\.user\b/);
    expect(Properties['TracingEnabled']).toBe(false);
  }
});

describe('what API Gateway answers itself', () => {
  const answers = (stack: string) =>
    stacks
      .ofType('AWS::ApiGateway::GatewayResponse')
      .filter(({ id }) => id.startsWith(`${stack}/`))
      .map(({ Properties }) => Properties);

  test.each(['THROTTLED', 'DEFAULT_4XX', 'DEFAULT_5XX', 'MISSING_AUTHENTICATION_TOKEN', 'REQUEST_TOO_LARGE'])(
    'a buyer is shown a page of ours for %s',
    (type) => {
      const answer = answers('Registration').find(({ ResponseType }) => ResponseType === type);

      expect(JSON.stringify(answer?.['ResponseTemplates'])).toContain('Example Software');
      expect(answer?.['ResponseParameters']).toMatchObject({
        'gatewayresponse.header.Content-Type': "'text/html; charset=utf-8'",
      });
    },
  );

  test.each(['THROTTLED', 'DEFAULT_4XX', 'DEFAULT_5XX'])('a program is told of %s in JSON', (type) => {
    const answer = answers('Metering').find(({ ResponseType }) => ResponseType === type);
    const templates = answer?.['ResponseTemplates'] as Record<string, string> | undefined;
    const template = templates?.['application/json'] ?? '';

    const filled = template.replace('$context.error.messageString', '"Too many"').replaceAll('$context', 'c');
    expect(JSON.parse(filled)).toMatchObject({ error: { message: 'Too many', retryable: type !== 'DEFAULT_4XX' } });
  });
});

describe('callers of other accounts', () => {
  const ROLE = 'arn:aws:iam::444455556666:role/product';

  test('get nothing unless they are named', () => {
    const usage = stacks.ofType('AWS::ApiGateway::RestApi').find(({ id }) => id.startsWith('Metering/'));

    expect(usage?.Properties['Policy']).toBeUndefined();
    expect(stacks.named('DirectWriterRole')).toEqual([]);
  });

  test('are let in by the policy of the API, or may take a role that writes rows and late markers only', () => {
    const named = synthesize({ usageWriters: ['111122223333', ROLE], directUsageWriters: [ROLE] });

    const usage = named.ofType('AWS::ApiGateway::RestApi').find(({ id }) => id.startsWith('Metering/'));
    expect(JSON.stringify(usage?.Properties['Policy'])).toMatch(
      /111122223333.*execute-api:\/prod\/POST\/usage|role\/product/,
    );
    expect(usage?.Properties['Policy']).toMatchObject({
      Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow' }],
    });
    const role = named.named('DirectWriterRole')[0];
    expect(JSON.stringify(role?.Properties['AssumeRolePolicyDocument'])).toContain(ROLE);
    const policy = named.ofType('AWS::IAM::ManagedPolicy').find(({ id }) => id.includes('DirectWriter'));
    expect(policy?.Properties['PolicyDocument']).toMatchObject({
      Statement: [
        { Action: ['dynamodb:GetItem', 'dynamodb:PutItem'] },
        {
          Action: 'dynamodb:UpdateItem',
          Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['late'] } },
        },
      ],
    });
  });

  test('who are named as readers may ask for any customer, and for nothing else', () => {
    const api = synthesize({ customerReaders: [ROLE] })
      .ofType('AWS::ApiGateway::RestApi')
      .find(({ id }) => id.startsWith('Metering/'));

    expect(api?.Properties['Policy']).toMatchObject({
      Statement: [
        {
          Action: 'execute-api:Invoke',
          Effect: 'Allow',
          Principal: { AWS: ROLE },
          Resource: ['execute-api:/prod/GET/customers/*', 'execute-api:/prod/HEAD/customers/*'],
        },
      ],
    });
  });

  test('need a new deployment of the API, which a change of its policy alone would not make', () => {
    const deploymentOf = (each: ReturnType<typeof synthesize>) =>
      each.ofType('AWS::ApiGateway::Deployment').find(({ id }) => id.startsWith('Metering/'))?.id;

    expect(deploymentOf(synthesize({ usageWriters: [ROLE] }))).not.toBe(deploymentOf(stacks));
  });
});

describe('the firewall before the pages', () => {
  const webAclArn = 'arn:aws:wafv2:us-east-1:111122223333:regional/webacl/pages/id';

  test('is there by default, lets an address make 300 requests in five minutes, and keeps no samples of any', () => {
    const [acl] = stacks.ofType('AWS::WAFv2::WebACL');

    expect(acl?.Properties).toMatchObject({
      DefaultAction: { Allow: {} },
      Rules: [{ Action: { Block: {} }, Statement: { RateBasedStatement: { AggregateKeyType: 'IP', Limit: 300 } } }],
    });
    expect(JSON.stringify(acl?.Properties)).not.toContain('"SampledRequestsEnabled":true');
    const [association] = stacks.ofType('AWS::WAFv2::WebACLAssociation');
    expect(JSON.stringify(association?.Properties['ResourceArn'])).toContain('DeploymentStage');
    expect(JSON.stringify(association?.Properties['WebACLArn'])).toContain(acl?.id.split('/')[1]);
  });

  test('shows those whom it refuses the page that says so', () => {
    const filtered = stacks
      .ofType('AWS::ApiGateway::GatewayResponse')
      .find(({ Properties }) => Properties['ResponseType'] === 'WAF_FILTERED');

    expect(filtered?.Properties['StatusCode']).toBe('429');
    expect(JSON.stringify(filtered?.Properties['ResponseTemplates'])).toContain('Too many requests');
  });

  test('takes another limit, gives way to a web ACL that is named, and can be left out', () => {
    const limited = synthesize({ firewall: { requestsPerFiveMinutes: 2_000 } }).ofType('AWS::WAFv2::WebACL');
    const own = synthesize({ webAclArn });
    const none = synthesize({ firewall: { enabled: false } });

    expect(JSON.stringify(limited[0]?.Properties['Rules'])).toContain('"Limit":2000');
    expect(own.ofType('AWS::WAFv2::WebACL')).toEqual([]);
    expect(own.ofType('AWS::WAFv2::WebACLAssociation')[0]?.Properties['WebACLArn']).toBe(webAclArn);
    expect(none.all.filter(({ Type }) => Type.startsWith('AWS::WAFv2'))).toEqual([]);
  });
});

describe('a name of the seller’s own', () => {
  const certificateArn = 'arn:aws:acm:us-east-1:111122223333:certificate/abc';
  const hostedZone = { id: 'Z0123456789', name: 'example.com' };

  test('leads to the pages at its root, by TLS 1.2, with a certificate that is made and proven in its zone', () => {
    const named = synthesize({ pagesDomain: { name: 'aws.example.com', hostedZone } });

    const [domain] = named.ofType('AWS::ApiGateway::DomainName');
    expect(domain?.Properties).toMatchObject({ DomainName: 'aws.example.com', SecurityPolicy: 'TLS_1_2' });
    expect(named.ofType('AWS::CertificateManager::Certificate')[0]?.Properties).toMatchObject({
      DomainName: 'aws.example.com',
      ValidationMethod: 'DNS',
    });
    const [mapping] = named.ofType('AWS::ApiGateway::BasePathMapping');
    expect(mapping?.Properties['BasePath']).toBeUndefined();
    expect(JSON.stringify(mapping?.Properties['RestApiId'])).toContain('Pages');
    expect(
      named.ofType('AWS::Route53::RecordSet').map(({ Properties }) => `${Properties['Type']} ${Properties['Name']}`),
    ).toEqual(['A aws.example.com.', 'AAAA aws.example.com.']);
  });

  test('takes a certificate that is there, and leaves the zone to whoever has it', () => {
    const named = synthesize({ pagesDomain: { name: 'aws.example.com', certificateArn } });

    expect(named.ofType('AWS::ApiGateway::DomainName')[0]?.Properties['RegionalCertificateArn']).toBe(certificateArn);
    expect(named.all.filter(({ Type }) => /Route53|CertificateManager/.test(Type))).toEqual([]);
  });
});
