// fulfillment ledger verify: whether every unit of a range stands in exactly one place.
import { addHours, hoursBetween } from '../../lambdas/domain/hour.ts';
import { verify } from '../../lambdas/flow/operations/verify.ts';
import { licenceField } from '../../operator/acts/field.ts';
import type { Desk } from '../../operator/desk.ts';
import { atDesk, DEPLOYMENT, JSON_OUTPUT } from '../at-desk.ts';
import { defineCommand, type Terminal } from '../command.ts';
import { EXIT, UsageMistake } from '../exit.ts';
import { value } from '../options.ts';
import { HourProgress } from '../progress.ts';
import { hoursOf, RANGE } from '../range.ts';
import { listOf, shown, tableOf } from '../table.ts';

const ledgerVerify = defineCommand({
  name: 'ledger verify',
  about: `Reads usage and ledger of the hours anew and draws up the books of each licence and dimension. Without a range the
last day. An hour of all licences is 128 queries of the database. Exit code 1 where an hour does not balance.
`,
  options: {
    ...RANGE,
    licence: value('LICENCE', 'one licence alone: its key, or its ARN'),
    ...DEPLOYMENT,
    ...JSON_OUTPUT,
  },
  examples: [
    'fulfillment ledger verify',
    'fulfillment ledger verify --stage prod --from 2026-11 --to 2026-11',
    'fulfillment ledger verify --from 2026-11-23T07 --to 2026-11-23T09 --json',
  ],
  run: ({ values }, terminal) => {
    const licence = values.licence === undefined ? undefined : licenceField('').read(values.licence);
    if (licence?.kind === 'wrong') throw new UsageMistake(`--licence ${licence.message}.`);
    return atDesk(values, terminal, async (desk) => {
      const verified = await verifyHours(desk, hoursOf(values, desk.clock()), licence?.value, terminal);
      terminal.stdout.write(values.json ? `${JSON.stringify(verified)}\n` : told(verified, terminal));
      return verified.balanced ? EXIT.done : EXIT.refused;
    });
  },
});

type Verified = Omit<Awaited<ReturnType<typeof verify>>, 'exitCode'>;

/** As many as are listed of a range, however many there are. */
const SHOWN = 1_000;

/** Hour by hour, so that it can be seen how far it is, and stopped. */
async function verifyHours(
  desk: Desk,
  { first, end }: ReturnType<typeof hoursOf>,
  licenceKey: string | undefined,
  terminal: Terminal,
): Promise<Verified> {
  const hours = hoursBetween(first, end);
  const progress = new HourProgress(terminal, hours.length);
  let sum: Verified | undefined;
  for (const hour of hours) {
    terminal.signal.throwIfAborted();
    const one = { first: hour, end: addHours(hour, 1) };
    const { exitCode: _, ...verified } = await verify(desk, licenceKey === undefined ? one : { ...one, licenceKey });
    sum = sum === undefined ? verified : added(sum, verified);
    progress.passed(hour);
  }
  progress.clear();
  if (!sum) throw new UsageMistake('No hour was named.');
  return sum;
}

function added(sum: Verified, more: Verified): Verified {
  const places = Object.keys(sum.totals) as (keyof Verified['totals'])[];
  const totals = Object.fromEntries(places.map((place) => [place, sum.totals[place] + more.totals[place]]));
  return {
    balanced: sum.balanced && more.balanced,
    hoursChecked: sum.hoursChecked + more.hoursChecked,
    metersChecked: sum.metersChecked + more.metersChecked,
    unbalanced: sum.unbalanced + more.unbalanced,
    differences: [...sum.differences, ...more.differences].slice(0, SHOWN),
    totals: { ...sum.totals, ...totals },
  };
}

function told(
  { balanced, hoursChecked, metersChecked, unbalanced, totals, differences }: Verified,
  terminal: Terminal,
) {
  const head = listOf([
    ['balanced', balanced ? 'yes' : `no: ${shown(unbalanced)} of ${shown(metersChecked)} licence-hours`],
    ['hours', hoursChecked],
    ['licence-hours with units', metersChecked],
  ]);
  const places = listOf(Object.entries(totals).filter(([, units]) => units !== 0));
  if (differences.length === 0) return `${head}\n${places}`;
  type Difference = (typeof differences)[number];
  const columns = [
    { title: 'hour', of: ({ hour }: Difference) => hour },
    { title: 'licence', of: ({ licenceKey }: Difference) => licenceKey },
    { title: 'dimension', of: ({ dimension }: Difference) => dimension },
    { title: 'units', of: ({ difference }: Difference) => difference },
  ];
  return `${head}\n${places}\n${tableOf(columns, differences, terminal)}`;
}

export const commands = [ledgerVerify];
