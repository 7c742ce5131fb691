// A world with an operator at its desk.
import { onTestFinished } from 'vitest';
import type { OperatorAct } from '../../operator/acts/act.ts';
import { draftAct, newAct } from '../../operator/acts/act.ts';
import { ACTS } from '../../operator/acts/acts.ts';
import type { RawInput } from '../../operator/acts/field.ts';
import { openDesk } from '../../operator/desk.ts';
import type { BackendWorld } from '../backend-world.ts';

export async function deskOf(world: BackendWorld) {
  const desk = await openDesk(world.facts);
  onTestFinished(desk.close);
  const perform = async (name: string, raw: RawInput, { dryRun = false, actionId = '', why = 'a test' } = {}) => {
    await desk.followClock();
    const act = dryRun ? await draftAct(desk) : await newAct(desk, why, actionId === '' ? undefined : actionId);
    return actNamed(name).perform(desk, raw, { act, dryRun });
  };
  return { desk, perform };
}

function actNamed(name: string): OperatorAct {
  const act = ACTS.find((each) => each.name === name);
  if (!act) throw new Error(`There is no act ${name}.`);
  return act;
}
