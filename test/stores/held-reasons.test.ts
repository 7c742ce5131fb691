// Late usage that is held while an operator carries on what was held before.
import { describe, expect, test } from 'vitest';
import { type AuditEntry, newActionId } from '../../lambdas/domain/amendment.ts';
import type { LedgerStore } from '../../lambdas/flow/ports.ts';
import { DynamoLedgerStore } from '../../lambdas/stores/ledger-store.ts';
import { aCarry, aSealedHour, at } from '../builders.ts';
import { MemoryLedgerStore } from '../doubles/memory-ports.ts';
import { useEngine } from './engine-tables.ts';

const NOW = at('2026-09-21T12:31:00Z');
const engine = useEngine();

describe.each([
  ['the ledger table', async () => engine().then(({ client, tables }) => new DynamoLedgerStore(client, tables.ledger))],
  ['the ledger in memory', async () => new MemoryLedgerStore()],
])('%s', (_name, make) => {
  test('holds no units without their reason where an operator has just carried on those before them', async () => {
    const ledger: LedgerStore = await make();
    const { hour, licenceKey, dimension } = aSealedHour();
    const standing = async () => {
      const sealed = await ledger.sealed(hour, licenceKey, dimension);
      return sealed ?? expect.unreachable('The hour is not sealed.');
    };
    await ledger.seal(aSealedHour());
    await ledger.holdLate(await standing(), { tagSet: '', quantity: 70, reason: 'policy' });
    const before = await standing();
    const actionId = newActionId(NOW, 'a');
    const audit: AuditEntry = { actionId, at: NOW, who: 'kim', why: 'late', action: 'carryOn', facts: {} };
    const after = { ...before, carriedOut: 70, heldLate: 0, heldReasons: [] };
    const carries = [aCarry({ quantity: 70, actionId })];
    expect(await ledger.amend(before, { after, carries, onlyInto: 'any', audit })).toBe('amended');

    const late = { tagSet: '', quantity: 5, reason: 'policy' };
    expect(await ledger.holdLate(before, late)).toBe('moved');
    expect(await ledger.holdLate(await standing(), late)).toBe('held');
    expect(await standing()).toMatchObject({ heldLate: 5, heldReasons: ['policy'] });
  });
});
