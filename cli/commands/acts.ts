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

const ledgerResubmit = actCommand(resubmitAct, {
  name: 'ledger resubmit',
  renamed: RANGE,
  examples: [
    '--from 2026-11-23T00 --to 2026-11-24T00 --dry-run',
    '--from 2026-11-23T00 --to 2026-11-24T00 --why "the permission is back"',
  ],
});

const ledgerConfirm = actCommand(confirmAct, {
  name: 'ledger confirm',
  renamed: RANGE,
  examples: [
    '--from 2026-11-01T00 --to 2026-11-30T00 --trail cloudtrail.json.gz --why "month end"',
    '--from 2026-11-23T00 --to 2026-11-24T00 --trail day.json --complete-from 2026-11-23T00:00:00Z --complete-to 2026-11-25T00:00:00Z --why "no answer came"',
  ],
});

const customersLink = actCommand(linkAct, {
  name: 'customers link',
  renamed: { agreementId: 'agreement', previousAgreementId: 'replaces' },
  examples: ['--agreement agmt-new --replaces agmt-old --why "the buyer says so, ticket 4711"'],
});

const customersErase = actCommand(eraseBuyerAct, {
  name: 'customers erase',
  renamed: { customerId: 'customer' },
  examples: ['--customer cus_kBXub44wPtLaEj-pjwQonuSP --why "the buyer asked for it, ticket 4711"'],
});

const customersCutOver = actCommand(cutOverAct, {
  name: 'customers cut-over',
  renamed: { legacyKey: 'from-licence', customerAwsAccountId: 'account' },
  examples: [
    '--from-licence c-0123456789abcdef0123456789abcdef --licence-arn arn:aws:license-manager::294406891311:license:l-0123456789abcdef0123456789abcdef --hour 2026-11-24T00 --why "migration"',
  ],
});

const webhooksResend = actCommand(resendAct, {
  name: 'webhooks resend',
  renamed: { customerId: 'customer' },
  examples: ['--endpoint crm --customer cus_kBXub44wPtLaEj-pjwQonuSP --sequence 3 --why "the receiver is mended"'],
});

/** Every queue by one act, `--queue` says which. */
const redriveCommand = actCommand(redriveAct, {
  name: 'notices redrive',
  examples: ['--queue notices --why "the table is back"', '--queue webhooks --why "the endpoint is back"'],
});

const pricesSet = actCommand(setPriceAct, {
  name: 'prices set',
  renamed: { productCode: 'product' },
  examples: ['--product prod-0123456789abc --dimension requests --price 0.0035 --why "the new list"'],
});

export const commands = [
  ledgerResubmit,
  ledgerConfirm,
  customersLink,
  customersErase,
  customersCutOver,
  webhooksResend,
  redriveCommand,
  pricesSet,
];
