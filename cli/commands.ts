// Every command, in the order in which the help lists them.
import type { Command } from './command.ts';
import {
  customersCutOver,
  customersLink,
  ledgerConfirm,
  ledgerResubmit,
  pricesSet,
  redriveCommand,
  webhooksResend,
} from './commands/acts.ts';
import { groupsLs } from './commands/groups.ts';
import { ledgerExplain } from './commands/ledger-explain.ts';
import { ledgerVerify } from './commands/ledger-verify.ts';
import { recordCommands } from './commands/records.ts';
import { usageImport } from './commands/usage-import.ts';

export const COMMANDS: readonly Command[] = [
  customersLink,
  customersCutOver,
  usageImport,
  ledgerVerify,
  ledgerExplain,
  ledgerResubmit,
  ledgerConfirm,
  ...recordCommands,
  groupsLs,
  redriveCommand,
  webhooksResend,
  pricesSet,
];
