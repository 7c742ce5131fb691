// Everything that an operator may do, by name: the CLI's commands and the console's buttons are made from it.
import type { OperatorAct } from './act.ts';
import { carryOnAct } from './carry-on.ts';
import { confirmAct } from './confirm.ts';
import { creditAct } from './credit.ts';
import { cutOverAct } from './cut-over.ts';
import { eraseBuyerAct } from './erase-buyer.ts';
import { linkAct } from './link.ts';
import { redriveAct } from './redrive.ts';
import { releaseAct } from './release.ts';
import { releaseGroupAct } from './release-group.ts';
import { resendAct } from './resend.ts';
import { resubmitAct } from './resubmit.ts';
import { setPriceAct } from './set-price.ts';
import { settleAct } from './settle.ts';
import { withholdAct } from './withhold.ts';

export const ACTS: readonly OperatorAct[] = [
  releaseAct,
  releaseGroupAct,
  settleAct,
  carryOnAct,
  withholdAct,
  creditAct,
  resubmitAct,
  confirmAct,
  cutOverAct,
  linkAct,
  eraseBuyerAct,
  resendAct,
  redriveAct,
  setPriceAct,
];
