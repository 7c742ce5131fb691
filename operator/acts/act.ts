// What an operator may do, as the CLI and the console offer it: first what it would do, then the doing.
import { randomBytes } from 'node:crypto';
import { newActionId } from '../../lambdas/domain/amendment.ts';
import type { Act, Refused } from '../../lambdas/domain/operations/act.ts';
import type { Desk } from '../desk.ts';
import { type Fields, type InputOf, type Mistaken, type RawInput, readFields } from './field.ts';

/** One thing that an act changes, before and after. */
export interface Change {
  readonly what: string;
  readonly before: string | number;
  readonly after: string | number;
}

/** What an act would do. Nothing was written. */
export interface Plan {
  readonly kind: 'planned';
  /** A sentence. */
  readonly summary: string;
  readonly changes: readonly Change[];
  /** What the person should know besides. */
  readonly notes: readonly string[];
  /** Words for the person to repeat, where neither we nor AWS can undo it. */
  readonly confirmation?: string;
}

/** What was done, or, for `already`, had been done under the same id before. */
export interface Done {
  readonly kind: 'done' | 'already';
  readonly actionId: string;
  readonly summary: string;
  readonly changes: readonly Change[];
  readonly notes: readonly string[];
}

/** What an act came to. `planned` where it was only asked for its plan. */
export type ActAnswer = Plan | Done | Refused;

/** How an act is to be done. */
interface Doing {
  readonly act: Act;
  /** Only tells what it would do, and writes nothing. */
  readonly dryRun: boolean;
}

/** An act with its fields' types forgotten, for tables of acts. */
export interface OperatorAct {
  readonly name: string;
  /** As a button or a line of help says it. */
  readonly title: string;
  /** When it is for, and what it does. */
  readonly help: string;
  readonly fields: Fields;
  perform(desk: Desk, raw: RawInput, doing: Doing): Promise<ActAnswer | Mistaken>;
}

interface ActDefinition<F extends Fields> extends Omit<OperatorAct, 'perform'> {
  readonly fields: F;
  readonly perform: (desk: Desk, input: InputOf<F>, doing: Doing) => Promise<ActAnswer>;
}

/** Has the fields read before the act is planned or done. */
export function defineAct<F extends Fields>({ perform, ...about }: ActDefinition<F>): OperatorAct {
  return {
    ...about,
    perform: async (desk, raw, doing) => {
      const read = readFields(about.fields, raw);
      return read.kind === 'mistaken' ? read : perform(desk, read.input, doing);
    },
  };
}

/**
 * Who does what is done now, and why: as the audit keeps it. The same `actionId` again is the same act, and is done
 * once; without one, an id is made.
 */
export async function newAct(desk: Pick<Desk, 'clock' | 'who'>, why: string, actionId?: string): Promise<Act> {
  return {
    actionId: actionId ?? newActionId(desk.clock(), randomBytes(6).toString('hex')),
    who: await desk.who(),
    why,
  };
}

/** For a plan before anybody has said why: nothing of it is written. */
export async function draftAct(desk: Pick<Desk, 'clock' | 'who'>): Promise<Act> {
  return newAct(desk, 'a plan');
}

export function units(quantity: number, dimension: string): string {
  return `${quantity.toLocaleString('en-US')} ${dimension}`;
}
