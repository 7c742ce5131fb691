// Each handler does its work through a proxy that notes every call to the database; its role has to allow them all.
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createSignUps } from '../../client/hand-off.ts';
import { createCloseHoursHandler } from '../../lambdas/close-hours.handler.ts';
import { createCompleteSignUpHandler } from '../../lambdas/complete-sign-up.handler.ts';
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import { createRecordUsageHandler } from '../../lambdas/record-usage.handler.ts';
import { createRegisterCustomerHandler } from '../../lambdas/register-customer.handler.ts';
import { createResolveBuyerHandler } from '../../lambdas/resolve-buyer.handler.ts';
import type { Surroundings } from '../../lambdas/runtime/handler.ts';
import { createSendMeteringHandler } from '../../lambdas/send-metering.handler.ts';
import { createWatchDeadlinesHandler } from '../../lambdas/watch-deadlines.handler.ts';
import { backendEnvironment, lambdaContext } from '../../local/backend.ts';
import { startGateway } from '../../local/gateway.ts';
import { startBackendWorld, useServices } from '../backend-world.ts';
import { startRecorder } from './recorder.ts';
import { permittedTo, synthesize } from './synthesized.ts';

const ROLES = {
  'resolve-buyer': 'ResolveBuyer',
  'register-customer': 'RegisterCustomer',
  'complete-sign-up': 'CompleteSignUp',
  'record-usage': 'RecordUsage',
  'close-hours': 'CloseHours',
  'send-metering': 'SendMetering',
  'watch-deadlines': 'WatchDeadlines',
} as const;

type Name = keyof typeof ROLES;

const SIGN_UP_URL = 'https://app.example.com/aws';
const SIGN_UP_PAGES = JSON.stringify({ 'metrics-storage': { signUp: { url: SIGN_UP_URL } } });

let permitted: Record<Name, readonly string[]>;

beforeAll(() => {
  // With a sign-up page of the seller's own, of which the one function is.
  const stacks = synthesize({ products: [{ productCode: 'code1', title: 'One', signUp: { url: SIGN_UP_URL } }] });
  const entries = Object.entries(ROLES).map(([name, role]) => [name, permittedTo(stacks, role)]);
  permitted = Object.fromEntries(entries);
});

