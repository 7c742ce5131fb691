// What AWS reports to the seller of usage, as CSV: the Daily Usage data feed, the Marketplace Usage dataset, and what
// the usage dashboard exports. Columns are found by their names, in any order and writing.
// https://docs.aws.amazon.com/marketplace/latest/userguide/data-feed-daily-usage.html
// https://docs.aws.amazon.com/marketplace/latest/userguide/data-subscriptions-dataset-usage.html
import { InvalidInput } from '../domain/failure.ts';
import { hourOf } from '../domain/hour.ts';
import { licenceKeyOf } from '../domain/licence.ts';
import type { ReportedUsage } from '../domain/operations/reported-usage.ts';
import { isQuantity } from '../domain/quantity.ts';

type Role = 'date' | 'dimension' | 'quantity' | 'account' | 'agreement' | 'licence' | 'product' | Version;

/** Members by which a later row of a feed replaces an earlier one. */
type Version = 'rowId' | 'modified' | 'rowType' | 'deleted';

/** Names of columns without anything but letters and digits, best first. */
const NAMES: Readonly<Record<Role, readonly string[]>> = {
  date: ['usagedate', 'usagestartdate', 'usageday', 'date'],
  dimension: ['dimensionkey', 'dimension', 'usagedimension', 'dimensionapiname'],
  quantity: ['usagequantity', 'usageunits', 'quantity', 'usage', 'units'],
  account: [
    'enduserawsaccountid',
    'enduseraccountid',
    'customerawsaccountid',
    'customerawsaccountnumber',
    'subscriberawsaccountid',
    'buyerawsaccountid',
  ],
  agreement: ['agreementid', 'acceptorsagreementid'],
  licence: ['licensearn', 'licenseid'],
  product: ['productcode'],
  rowId: ['internalusagelineitemid', 'usagefeedid'],
  modified: ['rowmodifieddate', 'updatedate', 'insertdate', 'validfrom'],
  rowType: ['rowtype'],
  deleted: ['deletedate'],
};

const REQUIRED = ['date', 'dimension', 'quantity'] as const;
const BUYER = ['licence', 'agreement', 'account'] as const;

const EXPECTED =
  'Expected is a usage report with a header line: a day (usage_date), a dimension (dimension_key), an amount ' +
  '(usage_quantity), and the buyer by agreement_id, end_user_aws_account_id or license_arn. AWS delivers it as the ' +
  'Daily Usage data feed or the Marketplace Usage dataset, and the usage dashboard of the management portal exports ' +
  'it. Reports of revenue name no units and can’t be compared.';

interface ReportRow {
  readonly usage: ReportedUsage;
  readonly modified: string;
  readonly isDeleted: boolean;
}

/** A report, row by row. Memory holds its rows, since a later one may replace an earlier. */
export class SellerReport {
  readonly #columns: ReadonlyMap<Role, number>;
  readonly #width: number;
  readonly #rows = new Map<string, ReportRow>();
  readonly unread: string[] = [];

  /** Throws InvalidInput, code HeaderWrong, where the columns tell no usage: what is missing, and what is expected. */
  constructor(header: readonly string[]) {
    const names = header.map(plain);
    const roles = Object.keys(NAMES) as Role[];
    this.#columns = new Map(
      roles.flatMap((role) => {
        const name = NAMES[role].find((each) => names.includes(each));
        return name === undefined ? [] : [[role, names.indexOf(name)] as const];
      }),
    );
    this.#width = header.length;
    const missing = REQUIRED.filter((role) => !this.#columns.has(role));
    const lacks = BUYER.some((role) => this.#columns.has(role)) ? missing : [...missing, 'buyer'];
    if (lacks.length === 0) return;
    const found = header.slice(0, 12).map((name) => name.trim().slice(0, 40));
    throw new InvalidInput(
      'HeaderWrong',
      `The report has no column for: ${lacks.join(', ')}. Its columns are: ${found.join(', ')}. ${EXPECTED}`,
    );
  }

  take(fields: readonly string[], line: number): void {
    if (fields.length !== this.#width) {
      this.unread.push(`Line ${line} has ${fields.length} fields where the header has ${this.#width}.`);
      return;
    }
    const row = this.#rowOf(fields);
    if (typeof row === 'string') {
      this.unread.push(`Line ${line}: ${row}`);
      return;
    }
    const key = this.#text(fields, 'rowId') ?? `line ${line}`;
    const before = this.#rows.get(key);
    if (!before || row.modified >= before.modified) this.#rows.set(key, row);
  }

  /** What stands: rows that were replaced or taken back are left out. */
  usage(): ReportedUsage[] {
    return [...this.#rows.values()].flatMap(({ usage, isDeleted }) => (isDeleted ? [] : [usage]));
  }

  #text(fields: readonly string[], role: Role): string | undefined {
    const column = this.#columns.get(role);
    const text = column === undefined ? '' : (fields[column] ?? '').trim();
    return text === '' || text.toLowerCase() === 'null' ? undefined : text;
  }

  /** A row, or in words why it tells too little. */
  #rowOf(fields: readonly string[]): ReportRow | string {
    const [date = '', dimension, amount = ''] = REQUIRED.map((role) => this.#text(fields, role));
    const day = dayOf(date);
    if (day === undefined) return `the date '${date.slice(0, 40)}' is no day such as 2026-09-21.`;
    if (dimension === undefined) return 'it names no dimension.';
    const quantity = wholeNumber(amount);
    if (quantity === undefined) return `the amount '${amount.slice(0, 40)}' is not a whole number of units.`;
    const licence = this.#text(fields, 'licence');
    const agreementId = this.#text(fields, 'agreement');
    const accountId = this.#text(fields, 'account');
    if (licence === undefined && agreementId === undefined && accountId === undefined) return 'it names no buyer.';
    const productCode = this.#text(fields, 'product');
    const usage = {
      ...(licence === undefined ? {} : { licenceKey: licenceKeyOf({ style: 'licence', licenceArn: licence }) }),
      ...(agreementId === undefined ? {} : { agreementId }),
      ...(accountId === undefined ? {} : { accountId: accountOf(accountId) }),
      ...(productCode === undefined ? {} : { productCode }),
      dimension,
      hour: hourOf(Date.parse(`${day}T00:00:00Z`)),
      quantity,
    };
    const isDeleted =
      this.#text(fields, 'rowType')?.toUpperCase() === 'DELETE' || this.#text(fields, 'deleted') !== undefined;
    return { usage, modified: this.#text(fields, 'modified') ?? '', isDeleted };
  }
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** Spreadsheets take the leading zeros of an account's number away. */
function accountOf(text: string): string {
  return /^\d{1,11}$/.test(text) ? text.padStart(12, '0') : text;
}

/** `2026-09-21`, with a time of day or without; `20260921`. A day that only some countries write so is none. */
function dayOf(text: string): string | undefined {
  const [, year, month, day] = /^(\d{4})-?(\d{2})-?(\d{2})(?:[T ].*)?$/.exec(text) ?? [];
  const written = `${year}-${month}-${day}`;
  const atMs = Date.parse(`${written}T00:00:00Z`);
  return Number.isNaN(atMs) || new Date(atMs).toISOString().slice(0, 10) !== written ? undefined : written;
}

/** `1200`, `1,200`, `1200.00`. */
function wholeNumber(text: string): number | undefined {
  if (!/^(\d+|\d{1,3}(,\d{3})+)(\.0*)?$/.test(text)) return undefined;
  const quantity = Number(text.replaceAll(',', ''));
  return isQuantity(quantity) ? quantity : undefined;
}
