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

export const commands: readonly Command[] = [
  actCommand(releaseAct, {
    name: 'records release',
    examples: [`${RECORD} --dry-run`, `${RECORD} --with-groups --why "the dimension is listed now"`],
  }),
  actCommand(settleAct, {
    name: 'records settle',
    examples: [
      `${RECORD} --decision accept --aws-quantity 200 --why "not worth it"`,
      `${RECORD} --decision carryDifference --aws-quantity 200 --why "the old importer still ran"`,
    ],
  }),
  actCommand(carryOnAct, {
    name: 'records carry-on',
    examples: [`${RECORD} --why "our role had lost its permission"`],
  }),
  actCommand(withholdAct, {
    name: 'records withhold',
    examples: [`${RECORD} --units 20 --why "our own load test"`, `${RECORD} --why "our own load test" --yes --json`],
  }),
  actCommand(creditAct, {
    name: 'records credit',
    examples: [`${METER} --units 500 --why "counted twice on the 12th"`],
  }),
  actCommand(releaseGroupAct, {
    name: 'groups release',
    examples: ['--group "dimension us-east-1 prod-a novel" --why "the dimension is listed now"'],
  }),
];
