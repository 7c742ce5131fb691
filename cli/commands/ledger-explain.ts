// fulfillment ledger explain: everything that is known of one licence's dimension in one hour.
import { KEY_SEPARATOR } from '../../lambdas/domain/keys.ts';
import { explain } from '../../lambdas/flow/operations/explain.ts';
import { licenceField } from '../../operator/acts/field.ts';
import { atDesk, DEPLOYMENT, JSON_OUTPUT } from '../at-desk.ts';
import { defineCommand, type Terminal } from '../command.ts';
import { EXIT, UsageMistake } from '../exit.ts';
import { value } from '../options.ts';
import { hourIn } from '../range.ts';
import { listOf, shown, spanOf, tableOf, timeOf } from '../table.ts';

const ledgerExplain = defineCommand({
  name: 'ledger explain',
  about: `Its events, carries in and out, every attempt and refusal, its status with the reason and the time left, credit, audit
and books. Exit code 1 where its books do not balance.
`,
  options: {
    hour: value('HOUR', 'the hour, UTC, such as 2026-11-23T07'),
    licence: value('LICENCE', 'the licence: its key, or its ARN'),
    dimension: value('DIMENSION', 'the dimension, by its API name'),
    ...DEPLOYMENT,
    ...JSON_OUTPUT,
  },
  examples: [
    'fulfillment ledger explain --hour 2026-11-23T07 --licence l-0123456789abcdef0123456789abcdef --dimension requests',
  ],
  run: ({ values }, terminal) => {
    const { dimension } = values;
    const hour = hourIn('--hour', values.hour);
    const licence = licenceField('').read(values.licence);
    if (licence.kind === 'wrong') throw new UsageMistake(`--licence ${licence.message}.`);
    if (dimension === undefined) throw new UsageMistake('--dimension is missing.');
    return atDesk(values, terminal, async (desk) => {
      const explained = await explain(desk, { hour, licenceKey: licence.value, dimension });
      terminal.stdout.write(values.json ? `${JSON.stringify(explained)}\n` : told(explained, terminal));
      return explained.books.difference === 0 ? EXIT.done : EXIT.refused;
    });
  },
});

type Explanation = Awaited<ReturnType<typeof explain>>;

function told(explained: Explanation, terminal: Terminal): string {
  const { sealed, books, audit } = explained;
  const parts = [
    listOf(headOf(explained)),
    section('Attempts and refusals', sealed ? attemptsOf(sealed, terminal) : ''),
    section('Carried in', carriesOf(explained.carriesIn, terminal)),
    section('Carried out', carriesOf(explained.carriesOut, terminal)),
    section(`Events (${explained.events.count} in all)`, eventsOf(explained.events.shown, terminal)),
    section('Audit', audit.length === 0 ? '' : auditOf(audit, terminal)),
    section('Books', listOf(placesOf(books))),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function headOf({ hour, licenceKey, dimension, sealed, timeLeftMs, credit }: Explanation) {
  const left = timeLeftMs === undefined ? undefined : timeLeft(timeLeftMs);
  return [
    ['hour', hour],
    ['licence', licenceKey],
    ['dimension', dimension],
    ['customer', sealed?.customerId],
    [
      'status',
      sealed ? `${sealed.status}${sealed.reason === undefined ? '' : ` (${sealed.reason})`}` : 'not sealed yet',
    ],
    ['units in the record', sealed?.record.quantity],
    ['AWS takes it until', sealed ? `${timeOf(sealed.deadlineAt)} (${left})` : undefined],
    ['tried next', timeOf(sealed?.nextAttemptAt)],
    ['sealed', timeOf(sealed?.sealedAt)],
    ['settled', timeOf(sealed?.settledAt)],
    ["AWS's record", sealed?.meteringRecordId],
    ['units of credit left', credit ? credit.granted - credit.applied : undefined],
  ] as const;
}

function timeLeft(ms: number): string {
  return ms >= 0 ? `${spanOf(ms)} left` : `over for ${spanOf(ms)}`;
}

function attemptsOf(sealed: NonNullable<Explanation['sealed']>, terminal: Terminal): string {
  const attempts = Object.values(sealed.attempts).map(({ at }) => ({ at, outcome: 'sent; AWS may have it' }));
  const refusals = sealed.refusals.map(({ at, code }) => ({ at, outcome: `refused: ${code}` }));
  const tries = [...attempts, ...refusals].sort((one, other) => one.at - other.at);
  if (tries.length === 0) return '';
  const columns = [
    { title: 'time', of: ({ at }: (typeof tries)[number]) => timeOf(at) },
    { title: 'outcome', of: ({ outcome }: (typeof tries)[number]) => outcome },
  ];
  return tableOf(columns, tries, terminal);
}

function carriesOf(carries: Explanation['carriesIn'], terminal: Terminal): string {
  if (carries.length === 0) return '';
  type Carry = (typeof carries)[number];
  const columns = [
    { title: 'from', of: ({ originHour }: Carry) => originHour },
    { title: 'into', of: ({ hour }: Carry) => hour },
    { title: 'units', of: ({ quantity }: Carry) => quantity },
    { title: 'time', of: ({ carriedAt }: Carry) => timeOf(carriedAt) },
    { title: 'by', of: ({ actionId }: Carry) => actionId ?? 'the closer' },
  ];
  return tableOf(columns, carries, terminal);
}

function eventsOf(events: Explanation['events']['shown'], terminal: Terminal): string {
  if (events.length === 0) return '';
  type Row = (typeof events)[number];
  const columns = [
    // The last part of its key: a program's own writing may have put anything there.
    { title: 'event', of: ({ sortKey }: Row) => sortKey.slice(sortKey.lastIndexOf(KEY_SEPARATOR) + 1) },
    { title: 'units', of: ({ quantity }: Row) => quantity },
    { title: 'time', of: (row: Row) => (row.kind === 'good' ? timeOf(row.atMs) : `can't be billed: ${row.problem}`) },
  ];
  return tableOf(columns, events, terminal);
}

function auditOf(audit: Explanation['audit'], terminal: Terminal): string {
  type Line = (typeof audit)[number];
  const columns = [
    { title: 'time', of: ({ at }: Line) => timeOf(at) },
    { title: 'act', of: ({ action }: Line) => action },
    { title: 'who', of: ({ who }: Line) => who },
    { title: 'why', of: ({ why }: Line) => why },
  ];
  return tableOf(columns, audit, terminal);
}

function placesOf({ byStatus, difference, ...books }: Explanation['books']): (readonly [string, string | number])[] {
  const { recorded, carriedIn, rejectedAtClose, notYetSealed, credited, heldLate, carriedOut } = books;
  const places = { recorded, carriedIn, notYetSealed, ...byStatus, credited, heldLate, carriedOut, rejectedAtClose };
  const named = Object.entries(places).filter(([, units]) => units !== 0);
  return [...named, ['balance', difference === 0 ? 'yes' : `no: ${shown(difference)} units`]];
}

function section(title: string, text: string): string {
  return text === '' ? '' : `${title}\n${text}`;
}

export const commands = [ledgerExplain];
