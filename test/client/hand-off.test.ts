// A buyer is handed on to the seller's own sign-up page, whose server takes them over by the client, over the wire.
import { generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { createSignUps, type SignUpsOptions } from '../../client/hand-off.ts';
import { Misconfigured } from '../../lambdas/domain/failure.ts';
import { DynamoBuyerStore } from '../../lambdas/stores/buyer-store.ts';
import { DynamoCustomerDirectory } from '../../lambdas/stores/customer-directory.ts';
import { PRODUCT, startBackendWorld, useServices } from '../backend-world.ts';

const services = useServices();
const SIGN_UP_URL = 'https://app.example.com/aws?from=marketplace';
const ANSWERS = { email: 'ada@buyers.example', fields: { name: 'Ada', company: 'Engines' } };
const MAIL = { from: 'marketplace@seller.example', sellerAddress: 'sales@seller.example' };
const MINUTE_MS = 60_000;

async function aWorld(options: Partial<SignUpsOptions> = {}) {
  const productPages = { [PRODUCT]: { signUp: { url: SIGN_UP_URL } } };
  const world = await startBackendWorld(services(), { productPages, mail: MAIL });
  const { control, gateway, clock } = world;
  const own = { url: gateway.url, pagesUrl: `${gateway.url}/register`, signUpUrl: SIGN_UP_URL, stage: 'local' };
  const signUpsWith = (other: Partial<SignUpsOptions>) =>
    createSignUps({ ...own, clock: clock.now, retryForMs: 0, ...options, ...other });
  /** A buyer presses "Set up your account". */
  const arrive = async (agreementId: string, more: Record<string, string> = {}) => {
    const { token } = await control.post<{ token: string }>(`/control/agreements/${agreementId}/tokens`);
    const body = new URLSearchParams({ 'x-amzn-marketplace-token': token, ...more });
    const answer = await fetch(`${gateway.url}/register?url=https://evil.example`, {
      method: 'POST',
      body,
      redirect: 'manual',
    });
    const location = new URL(answer.headers.get('location') ?? '');
    return { answer, token, location, handOff: location.searchParams.get('handOff') ?? '' };
  };
  const aBuyer = async () => {
    const bought = await control.post<{ agreementId: string; licenceArn: string; awsAccountId: string }>(
      '/control/agreements',
      { productCode: PRODUCT },
    );
    return { ...bought, ...(await arrive(bought.agreementId)) };
  };
  const redeemed = async () => {
    const buyer = await aBuyer();
    const redemption = await signUpsWith({}).redeem(buyer.handOff);
    if (redemption.kind !== 'redeemed') throw new Error(`The hand-off is ${redemption.kind}.`);
    return { ...buyer, arrived: redemption.buyer };
  };
  return { ...world, signUps: signUpsWith({}), signUpsWith, arrive, aBuyer, redeemed };
}

function claimsOf(handOff: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(handOff.split('.')[1] ?? '', 'base64url').toString());
}

