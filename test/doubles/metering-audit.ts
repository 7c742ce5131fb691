// What must hold in every randomised world of metering, at any point and at its end.
import { HOUR_MS, hourOf } from '../../lambdas/domain/hour.ts';
import type { SealedHour } from '../../lambdas/domain/ledger.ts';
import { verifyBooks } from '../../lambdas/flow/verify-books.ts';
import { type MeteringWorld, STEP_MS, WORLD_LICENCE } from './metering-world.ts';
import { billingKey } from './simulated-aws.ts';

/** What is wrong with the world now, in words; undefined where all is well. */
export async function auditNow(world: MeteringWorld): Promise<string | undefined> {
  if (world.errors.length > 0) return `alarm: ${world.errors[0]}`;
  if (world.turns.thrown.length > 0) return `thrown: ${String(world.turns.thrown[0])}`;
  if (world.aws.changed.length > 0) return `a record changed between attempts: ${world.aws.changed[0]}`;
  let [carriedIn, carriedOut, unsealed] = [0, 0, 0];
  for (const books of await allBooks(world)) {
    if (books.difference !== 0) return `books of ${books.hour} ${books.dimension} differ by ${books.difference}`;
    carriedIn += books.carriedIn;
    carriedOut += books.carriedOut;
    unsealed += books.notYetSealed;
  }
  if (carriedIn !== carriedOut) return `carried in ${carriedIn}, carried out ${carriedOut}`;
  return balance(world, unsealed);
}

/** What must also hold once everything has had its time. */
export async function auditEnd(world: MeteringWorld): Promise<string | undefined> {
  const wrong = await auditNow(world);
  if (wrong) return wrong;
  const strange = world.ledger.sealedHours().find(({ status }) => status === 'disputed' || status === 'quarantined');
  if (strange) return `${strange.status} without a cause in this world: ${strange.hour}`;
  const { noticeAt, revokedAt, outage, closersDown } = world.climate;
  const accepted = world.usage.written.reduce((sum, { event }) => sum + event.quantity, 0);
  const billed = billedIn(world);
  const isCalm = outage[1] - outage[0] < 90 && closersDown[0] === closersDown[1];
  if (isCalm && noticeAt === undefined && billed !== accepted) return `calm, but ${accepted - billed} were not billed`;
  if (!isCalm || revokedAt === undefined || outage[0] !== outage[1]) return undefined;
  // Reported in the step of the revocation may also mean after it.
  const prompt = world.usage.written.filter((each) => each.at <= revokedAt - STEP_MS);
  const promptly = prompt.reduce((sum, { event }) => sum + event.quantity, 0);
  return billed < promptly ? `reported before the revocation, but ${promptly - billed} were not billed` : undefined;
}

/** Every accepted unit is billed once, stands in a record that AWS has not, is held late, or is not sealed yet. */
function balance(world: MeteringWorld, unsealed: number): string | undefined {
  const accepted = world.usage.written.reduce((sum, { event }) => sum + event.quantity, 0);
  let [heldLate, unbilled] = [0, 0];
  for (const sealed of world.ledger.sealedHours()) {
    heldLate += sealed.heldLate;
    const billed = world.aws.billed.get(billingKey(sealed));
    if (billed === undefined) unbilled += sealed.record.quantity;
    else if (billed !== sealed.record.quantity) return `sealed ${sealed.record.quantity}, billed ${billed}`;
    if (billed === undefined && isSaidBilled(sealed)) return `${sealed.status}, but AWS has nothing: ${sealed.hour}`;
    if (billed !== undefined && sealed.status === 'expired') return `expired, but AWS has it: ${sealed.hour}`;
  }
  const placed = billedIn(world) + heldLate + unbilled + unsealed;
  return placed === accepted ? undefined : `accepted ${accepted}, placed ${placed}`;
}

function isSaidBilled({ status, record }: SealedHour): boolean {
  return record.quantity > 0 && (status === 'honoured' || status === 'presumed');
}

function billedIn(world: MeteringWorld): number {
  return [...world.aws.billed.values()].reduce((sum, quantity) => sum + quantity, 0);
}

async function allBooks(world: MeteringWorld) {
  const first = hourOf(Date.parse('2026-09-20T00:00:00Z'));
  const end = hourOf(world.now() + 2 * HOUR_MS);
  const books = [];
  for await (const each of verifyBooks(world, first, end, WORLD_LICENCE)) books.push(each);
  return books;
}
