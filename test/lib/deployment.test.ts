import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { parseDeployment, productPagesFile, productsSetting, webhooksSetting } from '../../lib/deployment.ts';
import { addFulfillment } from '../../lib/fulfillment.ts';
import { mailSetting } from '../../lib/mail-deployment.ts';
import { CONTEXT, EVERYTHING, exampleSettings, WITHOUT_BUNDLES, withApp } from './synthesized.ts';

const PRODUCT = { productCode: 'code1', title: 'One' };

function messageOf(settings: unknown): string {
  try {
    parseDeployment(settings);
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  throw new Error('The settings were taken.');
}

describe('parseDeployment', () => {
  test('takes the example of cdk.json', () => {
    expect(parseDeployment(CONTEXT['fulfillment']).stage).toBe('prod');
  });

  test('needs products and the registration page only, and fills in the rest', () => {
    const { registration } = exampleSettings();

    const deployment = parseDeployment({ products: [PRODUCT], registration });

    expect(deployment).toMatchObject({
      stage: 'prod',
      homeRegion: 'us-east-1',
      logRetentionDays: 90,
      usageWriters: [],
      pagesThrottle: { ratePerSecond: 20, burst: 40 },
    });
  });

  test('takes the settings as text, as --context hands them over', () => {
    expect(parseDeployment(JSON.stringify(exampleSettings({ stage: 'test' }))).stage).toBe('test');
    expect(() => parseDeployment('{')).toThrow('not JSON');
  });

  test('names every unknown key at once, wherever it stands', () => {
    const message = messageOf({
      ...exampleSettings(),
      homeRegoin: 'us-east-1',
      colour: 'blue',
      products: [{ ...PRODUCT, titel: 'One', price: 1 }],
      meteringPolicy: { settleDelay: 5 },
      pagesThrottle: { rate: 5 },
    });

    for (const key of [
      'homeRegoin',
      'colour',
      'products.0.titel',
      'products.0.price',
      'meteringPolicy.settleDelay',
      'pagesThrottle.rate',
    ]) {
      expect(message).toContain(`  - ${key} is unknown: remove it or correct its spelling`);
    }
    expect(message).toContain('(known here: ratePerSecond, burst)');
  });

  test('names every missing key together with every wrong value', () => {
    const message = messageOf({
      products: [{ productCode: 'code 1' }],
      registration: { supportEmail: 'nobody' },
      logRetentionDays: 31,
      usageWriters: ['somebody'],
    });

    expect(message.split('\n').filter((line) => line.startsWith('  - '))).toEqual([
      '  - products.0.productCode: has to be a product code of AWS Marketplace',
      '  - products.0.title is missing: add it',
      '  - registration.sellerName is missing: add it',
      expect.stringContaining('registration.supportEmail: Invalid email'),
      '  - registration.nextSteps is missing: add it',
      expect.stringContaining('logRetentionDays: has to be one of 1, 3'),
      '  - usageWriters.0: has to be an account of 12 digits or the ARN of an IAM role or user',
    ]);
  });

  test('refuses webhooks that can’t be reached or signed, and topics of no legacy product', () => {
    const secretArn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:crm-AbCdEf';
    const insideMessage = messageOf(
      exampleSettings({ webhooks: [{ name: 'crm', url: 'https://10.0.0.1/', secretArn, types: ['accessGained'] }] }),
    );
    const elsewhereMessage = messageOf(
      exampleSettings({
        webhooks: [{ name: 'crm', url: 'https://hooks.example.com/', secretArn }],
        legacyTopics: ['arn:aws:sns:us-east-1:287250355862:aws-mp-subscription-notification-othercode'],
      }),
    );

    const partMessage = messageOf(
      exampleSettings({
        webhooks: [
          {
            name: 'crm',
            url: 'https://hooks.example.com/',
            secretArn: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:crm',
          },
        ],
      }),
    );

    expect(partMessage).toContain('webhooks: the ARN of the secret of crm lacks its end');
    expect(insideMessage).toContain('webhooks.0.url: must not be a private, loopback or link-local address');
    expect(insideMessage).toContain('webhooks.0.types.0: has to be a type of event in docs/access-events.md');
    expect(elsewhereMessage).toContain('webhooks: the secret of crm has to be in us-east-1, where the function runs');
    expect(elsewhereMessage).toMatch(/legacyTopics: arn:.*othercode is of no product whose identityStyle is "legacy"/);
  });

  test('refuses a name of the pages that could not be proven or reached, and two answers to one question', () => {
    const message = (overrides: object) => messageOf(exampleSettings(overrides));
    const zone = { id: 'Z0123456789', name: 'example.com' };
    const certificateArn = 'arn:aws:acm:eu-west-1:111122223333:certificate/abc';

    expect(message({ pagesDomain: { name: 'aws.example.com' } })).toContain('name a certificateArn, or the hostedZone');
    expect(message({ pagesDomain: { name: 'aws.example.com', certificateArn } })).toContain('has to be in us-east-1');
    expect(message({ pagesDomain: { name: 'aws.example.org', hostedZone: zone } })).toContain(
      'does not lie in the zone',
    );
    expect(message({ pagesDomain: { name: 'https://aws.example.com', hostedZone: zone } })).toContain(
      'has to be a host name',
    );
    expect(
      message({ firewall: { enabled: false }, webAclArn: 'arn:aws:wafv2:us-east-1:111122223333:regional/webacl/a/b' }),
    ).toContain('take one of them out');
  });

  test('refuses what AWS can’t reach from where it is used: topics of another region, a web ACL of CloudFront', () => {
    const message = (overrides: object) => messageOf(exampleSettings(overrides));
    const topic = (region: string) => `arn:aws:sns:${region}:111122223333:alarms`;
    const webAcl = (place: string) => `arn:aws:wafv2:${place}/webacl/pages/id`;
    const topics = { highTopicArn: topic('eu-west-1'), lowTopicArn: topic('eu-west-2') };
    const elsewhere = message({ alarmTopicArn: topic('us-east-2'), alarms: topics });

    for (const setting of ['alarmTopicArn', 'alarms.highTopicArn', 'alarms.lowTopicArn']) {
      expect(elsewhere).toContain(`${setting}: the topic has to be in us-east-1, where the alarms are`);
    }
    expect(message({ homeRegion: 'eu-west-1', noticeAlarmTopicArn: topic('eu-west-1') })).toContain(
      'noticeAlarmTopicArn: the topic has to be in us-east-1, where the alarms are',
    );
    expect(message({ noticeAlarmTopicArn: topic('us-east-1') })).toContain('noticeAlarmTopicArn: leave it out');
    for (const place of ['us-east-1:111122223333:global', 'eu-west-1:111122223333:regional']) {
      expect(message({ webAclArn: webAcl(place) })).toContain('webAclArn: has to be a regional web ACL of us-east-1');
    }
  });

  test('refuses a home that AWS’s notices can’t reach from us-east-1', () => {
    for (const homeRegion of ['cn-northwest-1', 'us-gov-west-1', 'eusc-de-east-1']) {
      expect(messageOf(exampleSettings({ homeRegion }))).toContain('homeRegion: has to be of the partition aws');
    }
  });

  test('refuses a region that there is not, be it by a slip of the pen', () => {
    const products = [{ productCode: 'code', title: 'Metrics Cloud', meteringRegion: 'us-est-1' }];
    const message = messageOf(exampleSettings({ homeRegion: 'eu-wset-1', marketplaceRegion: 'us-east-9', products }));

    for (const place of ['homeRegion', 'marketplaceRegion', 'products.0.meteringRegion']) {
      expect(message).toContain(`${place}: has to be a region, such as us-east-1`);
    }
  });

  test('tells whoever runs the CDK what is wrong in words alone', () => {
    const env = { ...process.env, CDK_CONTEXT_JSON: JSON.stringify({ fulfillment: { homeRegion: 'us-est-1' } }) };
    const { status, stderr } = spawnSync(process.execPath, ['lib/app.ts'], { env, encoding: 'utf8' });

    expect(status).toBe(1);
    expect(stderr).toContain('  - products is missing: add it');
    expect(stderr).not.toContain('    at ');
  });

  test('says what is missing where there are no settings at all', () => {
    const message = messageOf(undefined);

    expect(message).toContain('products is missing');
    expect(message).toContain('registration is missing');
  });
});

test('a product keeps its region in the setting of the functions, and nothing else that is a default', () => {
  const { products } = parseDeployment(exampleSettings({ products: [{ ...PRODUCT, dimensions: ['calls'] }] }));

  expect(JSON.parse(productsSetting(products))).toEqual([
    { ...PRODUCT, meteringRegion: 'us-east-1', dimensions: ['calls'] },
  ]);
});

test('the function of webhooks is given what it posts by, not which events its rules let through', () => {
  const { webhooks } = parseDeployment(exampleSettings(EVERYTHING));

  expect(JSON.parse(webhooksSetting(webhooks))).toEqual(
    EVERYTHING.webhooks.map(({ name, url, secretArn }) => ({ name, url, secretArn })),
  );
});

test('refuses webhooks that Lambda has no room for', () => {
  const webhooks = Array.from({ length: 9 }, (_, index) => ({
    name: `endpoint-${index}`,
    url: `https://hooks.example.com/${'x'.repeat(400)}`,
    secretArn: `arn:aws:secretsmanager:us-east-1:111122223333:secret:crm-AbCdE${index}`,
  }));
  const deployment = parseDeployment(exampleSettings({ webhooks }));

  expect(() => withApp({}, (app) => addFulfillment(app, deployment))).toThrow(
    /deliver-webhooks take \d+ bytes and Lambda has room for 4096 \(WEBHOOKS: \d+.*name fewer webhook endpoints/,
  );
});

test('refuses settings that Lambda has no room for, and says which', () => {
  const dimensions = Array.from({ length: 100 }, (_, index) => `a-dimension-with-a-very-long-name-number-${index}`);
  const deployment = parseDeployment(exampleSettings({ products: [{ ...PRODUCT, dimensions }] }));

  expect(() => withApp({}, (app) => addFulfillment(app, deployment))).toThrow(
    /resolve-buyer take \d+ bytes and Lambda has room for 4096 \(PRODUCTS: \d+, REGISTRATION: \d+/,
  );
});

describe('mail', () => {
  const { mail } = EVERYTHING;

  test('has an identity at home that the sender is of, and somebody for each mail to go to', () => {
    const { sellerAddress: _, ...others } = mail;
    const message = messageOf(
      exampleSettings({ mail: { ...others, from: 'a@other.example', send: ['sellerRevoked', 'buyerGranted'] } }),
    );

    expect(message).toContain('mail: the identity has to be in us-east-1');
    expect(message).toContain('mail: from is no address of the identity seller.example');
    expect(message).toContain('mail: send names sellerRevoked, and there is no sellerAddress to send it to');
  });

  test('takes an identity that is the sender’s address itself, or a domain above it', () => {
    const identity = (name: string) => `arn:aws:ses:us-east-1:111122223333:identity/${name}`;
    for (const name of ['marketplace@mail.seller.example', 'mail.seller.example', 'seller.example']) {
      const own = { identityArn: identity(name), from: 'marketplace@mail.seller.example' };
      expect(parseDeployment(exampleSettings({ mail: own })).mail).toEqual(own);
    }
  });

  test('refuses what no header and no template can be', () => {
    const message = messageOf(
      exampleSettings({
        ...EVERYTHING,
        mail: {
          ...mail,
          fromName: 'A\nBcc: b@example.com',
          send: ['buyerGreeted'],
          templates: { buyerRegistered: { subject: 'Hello', textFile: 'a.txt' }, greeting: {} },
        },
      }),
    );

    for (const part of ['mail.fromName: has to be one line', 'mail.send.0: has to be a mail of', 'htmlFile is missing'])
      expect(message).toContain(part);
    expect(message).toContain('is no template of docs/mail.md');
  });

  test('gives the function neither its templates nor its identity as a setting', () => {
    const own = { ...mail, templates: { buyerGranted: { subject: 'Open', textFile: 'a', htmlFile: 'b' } } };

    expect(JSON.parse(mailSetting(own))).toEqual({
      from: 'marketplace@seller.example',
      sellerAddress: 'sales@seller.example',
      configurationSet: 'buyers',
    });
  });
});

describe('what a product has of its own for its buyers', () => {
  const signUp = { url: 'https://app.example.com/aws' };
  const logoUrl = `data:image/png;base64,${'A'.repeat(4_000)}`;
  const OWN = { ...PRODUCT, registration: { sellerName: 'Maps', accent: '#0f766e', logoUrl }, signUp };

  test('stands in a file beside the functions, and in no setting', () => {
    const { products } = parseDeployment(exampleSettings({ products: [OWN] }));

    expect(JSON.parse(productPagesFile(products))).toEqual({
      [PRODUCT.productCode]: { registration: OWN.registration, signUp },
    });
    expect(productsSetting(products)).not.toMatch(/registration|signUp/);
  });

  test('leaves room in the settings for ten products, each with a logo, a text and fields of its own', () => {
    const field = { name: 'team', label: 'Which team is it for?', required: true };
    const registration = { ...OWN.registration, nextSteps: 'x'.repeat(1_000), fields: [field] };
    const products = Array.from({ length: 10 }, (_, index) => ({
      productCode: `productcode${index}`,
      title: `Product number ${index}`,
      dimensions: ['requests', 'gigabytes'],
      registration,
      signUp,
    }));
    const deployment = parseDeployment(
      exampleSettings({ homeRegion: 'eu-central-1', products, mail: EVERYTHING.mail }),
    );

    expect(() => withApp({ context: WITHOUT_BUNDLES }, (app) => addFulfillment(app, deployment))).not.toThrow();
  });

  test('is refused where a buyer could not read it, or would be led elsewhere', () => {
    const message = (own: object) => messageOf(exampleSettings({ products: [{ ...PRODUCT, ...own }] }));

    expect(message({ registration: { accent: '#facc15' } })).toContain(
      'products.0.registration.accent: has to be darker: text in it has a contrast of 1.4',
    );
    expect(message({ registration: { accent: 'red' } })).toContain('has to be a colour such as #0f766e');
    expect(message({ registration: { sellerNam: 'x' } })).toContain('products.0.registration.sellerNam is unknown');
    expect(message({ signUp: { url: 'http://app.example.com/aws' } })).toContain('products.0.signUp.url');
    expect(message({ signUp: { url: 'https://me:secret@app.example.com/' } })).toContain('without a name, a password');
  });
});
