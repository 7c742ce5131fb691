// The model of AWS in the randomised worlds judges as the simulator does: by the same window, the same standing of a
// licence and the same rules of allocations, at thousands of instants.
import { describe, expect, test } from 'vitest';
import { HOUR_MS, hourOf, hourStartMs, SECOND_MS } from '../../lambdas/domain/hour.ts';
import type { Allocation, SealedHour } from '../../lambdas/domain/ledger.ts';
import type { BatchAnswer } from '../../lambdas/domain/metering-result.ts';
import { checkAllocations } from '../../simulator/rules/allocations.ts';
import { isHonoured, licenceVerdict } from '../../simulator/rules/standing.ts';
import { isInBatchWindow } from '../../simulator/rules/time-window.ts';
import { DEFAULT_SWITCHES, type Switches } from '../../simulator/switches.ts';
import { aSealedHour } from '../builders.ts';
import { drawPlan, type Plan, type PlannedCustomer } from '../simulation/plan.ts';
import { pick, type Random, streamOf } from '../simulation/random.ts';
import { SimulatedAws } from '../simulation/simulated-aws.ts';

const WORLDS = 400;
const INSTANTS = 12;
const WITHOUT = ['poison', 'renewals'];

/** A record of a customer in some hour around its life. */
function aRecord({ licence, product }: PlannedCustomer, stampMs: number, allocations?: Allocation[]): SealedHour {
  const { licenceArn, customerIdentifier, customerAwsAccountId } = licence;
  const named = licenceArn === undefined ? { customerIdentifier } : { licenceArn, customerAwsAccountId };
  const { productCode, identityStyle, meteringRegion } = product;
  const record = {
    timestampSeconds: Math.floor(stampMs / SECOND_MS),
    dimension: 'requests',
    quantity: 100,
    ...named,
    ...(allocations === undefined ? {} : { allocations }),
  } as SealedHour['record'];
  return aSealedHour({ hour: hourOf(stampMs), productCode, identityStyle, meteringRegion, record });
}

function said(answer: BatchAnswer): string {
  if (answer.kind !== 'answered') return answer.kind === 'invalid' ? answer.code : answer.kind;
  const [first] = answer.answers;
  return first?.kind === 'notSubscribed' ? 'CustomerNotSubscribed' : String(first?.kind);
}

function switchesOf({ readings }: Plan): Switches {
  const { windowEdge, outsideOfLicence } = readings;
  return {
    ...DEFAULT_SWITCHES,
    windowEdge,
    beforeLicenceStart: outsideOfLicence,
    afterLicenceEnd: outsideOfLicence,
    afterFinalHour: outsideOfLicence,
  };
}

/** What the simulator's rules make of it. */
function expected(plan: Plan, customer: PlannedCustomer, stampMs: number, nowMs: number): string {
  const switches = switchesOf(plan);
  const { startsAtMs, honouredFromMs, end, suspension, product } = customer;
  const period = {
    startsMs: startsAtMs,
    provisionedMs: honouredFromMs,
    endedMs: end?.noticeAtMs,
    deprovisionedMs: end?.deprovisionedAtMs,
    suspended: suspension !== undefined && nowMs >= suspension.fromMs && nowMs < suspension.untilMs,
  };
  if (!isInBatchWindow(stampMs, nowMs, switches)) return 'TimestampOutOfBoundsException';
  if (product.identityStyle === 'legacy') {
    return isHonoured(period, stampMs, nowMs, switches) ? 'success' : 'CustomerNotSubscribed';
  }
  const verdict = licenceVerdict(period, stampMs, nowMs, switches);
  return verdict === 'accept' ? 'success' : verdict;
}

function someInstants(random: Random, plan: Plan, { startsAtMs, end }: PlannedCustomer) {
  const around = [plan.startMs, plan.endMs, startsAtMs, end?.deprovisionedAtMs ?? plan.endMs] as const;
  const nowMs = Math.floor(pick(random, [...around]) + (random() * 30 - 4) * HOUR_MS);
  const hourMs = hourStartMs(hourOf(nowMs - random() * 27 * HOUR_MS));
  // On the second, as records are stamped, and at the very edges of the window as well.
  const edgeMs = pick(random, [nowMs - 24 * HOUR_MS, nowMs - 24 * HOUR_MS + SECOND_MS, nowMs + 300 * SECOND_MS]);
  const stampMs = Math.floor(pick(random, [hourMs, hourMs, edgeMs]) / SECOND_MS) * SECOND_MS;
  return { nowMs, stampMs };
}

describe('AWS in the randomised worlds', () => {
  test('judges stamps and licences as the simulator does, by every reading', () => {
    const met = new Map<string, number>();
    for (let seed = 1; seed <= WORLDS; seed++) {
      const drawn = drawPlan({ seed, without: WITHOUT });
      // The simulator knows AWS's own window only.
      const plan = { ...drawn, policy: { ...drawn.policy, meteringWindowMs: 24 * HOUR_MS } };
      const random = streamOf(seed, 'instants');
      for (const customer of plan.customers) {
        for (let n = 0; n < INSTANTS; n++) {
          const { nowMs, stampMs } = someInstants(random, plan, customer);
          const aws = new SimulatedAws(plan, random, () => nowMs);
          const record = aRecord(customer, stampMs);
          const { productCode, identityStyle, meteringRegion } = record;

          const answer = said(aws.judge({ productCode, identityStyle, meteringRegion, records: [record] }));

          const wanted = expected(plan, customer, stampMs, nowMs);
          met.set(wanted, (met.get(wanted) ?? 0) + 1);
          expect([seed, customer.index, n, answer]).toEqual([seed, customer.index, n, wanted]);
        }
      }
    }
    // Each verdict was met often enough for an agreement to mean something.
    for (const count of met.values()) expect(count).toBeGreaterThan(50);
    expect([...met.keys()].sort()).toEqual([
      'CustomerNotSubscribed',
      'InvalidLicenseException',
      'TimestampOutOfBoundsException',
      'success',
    ]);
  });

  test.each<readonly [string, Allocation[]]>([
    ['a sum that differs', [{ quantity: 99, tags: [['team', 'core']] }]],
    ['two allocations of one tag set', [40, 60].map((quantity) => ({ quantity, tags: [['team', 'core']] as const }))],
    [
      'six tag keys',
      ['a', 'b', 'c', 'd', 'e', 'f'].map((key, index) => ({
        quantity: index === 0 ? 50 : 10,
        tags: [[key, 'x']] as const,
      })),
    ],
    ['good ones', [40, 60].map((quantity, index) => ({ quantity, tags: [['team', `${index}`]] as const }))],
  ])('judges allocations as the simulator does: %s', (_claim, allocations) => {
    const plan = drawPlan({ seed: 1, without: ['poison', 'suspensions', 'activations', 'endings'], customers: 1 });
    const [customer] = plan.customers;
    if (!customer) throw new Error('The plan has no customer.');
    const nowMs = plan.startMs + 2 * HOUR_MS;
    const record = aRecord(customer, plan.startMs, allocations);
    const { productCode, identityStyle, meteringRegion } = record;
    const aws = new SimulatedAws(plan, streamOf(1), () => nowMs);

    const answer = said(aws.judge({ productCode, identityStyle, meteringRegion, records: [record] }));

    const judged = () =>
      checkAllocations(
        100,
        allocations.map(({ quantity, tags }) => ({ quantity, tags: tags.map(([key, value]) => ({ key, value })) })),
        'perRecord',
      );
    if (answer === 'success') expect(judged).not.toThrow();
    else expect(judged).toThrow(expect.objectContaining({ code: answer }));
  });
});
