// fulfillment records …, groups release: the acts on sealed hours.
import { carryOnAct } from '../../operator/acts/carry-on.ts';
import { creditAct } from '../../operator/acts/credit.ts';
import { releaseAct } from '../../operator/acts/release.ts';
import { releaseGroupAct } from '../../operator/acts/release-group.ts';
import { settleAct } from '../../operator/acts/settle.ts';
import { withholdAct } from '../../operator/acts/withhold.ts';
import { actCommand } from '../act-command.ts';
import type { Command } from '../command.ts';

const METER = '--licence l-0123456789abcdef0123456789abcdef --dimension requests';
const RECORD = `--hour 2026-11-23T07 ${METER}`;

export const recordCommands: readonly Command[] = [
  actCommand(releaseAct, {
    name: 'records release',
    summary: 'have a quarantined record sent again',
    examples: [`${RECORD} --dry-run`, `${RECORD} --with-groups --why "the dimension is listed now"`],
  }),
  actCommand(settleAct, {
    name: 'records settle',
    summary: 'settle a record of which AWS holds another amount',
    examples: [
      `${RECORD} --decision accept --aws-quantity 200 --why "not worth it"`,
      `${RECORD} --decision carryDifference --aws-quantity 200 --why "the old importer still ran"`,
    ],
  }),
  actCommand(carryOnAct, {
    name: 'records carry-on',
    summary: 'bill expired or late units in a later hour',
    examples: [`${RECORD} --why "our role had lost its permission"`],
  }),
  actCommand(withholdAct, {
    name: 'records withhold',
    summary: 'keep units from being billed, before AWS has them',
    examples: [`${RECORD} --units 20 --why "our own load test"`, `${RECORD} --why "our own load test" --yes --json`],
  }),
  actCommand(creditAct, {
    name: 'records credit',
    summary: 'bill later hours less, where AWS has billed too much',
    examples: [`${METER} --units 500 --why "counted twice on the 12th"`],
  }),
  actCommand(releaseGroupAct, {
    name: 'groups release',
    summary: 'have a group of records sent again that shares a fault',
    examples: ['--group "dimension us-east-1 prod-a novel" --why "the dimension is listed now"'],
  }),
];