describe('from a buyer to a bill', () => {
  const services = useServices();

  test('no function does anything that its role does not allow', async () => {
    const world = await startBackendWorld(services());
    const recorder = await startRecorder(services().database.endpoint, world.tables);
    const { clock, control } = world;
    const silent = () => {};
    const around = (name: Name): Surroundings => ({
      environment: backendEnvironment({
        databaseEndpoint: `${recorder.url}/${name}`,
        tables: world.tables,
        marketplaceUrl: world.simulator.url,
        secretsUrl: services().secrets.url,
        clock: clock.now,
        log: { info: silent, warn: silent, error: silent },
        products: [
          { productCode: 'metrics-cloud', title: 'Metrics Cloud', meteringRegion: 'us-east-1' },
          { productCode: 'metrics-storage', title: 'Metrics Storage', meteringRegion: 'us-east-1' },
        ],
        policy: { lingerMs: 0 },
      }),
      clock: clock.now,
      log: { info: silent, warn: silent, error: silent },
    });
    const closeHours = createCloseHoursHandler(around('close-hours'));
    const sendMetering = createSendMeteringHandler(around('send-metering'));
    const watchDeadlines = createWatchDeadlinesHandler(around('watch-deadlines'));
    const gateway = await startGateway({
      resolveBuyer: createResolveBuyerHandler(around('resolve-buyer'), SIGN_UP_PAGES),
      registerCustomer: createRegisterCustomerHandler(around('register-customer'), SIGN_UP_PAGES),
      completeSignUp: createCompleteSignUpHandler(around('complete-sign-up'), SIGN_UP_PAGES),
      recordUsage: createRecordUsageHandler(around('record-usage')),
      readCustomer: () => Promise.reject(new Error('Nobody asks for a customer here.')),
    });
    onTestFinished(() => gateway.close());
    const report = (...events: object[]) =>
      fetch(`${gateway.url}/usage`, { method: 'POST', body: JSON.stringify({ events }) }).then((answer) =>
        answer.json(),
      );
    const tick = async (at: string) => {
      await clock.set(Date.parse(at));
      await closeHours({}, lambdaContext(300_000));
      await watchDeadlines({}, lambdaContext(300_000));
      await sendMetering({}, lambdaContext(300_000));
    };

    // Usage comes before its buyer, a buyer registers, reports more, some of it late, some of it refused.
    const agreement = await control.post<{ agreementId: string; licenceArn: string }>('/control/agreements', {
      productCode: 'metrics-cloud',
    });
    const event = { licenseArn: agreement.licenceArn, dimension: 'requests', quantity: 2 };
    await clock.set(Date.parse('2026-09-21T11:20:30Z'));
    await report({ ...event, id: 'early', time: '2026-09-21T11:20:00Z' });
    await tick('2026-09-21T12:11:00Z');
    const { token } = await control.post<{ token: string }>(`/control/agreements/${agreement.agreementId}/tokens`);
    const arrived = await fetch(`${gateway.url}/register`, {
      method: 'POST',
      body: new URLSearchParams({ 'x-amzn-marketplace-token': token }),
      redirect: 'manual',
    });
    const cookie = arrived.headers.get('set-cookie')?.split(';')[0] ?? '';
    const form = await fetch(`${gateway.url}/registration`, { headers: { cookie } });
    const hidden = /name="([^"]+)" value="([^"]+)"/.exec(await form.text());
    const registered = await fetch(`${gateway.url}/registration`, {
      method: 'POST',
      headers: { cookie },
      body: new URLSearchParams({
        [hidden?.[1] ?? '']: hidden?.[2] ?? '',
        email: 'ada@example.com',
        name: 'Ada',
        company: 'Example',
      }),
      redirect: 'manual',
    });
    await tick('2026-09-21T12:13:00Z');
    const late = await report(
      { ...event, id: 'late', time: '2026-09-21T11:21:00Z' },
      { ...event, id: 'refused', time: '2026-09-19T10:05:00Z' },
    );
    await tick('2026-09-21T12:15:00Z');
    await tick('2026-09-21T13:15:00Z');
    // Another buyer is handed on to the seller's own page, and signs up there, twice.
    await control.put('/control/products/metrics-storage', { title: 'Metrics Storage', dimensions: [{ key: 'gb' }] });
    const other = await control.post<{ agreementId: string }>('/control/agreements', {
      productCode: 'metrics-storage',
    });
    const { token: otherToken } = await control.post<{ token: string }>(
      `/control/agreements/${other.agreementId}/tokens`,
    );
    const handedOn = await fetch(`${gateway.url}/register`, {
      method: 'POST',
      body: new URLSearchParams({ 'x-amzn-marketplace-token': otherToken }),
      redirect: 'manual',
    });
    const handOff = new URL(handedOn.headers.get('location') ?? '').searchParams.get('handOff') ?? '';
    const signUps = createSignUps({
      url: gateway.url,
      pagesUrl: gateway.url,
      signUpUrl: SIGN_UP_URL,
      stage: 'local',
      clock: clock.now,
    });
    const redemption = await signUps.redeem(handOff);
    if (redemption.kind !== 'redeemed') throw new Error(`The hand-off is ${redemption.kind}.`);
    const answers = { email: 'bob@example.com', fields: { name: 'Bob', company: 'Example' } };
    expect(await signUps.register(redemption.buyer, answers)).toEqual({ kind: 'registered' });
    expect(await signUps.register(redemption.buyer, answers)).toEqual({ kind: 'already' });
    // The licence ends, and its last window passes.
    const endedAt = Date.parse('2026-09-21T13:20:00Z');
    await world.customers.noteEnding(licenceKeyOf({ style: 'licence', licenceArn: agreement.licenceArn }), {
      noticeAt: endedAt,
      revokedAt: endedAt,
      deprovisionedAt: endedAt,
    });
    await tick('2026-09-21T14:45:00Z');

    expect(registered.status).toBe(303);
    expect(late).toMatchObject({ counts: { recorded: 1, refused: 1 } });
    expect((await world.bill()).map(({ quantity }) => quantity)).toEqual([2, 2]);
    expect(await world.customers.endingLicences()).toEqual([]);
    for (const [name, lines] of Object.entries(permitted)) {
      const taken = [...(recorder.taken.get(name) ?? [])].sort();
      expect(taken.length, name).toBeGreaterThan(1);
      expect(lines, name).toEqual(expect.arrayContaining(taken));
    }
  });
});
