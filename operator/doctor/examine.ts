// Everything that the doctor looks at, in the order in which it is told.
import { checkClock, checkQuotas } from './checks/limits.ts';
import { checkMail } from './checks/mail.ts';
import { checkCatalog, checkMetering, checkPermissions, checkRegions } from './checks/marketplace.ts';
import { checkNotices } from './checks/notices.ts';
import { checkCertificate, checkPages, checkSignUps, checkUsage } from './checks/pages.ts';
import { checkAccount, checkFunctions, checkSettings } from './checks/settings.ts';
import { checkSecrets, checkStacks, checkTables } from './checks/storage.ts';
import { checkAlarms, checkQueues, checkSchedules } from './checks/work.ts';
import type { Facts } from './facts.ts';
import type { Finding } from './finding.ts';

const CHECKS: readonly ((facts: Facts) => readonly Finding[])[] = [
  checkSettings,
  checkAccount,
  checkStacks,
  checkFunctions,
  checkTables,
  checkSecrets,
  checkPages,
  checkCertificate,
  checkSignUps,
  checkUsage,
  checkRegions,
  checkMetering,
  checkCatalog,
  checkPermissions,
  checkNotices,
  checkQueues,
  checkSchedules,
  checkAlarms,
  checkMail,
  checkQuotas,
  checkClock,
];

/** All findings, `ok` among them, so that it can be told what was looked at. */
export function examine(facts: Facts): Finding[] {
  return CHECKS.flatMap((check) => check(facts));
}
