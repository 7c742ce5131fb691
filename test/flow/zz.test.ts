import { test } from 'vitest';
import { auditEnd, auditNow } from '../doubles/metering-audit.ts';
import { MeteringWorld } from '../doubles/metering-world.ts';
import { billingKey } from '../doubles/simulated-aws.ts';

test('x', async () => {
  for (const seed of [43, 71, 97]) {
    const world = new MeteringWorld(seed);
    const wrong = (await world.live(() => auditNow(world))) ?? (await auditEnd(world));
    const c = world.climate;
    const iso = (x?: number) => x && new Date(x).toISOString().slice(5, 16);
    console.log(seed, wrong, iso(c.noticeAt), iso(c.revokedAt), c.outage, c.closersDown);
    for (const s of world.ledger.sealedHours()) {
      const billed = world.aws.billed.has(billingKey(s));
      if (!billed || s.heldLate)
        console.log(
          s.hour,
          s.dimension,
          s.status,
          s.reason,
          'q',
          s.record.quantity,
          'held',
          s.heldLate,
          s.heldReasons,
          'sealedAt',
          iso(s.sealedAt),
          'deadline',
          iso(s.deadlineAt),
          JSON.stringify(s.refusals.map((r) => [iso(r.at), r.code])),
          JSON.stringify(Object.values(s.attempts).map((a) => iso(a.at))),
          iso(s.settledAt),
        );
    }
    for (const w of world.usage.written.filter((w) => w.at >= (c.noticeAt ?? 0) - 3600_000))
      console.log('  w', w.event.hour, w.event.dimension, w.event.quantity, iso(w.event.atMs), 'at', iso(w.at));
  }
}, 300000);
