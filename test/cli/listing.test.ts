// fulfillment listing: the catalog over the wire, and the address of a real backend behind https.
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type BackendWorld, PRODUCT, startBackendWorld, useServices } from '../backend-world.ts';
import { schemaProblems } from '../json-schema.ts';
import { aCatalog, type CatalogState, LISTED, startCatalog } from '../operator/listing/catalog-server.ts';
import { selfSigned } from '../self-signed.ts';
import { environmentOf } from './deployment.ts';
import { aFile, fulfillment } from './fulfillment.ts';

const services = useServices();

const SCHEMA = JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/cli/output.schema.json'), 'utf8'));

const OLD = 'https://old.example.com/register';

/** The pages behind a certificate that the command is told to trust. */
async function behindHttps(world: BackendWorld): Promise<{ readonly url: string; readonly certificate: string }> {
  const { key, cert } = selfSigned();
  const { host } = new URL(world.gateway.url);
  const server = createServer({ key, cert }, (asked, answered) => {
    const { method, url: path, headers } = asked;
    const passed = request(`${world.gateway.url}${path}`, { method, headers: { ...headers, host } }, (answer) => {
      answered.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(answered);
    });
    asked.pipe(passed);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `https://localhost:${(server.address() as AddressInfo).port}/register`;
  return { url, certificate: aFile('ca.pem', cert) };
}

async function listedWorld(change: (state: CatalogState) => void = () => {}, listedUrl: string | undefined = OLD) {
  const world = await startBackendWorld(services());
  const { url, certificate } = await behindHttps(world);
  const state = aCatalog(PRODUCT, listedUrl);
  change(state);
  const endpoints = { ...world.facts.endpoints, MARKETPLACE_CATALOG: await startCatalog(state) };
  const facts = { ...world.facts, endpoints, urls: { ...world.facts.urls, fulfillment: url } };
  const environment = { ...environmentOf({ facts }), NODE_EXTRA_CA_CERTS: certificate };
  const run = (...args: readonly string[]) => fulfillment(['listing', ...args], { environment });
  return { world, state, url, run };
}

const APPLY = ['set-url', '--apply', '--why', 'the stage is new'];

function urlIn({ entities }: CatalogState): unknown {
  return JSON.stringify(entities[LISTED]?.details['Versions']).match(/https:[^"]*/)?.[0];
}

describe('fulfillment listing show', () => {
  test('tells every product of the account, and what differs from the settings with what to do, in code 1', async () => {
    const { run, url } = await listedWorld(({ entities }) => {
      const offer = entities['offer-1'];
      if (offer)
        offer.details = { Terms: [{ Type: 'ConfigurableUpfrontPricingTerm' }, { Type: 'UsageBasedPricingTerm' }] };
    });

    const { stdout, exitCode } = await run('show');

    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^product id +prod-abcdefghijklm$/m);
    expect(stdout).toMatch(/^pricing model +contractWithConsumption$/m);
    expect(stdout).toMatch(/^product code +other$/m);
    expect(stdout).toContain(
      '✗ product metrics-cloud: The public offer is a contractWithConsumption; the settings say',
    );
    expect(stdout).toContain(`✗ product metrics-cloud: The listing sends its buyers to ${OLD}.`);
    expect(stdout).toContain('    do: npx fulfillment listing set-url --product metrics-cloud');
    expect(stdout).not.toContain(url);
  });

  test('asks as a role of the publishing account where one is named', async () => {
    const { run, state } = await listedWorld();

    await run('show', '--role', 'arn:aws:iam::444455556666:role/listing', '--external-id', 'shared-secret');

    expect(state.roles).toEqual([{ RoleArn: 'arn:aws:iam::444455556666:role/listing', ExternalId: 'shared-secret' }]);
    expect(new Set(state.callers)).toEqual(new Set(['AKIALOCAL', 'ASIAPUBLISHER']));
    expect(state.callers.slice(1)).not.toContain('AKIALOCAL');
  });

  test('finds a product of the settings that the account does not list, as JSON for programs', async () => {
    const { run } = await listedWorld(({ entities }) => void delete entities[LISTED]);

    const { stdout, exitCode } = await run('show', '--json');

    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      listings: [{ productCode: 'other' }],
      findings: [{ code: 'ProductElsewhere', subject: 'product metrics-cloud' }],
    });
  });
});

describe('fulfillment listing set-url', () => {
  test('only shows before and after unless it is told to apply', async () => {
    const { run, state, url } = await listedWorld();

    const { stderr, exitCode } = await run('set-url');

    expect(exitCode).toBe(0);
    expect(stderr).toContain(`before   ${OLD}\nafter    ${url}\n`);
    expect(state.changes).toEqual([]);
  });

  test('has AWS change the one delivery option, waits for its end, and leaves who and why in the audit', async () => {
    const { world, run, state, url } = await listedWorld();

    const { stdout, stderr, exitCode } = await run(...APPLY);
    const again = await run('set-url');

    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'AWS has changed it (change-1).\n' });
    expect(urlIn(state)).toBe(url);
    expect(state.changes[0]?.request).toEqual({
      ChangeType: 'UpdateDeliveryOptions',
      Entity: { Type: 'SaaSProduct@1.0', Identifier: LISTED },
      DetailsDocument: {
        DeliveryOptions: [
          { Id: 'do-1234567891234567891234', Details: { SaaSUrlDeliveryOptionDetails: { FulfillmentUrl: url } } },
        ],
      },
    });
    const [, actionId = ''] = /act +(\S+)/.exec(stderr) ?? [];
    expect(await world.ledger.action(actionId)).toMatchObject({
      action: 'setListingUrl',
      why: 'the stage is new',
      facts: { product: PRODUCT, before: OLD, after: url },
    });
    expect(again.stderr).toBe(`The listing of ${PRODUCT} points at ${url} already.\n`);
  });

  test('adds an address to a listing that has none', async () => {
    const { run, state, url } = await listedWorld(({ entities }) => {
      const product = entities[LISTED];
      if (product) product.details['Versions'] = [];
    });

    const { exitCode } = await run(...APPLY);

    expect(exitCode).toBe(0);
    expect(state.changes[0]?.request).toMatchObject({ ChangeType: 'AddDeliveryOptions' });
    expect(urlIn(state)).toBe(url);
  });

  test('follows the same change under the same act id, and asks AWS for no other', async () => {
    const { run, state } = await listedWorld((each) => void Object.assign(each, { looksUntilEnd: 2 }));

    const unfinished = await run(...APPLY, '--wait', '0');
    const [, actionId = ''] = /--act-id (\S+)/.exec(unfinished.stdout) ?? [];
    const followed = await run(...APPLY, '--act-id', actionId);

    expect([unfinished.exitCode, followed.exitCode]).toEqual([3, 0]);
    expect(state.changes).toHaveLength(1);
  });

  test('tells in AWS’s words and ours why AWS did not, in code 1', async () => {
    const { run, state } = await listedWorld((each) => void Object.assign(each, { addressStatus: 403 }));

    const { stdout, exitCode } = await run(...APPLY);

    expect(exitCode).toBe(1);
    expect(stdout).toContain('AWS did not change it: failed (change-1).');
    expect(stdout).toMatch(
      /INVALID_FULFILLMENT_URL: The URL you provided returned HTTP status code 403\..*\n {4}AWS asks it by GET/,
    );
    expect(urlIn(state)).toBe(OLD);
  });

  test('is refused while AWS is at another change', async () => {
    const { run, state } = await listedWorld((each) => void Object.assign(each, { looksUntilEnd: 9 }));
    await run(...APPLY, '--wait', '0');

    const { stderr, exitCode } = await run(...APPLY);

    expect(exitCode).toBe(1);
    expect(stderr).toContain(`Refused: AWS is at another change of 'metrics-cloud' (change-1)`);
    expect(state.changes).toHaveLength(1);
  });

  test.each([
    ['http', 'http://example.com/register', 'is no https address'],
    ['nobody there', 'https://localhost:1/register', 'does not answer'],
  ])('is refused for an address that AWS or a browser could not use: %s', async (_, address, said) => {
    const { run, state } = await listedWorld();

    const { stderr, exitCode } = await run(...APPLY, '--url', address);

    expect(exitCode).toBe(1);
    expect(stderr).toContain(said);
    expect(state.changes).toEqual([]);
  });

  test('prints one line of JSON for programs, as its schema says, whatever it comes to', async () => {
    const { run } = await listedWorld();
    const problemsOf = (name: string, text: string) =>
      schemaProblems(SCHEMA, JSON.parse(text), { $ref: `#/$defs/${name}` });

    const answers: [string, string][] = [
      ['listings', (await run('show', '--json')).stdout],
      ['listingChange', (await run('set-url', '--json')).stdout],
      ['listingChange', (await run(...APPLY, '--url', 'http://example.com', '--json')).stdout],
      ['listingChange', (await run(...APPLY, '--json')).stdout],
    ];

    expect(answers.map(([, text]) => text.trimEnd().split('\n').length)).toEqual([1, 1, 1, 1]);
    expect(answers.flatMap(([name, text]) => problemsOf(name, text))).toEqual([]);
    expect(JSON.parse(answers[3]?.[1] ?? '')).toMatchObject({ kind: 'started', status: 'SUCCEEDED' });
  });

  test('leaves a listing with Quick Launch to the portal: a change would drop what is not repeated', async () => {
    const { run, state } = await listedWorld(({ entities }) => {
      const option = { Id: 'do-1', FulfillmentUrl: OLD, QuickLaunchEnabled: true, LaunchUrl: OLD };
      const product = entities[LISTED];
      if (product) product.details['Versions'] = [{ DeliveryOptions: [option] }];
    });

    const { stderr, exitCode } = await run(...APPLY);

    expect(exitCode).toBe(1);
    expect(stderr).toContain('Change the address in the portal');
    expect(state.changes).toEqual([]);
  });

  test('takes no laptop for a seller: its marketplace has no listings', async () => {
    const { facts } = await startBackendWorld(services());

    const { stderr, exitCode } = await fulfillment(['listing', 'show'], { environment: environmentOf({ facts }) });

    expect(exitCode).toBe(2);
    expect(stderr).toContain('has no listings');
  });

  test.each(['show', 'set-url'])('says so where nothing runs, too: %s needs a stage', async (command) => {
    const environment = { FULFILLMENT_DEPLOYMENT: '/nonexistent/deployment.json' };

    const { stderr, exitCode } = await fulfillment(['listing', command], { environment });

    expect(exitCode).toBe(2);
    expect(stderr).toBe(
      'The simulated AWS Marketplace has no listings. Name a deployment on AWS: --stage prod --region us-east-1.\n',
    );
  });
});