describe('a buyer of a product with a sign-up page of its own', () => {
  test('is led there, wherever the request asks to be led, with a hand-off that names nobody and holds no token', async () => {
    const world = await aWorld();
    const { answer, location, handOff, licenceArn, token } = await world.aBuyer();

    expect(answer.status).toBe(303);
    expect(location.href.startsWith(`${SIGN_UP_URL}&handOff=`)).toBe(true);
    expect(answer.headers.get('set-cookie')).toBeNull();
    const nowSeconds = Math.floor(world.clock.now() / 1_000);
    expect(claimsOf(handOff)).toEqual({
      iss: 'fulfillment-local',
      aud: 'https://app.example.com',
      sub: expect.stringMatching(/^cus_/),
      productCode: PRODUCT,
      licenseArn: licenceArn,
      jti: expect.stringMatching(/^[\w-]{22}$/),
      iat: nowSeconds,
      exp: nowSeconds + 300,
    });
    expect(JSON.stringify([claimsOf(handOff), world.logged])).not.toContain(token);
  });

  test('is registered by what the seller’s server tells: as by our form, with event and mail, once', async () => {
    const world = await aWorld();
    const { arrived, agreementId, licenceArn, awsAccountId } = await world.redeemed();
    expect(arrived).toMatchObject({ licenseArn: licenceArn, customerAwsAccountId: awsAccountId, isRegistered: false });

    expect(await world.signUps.register(arrived, ANSWERS)).toEqual({ kind: 'registered' });
    expect(await world.signUps.register(arrived, ANSWERS)).toEqual({ kind: 'already' });
    const other = { ...ANSWERS, email: 'eve@buyers.example' };
    expect(await world.signUps.register(arrived, other)).toEqual({ kind: 'alreadyOtherwise' });
    await world.tell();

    const buyers = new DynamoBuyerStore(world.client, world.tables.buyers);
    expect(await buyers.details(arrived.customerId)).toMatchObject(ANSWERS);
    expect(world.busEvents.map(({ type }) => type)).toEqual(['customerRegistered']);
    expect(world.mails.map(({ to }) => to.join())).toEqual(['ada@buyers.example', 'sales@seller.example']);
    const again = await world.signUps.redeem((await world.arrive(agreementId)).handOff);
    expect(again).toMatchObject({ kind: 'redeemed', buyer: { customerId: arrived.customerId, isRegistered: true } });
  });

  test('is told what is wrong with each field, by the rules of our form, and nothing is kept', async () => {
    const world = await aWorld();
    const { arrived } = await world.redeemed();

    const told = await world.signUps.register(arrived, { email: 'ada at home', fields: { name: 'Ada', team: 'Red' } });

    expect(told).toEqual({
      kind: 'incomplete',
      problems: [
        { name: 'email', message: 'Enter an e-mail address like name@example.com.' },
        { name: 'company', message: 'Company is missing. Please fill it in.' },
        { name: 'team', message: 'team is none of the fields that registration.fields asks for.' },
      ],
    });
    const buyers = new DynamoBuyerStore(world.client, world.tables.buyers);
    expect(await buyers.details(arrived.customerId)).toBeUndefined();
    expect((await world.customers.customer(arrived.customerId))?.registeredAt).toBeUndefined();
  });

  test('who never finishes is listed among the unregistered, and is taken off by the registration', async () => {
    const world = await aWorld();
    const { arrived } = await world.redeemed();
    const directory = new DynamoCustomerDirectory(world.client, world.tables);
    const listed = async () => (await directory.list('unregistered', 10)).items;

    expect(await listed()).toEqual([arrived.customerId]);
    await world.signUps.register(arrived, ANSWERS);
    expect(await listed()).toEqual([]);
  });

  test('is registered by nobody who has not redeemed the hand-off of this very buyer', async () => {
    const world = await aWorld();
    const [first, second] = [await world.redeemed(), await world.redeemed()];
    const unspent = claimsOf((await world.aBuyer()).handOff);

    for (const { customerId, handOffId } of [
      { customerId: String(unspent['sub']), handOffId: String(unspent['jti']) },
      { customerId: first.arrived.customerId, handOffId: second.arrived.handOffId },
      { customerId: first.arrived.customerId, handOffId: 'made-up' },
    ]) {
      expect(await world.signUps.register({ customerId, handOffId }, ANSWERS)).toEqual({ kind: 'notRedeemed' });
      expect((await world.customers.customer(customerId))?.registeredAt).toBeUndefined();
    }
  });

  test('who is no customer is told as such, not as a wrong address', async () => {
    const world = await aWorld();
    const { handOffId } = (await world.redeemed()).arrived;

    await expect(world.signUps.register({ customerId: 'cus_nobody', handOffId }, ANSWERS)).rejects.toMatchObject({
      name: 'InvalidInput',
      code: 'CustomerUnknown',
      message: expect.not.stringContaining('There is no POST'),
    });
  });

  test('may take thirty days over the seller’s page, and no longer', async () => {
    const world = await aWorld();
    const [soon, late] = [await world.redeemed(), await world.redeemed()];
    await world.clock.set(world.clock.now() + 30 * 24 * 60 * MINUTE_MS - 1);
    expect(await world.signUps.register(soon.arrived, ANSWERS)).toEqual({ kind: 'registered' });
    await world.clock.set(world.clock.now() + 1);
    expect(await world.signUps.register(late.arrived, ANSWERS)).toEqual({ kind: 'notRedeemed' });
  });
});

