// The act of pointing a listing at an address, stopped between AWS's answer and the line that would tell of it.
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AuditEntry } from '../../../lambdas/domain/amendment.ts';
import type { Act } from '../../../lambdas/domain/operations/act.ts';
import { DynamoLedgerStore } from '../../../lambdas/stores/ledger-store.ts';
import { PASSED_OVER } from '../../../operator/doctor/probed.ts';
import { ListingCatalog } from '../../../operator/listing/catalog.ts';
import { type SetUrlPorts, setListingUrl } from '../../../operator/listing/set-url.ts';
import { PRODUCT } from '../../backend-world.ts';
import { at } from '../../builders.ts';
import { useEngine } from '../../stores/engine-tables.ts';
import { aCatalog, type CatalogState, startCatalog } from './catalog-server.ts';

const engine = useEngine();

const ADDRESS = 'https://pay.example.com/register';
const ACT: Act = { actionId: '2026-09-21T10:00:00.000Z.a1b2', who: 'ada', why: 'the stage is new' };
const ASKED = `${ACT.actionId}.asked`;

async function listed(change: (state: CatalogState) => void = () => {}) {
  const { client, tables } = await engine();
  const ledger = new DynamoLedgerStore(client, tables.ledger);
  const state = aCatalog(PRODUCT, 'https://old.example.com/register');
  change(state);
  const credentials = { accessKeyId: 'AKIALOCAL', secretAccessKey: 'x' };
  const catalog = new ListingCatalog({ region: 'us-east-1', credentials, endpoint: await startCatalog(state) });
  onTestFinished(() => catalog.close());
  const ports: SetUrlPorts = {
    ledger,
    catalog,
    askPages: async (url) => ({ url, get: PASSED_OVER, post: PASSED_OVER, postToken: PASSED_OVER }),
    clock: () => at('2026-09-21T10:00:00Z'),
  };
  const set = (over: Partial<SetUrlPorts> = {}) =>
    setListingUrl({ ...ports, ...over }, { productCode: PRODUCT, url: ADDRESS }, ACT, { dryRun: false });
  /** The act dies with AWS's answer in its hands. */
  const stopped = async () => {
    const noteAction = async (line: AuditEntry) => {
      if (line.actionId === ASKED) throw new Error('killed');
      return ledger.noteAction(line);
    };
    await expect(set({ ledger: { action: (id) => ledger.action(id), noteAction } })).rejects.toThrow('killed');
  };
  return { ledger, catalog, state, set, stopped };
}

describe('an act that was stopped when AWS had the change, and no line told of it', () => {
  test('asks by the same token under the same id: AWS names the change that it has, and the line is written', async () => {
    const { ledger, state, set, stopped } = await listed();
    await stopped();

    const again = await set();

    expect(again).toMatchObject({ kind: 'started', changeSetId: 'change-1' });
    expect(state.changes).toHaveLength(1);
    expect(await ledger.action(ASKED)).toMatchObject({ facts: { changeSetId: 'change-1', after: ADDRESS } });
    expect(await set()).toEqual(again);
  });

  test('finds the listing changed where AWS is done meanwhile, and asks for nothing', async () => {
    const { catalog, state, set, stopped } = await listed();
    await stopped();
    expect(await catalog.changeSet('change-1')).toMatchObject({ status: 'SUCCEEDED' });

    expect(await set()).toMatchObject({ kind: 'same', after: ADDRESS });
    expect(state.changes).toHaveLength(1);
  });

  test('follows the change that AWS refused meanwhile, so that its reason is told', async () => {
    const { catalog, set, stopped } = await listed((state) => void Object.assign(state, { addressStatus: 403 }));
    await stopped();
    await catalog.changeSet('change-1');

    expect(await set()).toMatchObject({ kind: 'started', changeSetId: 'change-1' });
    expect(await catalog.changeSet('change-1')).toMatchObject({ errors: [{ code: 'INVALID_FULFILLMENT_URL' }] });
  });

  test('is refused while AWS is at the change of somebody else, who came in between', async () => {
    const { catalog, state, set } = await listed();
    const [listing] = await catalog.listings();
    if (!listing) throw new Error('There is no listing.');
    const noneYet = {
      listings: () => catalog.listings(),
      changeInFlight: async () => undefined,
      setUrl: (...asked: Parameters<ListingCatalog['setUrl']>) => catalog.setUrl(...asked),
    };
    await catalog.setUrl(listing, 'https://else.example.com/register', 'another-token');

    expect(await set({ catalog: noneYet })).toMatchObject({ kind: 'refused', code: 'changeRuns' });
    expect(state.changes).toHaveLength(1);
  });
});
