// fulfillment buyer …, clock: plays the buyer at the simulated AWS Marketplace of a laptop.
import { licenceKeyOf } from '../../lambdas/domain/licence.ts';
import { type Agreement, registerAsBuyer, simulatorOf } from '../../operator/buyer.ts';
import type { Desk } from '../../operator/desk.ts';
import { atDesk, DEPLOYMENT, JSON_OUTPUT } from '../at-desk.ts';
import { type Command, defineCommand, operand, type Terminal } from '../command.ts';
import { EXIT, UsageMistake } from '../exit.ts';
import { flag, value } from '../options.ts';
import { listOf, tableOf, timeOf } from '../table.ts';

const SHARED = { ...DEPLOYMENT, ...JSON_OUTPUT };

const subscribe = defineCommand({
  name: 'buyer subscribe',
  operands: 'PRODUCT',
  about: `Buys at the simulated AWS Marketplace, and registers at once where --register is given. Laptop only.
`,
  options: {
    name: value('NAME', "the buyer's name"),
    account: value('ACCOUNT', "the buyer's AWS account; one is made up where absent"),
    'free-trial': flag('as a free trial'),
    register: flag('fills in the registration page, too'),
    company: value('COMPANY', 'what the page is told; with --register'),
    email: value('EMAIL', 'what the page is told; with --register'),
    ...SHARED,
  },
  examples: [
    'fulfillment buyer subscribe demo-product --register',
    'fulfillment buyer subscribe demo-product --account 111122223333 --free-trial --json',
  ],
  run: (call, terminal) => {
    const productCode = operand(call, 0, 'the product, such as demo-product');
    const { values } = call;
    return atDesk(values, terminal, async (desk) => {
      const simulator = simulatorOf(desk);
      if (!desk.products.has(productCode)) {
        const known = [...desk.products.keys()].join(', ');
        throw new UsageMistake(`There is no product '${productCode}' here. There are: ${known}.`);
      }
      const agreement = await simulator.post<Agreement>('/control/agreements', {
        productCode,
        ...(values.name === undefined ? {} : { buyerName: values.name }),
        ...(values.account === undefined ? {} : { awsAccountId: values.account }),
        ...(values['free-trial'] ? { offer: { freeTrial: true } } : {}),
      });
      if (values.register) await registerAsBuyer(desk, agreement.agreementId, answersOf(values));
      return tell(await standingOf(desk, agreement), values.json, terminal);
    });
  },
});

const register = defineCommand({
  name: 'buyer register',
  operands: 'AGREEMENT',
  about: `Takes the buyer of an agreement from the simulated AWS Marketplace to the registration page, and fills it in.
Laptop only. A repeat changes nothing.
`,
  options: {
    company: value('COMPANY', 'what the page is told; an example where absent'),
    email: value('EMAIL', 'what the page is told; an example where absent'),
    ...SHARED,
  },
  examples: ['fulfillment buyer register agmt-a5d49f735e03390700a681d78 --company "Example Ltd"'],
  run: (call, terminal) => {
    const agreementId = operand(call, 0, 'the agreement; fulfillment buyer ls lists them');
    const { values } = call;
    return atDesk(values, terminal, async (desk) => {
      await registerAsBuyer(desk, agreementId, answersOf(values));
      const agreement = await simulatorOf(desk).get<Agreement>(pathOf(agreementId));
      return tell(await standingOf(desk, agreement), values.json, terminal);
    });
  },
});

const ls = defineCommand({
  name: 'buyer ls',
  about: `The agreements at the simulated AWS Marketplace of a laptop.
`,
  options: SHARED,
  examples: ['fulfillment buyer ls'],
  run: ({ values }, terminal) =>
    atDesk(values, terminal, async (desk) => {
      const { agreements } = await simulatorOf(desk).get<{ agreements: Agreement[] }>('/control/agreements?limit=100');
      const rows = await Promise.all(agreements.map((agreement) => standingOf(desk, agreement)));
      if (values.json) terminal.stdout.write(`${JSON.stringify({ agreements: rows })}\n`);
      else if (rows.length === 0)
        terminal.stdout.write('Nobody has subscribed yet: fulfillment buyer subscribe demo-product\n');
      else {
        const columns = [
          { title: 'agreement', of: ({ agreementId }: Row) => agreementId },
          { title: 'product', of: ({ productCode }: Row) => productCode },
          { title: 'status', of: ({ status }: Row) => status },
          { title: 'customer', of: ({ customerId }: Row) => customerId ?? 'has not come yet' },
          { title: 'account', of: ({ awsAccountId }: Row) => awsAccountId },
        ];
        terminal.stdout.write(tableOf(columns, rows, terminal));
      }
      return EXIT.done;
    }),
});