describe('a hand-off', () => {
  test('is spent by the first of many who redeem it at once, and by the back button not again', async () => {
    const world = await aWorld();
    const { handOff } = await world.aBuyer();

    const redemptions = await Promise.all(Array.from({ length: 12 }, () => world.signUps.redeem(handOff)));

    expect(redemptions.filter(({ kind }) => kind === 'redeemed')).toHaveLength(1);
    expect(redemptions.filter(({ kind }) => kind === 'spent')).toHaveLength(11);
    expect(await world.signUps.redeem(handOff)).toEqual({ kind: 'spent' });
  });

  test('is still whose it was where the answer to its redemption was lost, and the same redemption asks again', async () => {
    const world = await aWorld();
    const { handOff } = await world.aBuyer();
    const post = async (redemptionId: string) => {
      const answer = await fetch(`${world.gateway.url}/hand-offs`, {
        method: 'POST',
        body: JSON.stringify({ handOff, redemptionId }),
      });
      return { status: answer.status, body: await answer.json() };
    };

    const first = await post('redemption-number-1');
    expect(first.status).toBe(200);
    expect(await post('redemption-number-1')).toEqual(first);
    expect(await post('redemption-number-2')).toMatchObject({ status: 409, body: { error: { code: 'HandOffSpent' } } });
  });

  test('is good for five minutes', async () => {
    const world = await aWorld();
    const { handOff } = await world.aBuyer();
    const post = () =>
      fetch(`${world.gateway.url}/hand-offs`, {
        method: 'POST',
        body: JSON.stringify({ handOff, redemptionId: 'redemption-number-1' }),
      });
    expect(await world.signUps.verify(handOff)).toMatchObject({ kind: 'verified', handOff: { productCode: PRODUCT } });

    await world.clock.set(world.clock.now() + 5 * MINUTE_MS);
    // The page's own clock may be behind; ours decides.
    expect((await world.signUps.verify(handOff)).kind).toBe('verified');
    expect((await post()).status).toBe(410);
    await world.clock.set(world.clock.now() + MINUTE_MS);
    expect(await world.signUps.redeem(handOff)).toEqual({ kind: 'expired' });
  });

  test('is for the one page and of the one stage', async () => {
    const world = await aWorld();
    const { handOff } = await world.aBuyer();

    const elsewhere = world.signUpsWith({ signUpUrl: 'https://other.example.com/aws' });
    expect(await elsewhere.redeem(handOff)).toEqual({ kind: 'notForUs' });
    expect(await world.signUpsWith({ stage: 'prod' }).redeem(handOff)).toEqual({ kind: 'notForUs' });
    expect((await world.signUps.redeem(handOff)).kind).toBe('redeemed');
  });

  test('that is changed in any part, signed by another or not at all, or is none, is forged', async () => {
    const world = await aWorld();
    const { handOff } = await world.aBuyer();
    const [header = '', payload = '', signature = ''] = handOff.split('.');
    const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = claimsOf(handOff);
    const other = generateKeyPairSync('ed25519').privateKey;
    const signedBy = (kid: string) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', kid, typ: 'hand-off+jwt' }).sign(other);
    const forgeries = [
      '',
      'nothing',
      `${header}.${encoded({ ...claims, sub: 'cus_another' })}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
      `${encoded({ alg: 'none', typ: 'hand-off+jwt' })}.${payload}.`,
      `${encoded({ alg: 'HS256', kid: 'k1', typ: 'hand-off+jwt' })}.${payload}.${signature}`,
      await signedBy('k1'),
      await signedBy('made-up'),
    ];

    for (const forgery of forgeries) {
      expect(await world.signUps.redeem(forgery), forgery).toEqual({ kind: 'forged' });
      const answer = await fetch(`${world.gateway.url}/hand-offs`, {
        method: 'POST',
        body: JSON.stringify({ handOff: forgery || '-', redemptionId: 'redemption-number-1' }),
      });
      expect(await answer.json(), forgery).toMatchObject({ error: { code: 'HandOffForged' } });
    }
    expect((await world.signUps.redeem(handOff)).kind).toBe('redeemed');
  });

  test('is verified by the public keys alone, which tell nothing of the private ones', async () => {
    const world = await aWorld({ url: 'http://127.0.0.1:1' });
    const { handOff } = await world.aBuyer();

    const answer = await fetch(`${world.gateway.url}/.well-known/jwks.json`);
    expect(answer.headers.get('content-type')).toBe('application/jwk-set+json');
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    const { keys } = (await answer.json()) as { keys: object[] };
    expect(keys.map((key) => Object.keys(key).sort().join())).toEqual(['alg,crv,kid,kty,use,x']);
    expect((await world.signUps.verify(handOff)).kind).toBe('verified');
    await expect(world.signUps.redeem(handOff)).rejects.toThrow();
  });

  test('can’t be judged where the address of the pages is wrong, which is told as such', async () => {
    const world = await aWorld();
    const { handOff } = await world.aBuyer();

    const lost = world.signUpsWith({ pagesUrl: `${world.gateway.url}/elsewhere` });
    await expect(lost.redeem(handOff)).rejects.toThrow(Misconfigured);
  });
});
