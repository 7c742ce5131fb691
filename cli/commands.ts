// Every command, in the order in which the help lists them.
import type { Command } from './command.ts';
import {
  customersCutOver,
  customersErase,
  customersLink,
  ledgerConfirm,
  ledgerResubmit,
  pricesSet,
  redriveCommand,
  webhooksResend,
} from './commands/acts.ts';
import { buyerCommands } from './commands/buyer.ts';
import { completionCommand } from './commands/completion.ts';
import { consoleCommand } from './commands/console.ts';
import { customerCommands } from './commands/customers.ts';
import { doctor } from './commands/doctor.ts';
import { groupsLs } from './commands/groups.ts';
import { ledgerCompare } from './commands/ledger-compare.ts';
import { ledgerExplain } from './commands/ledger-explain.ts';
import { ledgerExport } from './commands/ledger-export.ts';
import { ledgerStatus } from './commands/ledger-status.ts';
import { ledgerVerify } from './commands/ledger-verify.ts';
import { listingSetUrl, listingShow } from './commands/listing.ts';
import { migrateSampleCommand } from './commands/migrate-sample.ts';
import { noticesLs, webhooksLs } from './commands/notices.ts';
import { reconcile } from './commands/reconcile.ts';
import { recordCommands } from './commands/records.ts';
import { usageCommands } from './commands/usage.ts';
import { usageImport } from './commands/usage-import.ts';

export const COMMANDS: readonly Command[] = [
  ...customerCommands,
  doctor,
  customersLink,
  customersErase,
  customersCutOver,
  ...usageCommands,
  usageImport,
  ledgerStatus,
  ledgerVerify,
  ledgerExplain,
  ledgerExport,
  ledgerCompare,
  ledgerResubmit,
  ledgerConfirm,
  reconcile,
  ...recordCommands,
  groupsLs,
  noticesLs,
  redriveCommand,
  webhooksLs,
  webhooksResend,
  pricesSet,
  migrateSampleCommand,
  listingShow,
  listingSetUrl,
  consoleCommand,
  ...buyerCommands,
  completionCommand(() => COMMANDS),
];
