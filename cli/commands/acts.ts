// The acts that are on more than one record, or on none: each a command.
import { confirmAct } from '../../operator/acts/confirm.ts';
import { cutOverAct } from '../../operator/acts/cut-over.ts';
import { eraseBuyerAct } from '../../operator/acts/erase-buyer.ts';
import { linkAct } from '../../operator/acts/link.ts';
import { redriveAct } from '../../operator/acts/redrive.ts';
import { resendAct } from '../../operator/acts/resend.ts';
import { resubmitAct } from '../../operator/acts/resubmit.ts';
import { setPriceAct } from '../../operator/acts/set-price.ts';
import { actCommand } from '../act-command.ts';

const RANGE = { first: 'from', end: 'to' };

export const ledgerResubmit = actCommand(resubmitAct, {
  name: 'ledger resubmit',
  summary: 'try the open and held records of a range now',
  renamed: RANGE,
  examples: [
    '--from 2026-11-23T00 --to 2026-11-24T00 --dry-run',
    '--from 2026-11-23T00 --to 2026-11-24T00 --why "the permission is back"',
  ],
});

export const ledgerConfirm = actCommand(confirmAct, {
  name: 'ledger confirm',
  summary: "settle presumed and uncertain records by AWS's own log",
  renamed: RANGE,
  examples: [
    '--from 2026-11-01T00 --to 2026-11-30T00 --trail cloudtrail.json.gz --why "month end"',
    '--from 2026-11-23T00 --to 2026-11-24T00 --trail day.json --complete-from 2026-11-23T00:00:00Z --complete-to 2026-11-25T00:00:00Z --why "no answer came"',
  ],
});

export const customersLink = actCommand(linkAct, {
  name: 'customers link',
  summary: 'say which agreement another replaces, where AWS does not',
  renamed: { agreementId: 'agreement', previousAgreementId: 'replaces' },
  examples: ['--agreement agmt-new --replaces agmt-old --why "the buyer says so, ticket 4711"'],
});

export const customersErase = actCommand(eraseBuyerAct, {
  name: 'customers erase',
  summary: 'delete what a buyer told on the registration page',
  renamed: { customerId: 'customer' },
  examples: ['--customer cus_kBXub44wPtLaEj-pjwQonuSP --why "the buyer asked for it, ticket 4711"'],
});

export const customersCutOver = actCommand(cutOverAct, {
  name: 'customers cut-over',
  summary: 'meter a buyer by licence instead of customer identifier',
  renamed: { legacyKey: 'from-licence', customerAwsAccountId: 'account' },
  examples: [
    '--from-licence c-0123456789abcdef0123456789abcdef --licence-arn arn:aws:license-manager::294406891311:license:l-0123456789abcdef0123456789abcdef --hour 2026-11-24T00 --why "migration"',
  ],
});

export const webhooksResend = actCommand(resendAct, {
  name: 'webhooks resend',
  summary: 'post an event to a webhook endpoint again',
  renamed: { customerId: 'customer' },
  examples: ['--endpoint crm --customer cus_kBXub44wPtLaEj-pjwQonuSP --sequence 3 --why "the receiver is mended"'],
});

/** Every queue by one act, `--queue` says which. */
export const redriveCommand = actCommand(redriveAct, {
  name: 'notices redrive',
  summary: 'bring back what a queue gave up',
  examples: ['--queue notices --why "the table is back"', '--queue webhooks --why "the endpoint is back"'],
});

export const pricesSet = actCommand(setPriceAct, {
  name: 'prices set',
  summary: 'say what AWS bills a unit at, for the views of money',
  renamed: { productCode: 'product' },
  examples: ['--product prod-0123456789abc --dimension requests --price 0.0035 --why "the new list"'],
});