/** What a buyer may do to an agreement, by the simulator's own names. */
function actionOf(action: string, about: string): Command {
  const name = `buyer ${action}`;
  return defineCommand({
    name,
    operands: 'AGREEMENT',
    about: `${about} Laptop only.\n`,
    options: SHARED,
    examples: [`fulfillment ${name} agmt-a5d49f735e03390700a681d78`],
    run: (call, terminal) => {
      const agreementId = operand(call, 0, 'the agreement; fulfillment buyer ls lists them');
      const { values } = call;
      return atDesk(values, terminal, async (desk) => {
        const control = simulatorOf(desk);
        await control.post(`${pathOf(agreementId)}/${action}`);
        return tell(await standingOf(desk, await control.get<Agreement>(pathOf(agreementId))), values.json, terminal);
      });
    },
  });
}

const clock = defineCommand({
  name: 'clock',
  about: `The time by which everything on a laptop goes. It stands still until it is moved, and never goes back.
`,
  options: {
    advance: value('SPAN', 'moves it on by so much: 90m, 2h, 1d'),
    to: value('TIME', 'moves it to an instant, such as 2026-11-23T07:00:00Z'),
    ...SHARED,
  },
  examples: ['fulfillment clock', 'fulfillment clock --advance 70m'],
  run: ({ values }, terminal) => {
    const move = moveOf(values.advance, values.to);
    return atDesk(values, terminal, async (desk) => {
      const control = simulatorOf(desk);
      if (move) await control.post('/control/clock/advance', move);
      const { now } = await control.get<{ now: string }>('/control/clock');
      terminal.stdout.write(values.json ? `${JSON.stringify({ now })}\n` : `${timeOf(Date.parse(now))}\n`);
      return EXIT.done;
    });
  },
});

export const commands: readonly Command[] = [
  ls,
  subscribe,
  register,
  actionOf('cancel', 'The agreement ends now, its licence a little later, and usage is billed for an hour after.'),
  actionOf('renew', 'A new agreement takes its place.'),
  actionOf('replace', 'A new agreement takes its place, as where a private offer is accepted.'),
  actionOf('expire', 'The agreed end comes; it is renewed where it renews itself.'),
  actionOf('suspend', 'Usage is refused as CustomerNotSubscribed until it is resumed.'),
  actionOf('resume', 'Usage is taken again.'),
  clock,
];

interface Row extends Agreement {
  readonly customerId?: string;
}

/**
 * With the customer that it is here, once its buyer has come or AWS has told of it. A legacy product's is named by its
 * buyer's account: the licence of the agreement is none of its usage's.
 */
async function standingOf({ customers, directory, products }: Desk, agreement: Agreement): Promise<Row> {
  const { agreementId, licenceArn, awsAccountId, productCode, status, startsAt } = agreement;
  const row = { agreementId, awsAccountId, productCode, status, startsAt };
  if (products.get(productCode)?.identityStyle === 'legacy') {
    const [customerId] = await directory.ofAccount(awsAccountId, [productCode]);
    return { ...row, ...(customerId === undefined ? {} : { customerId }) };
  }
  if (licenceArn === undefined) return row;
  const licence = await customers.licence(licenceKeyOf({ style: 'licence', licenceArn }));
  return { ...row, licenceArn, ...(licence === undefined ? {} : { customerId: licence.customerId }) };
}

function tell(row: Row, isJson: boolean, { stdout }: Terminal): number {
  const { agreementId, productCode, status, licenceArn, awsAccountId, customerId } = row;
  const pairs = [
    ['agreement', agreementId],
    ['product', productCode],
    ['status', status],
    ['licence', licenceArn],
    ['account', awsAccountId],
    ['customer', customerId ?? 'has not come yet'],
  ] as const;
  stdout.write(isJson ? `${JSON.stringify(row)}\n` : listOf(pairs));
  return EXIT.done;
}

function answersOf({ company, email }: { company: string | undefined; email: string | undefined }) {
  return { ...(company === undefined ? {} : { company }), ...(email === undefined ? {} : { email }) };
}

function pathOf(agreementId: string): string {
  return `/control/agreements/${encodeURIComponent(agreementId)}`;
}

const MINUTES = { m: 1, h: 60, d: 1_440 } as const;

function moveOf(advance: string | undefined, to: string | undefined): object | undefined {
  if (advance !== undefined && to !== undefined) throw new UsageMistake('Give --advance or --to, not both.');
  if (to !== undefined) return { to };
  if (advance === undefined) return undefined;
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(advance) ?? [];
  if (count === undefined || unit === undefined)
    throw new UsageMistake('--advance takes a span such as 90m, 2h or 1d.');
  return { ms: Number(count) * MINUTES[unit as keyof typeof MINUTES] * 60_000 };
}
