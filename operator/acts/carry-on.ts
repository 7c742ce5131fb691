// Carry on: units that expired, or are held as late, are billed in a later hour.
import { carryOn } from '../../lambdas/flow/operations/carry-on.ts';
import { defineAct, units } from './act.ts';
import { RECORD_FIELDS, type Telling, toldOf } from './record-act.ts';

const TELLING: Telling = {
  summary: ({ hour, dimension }, _after, carries) =>
    `${units(sumOf(carries), dimension)} of ${hour} are billed in ${carries[0]?.hour}.`,
  confirmation: ({ dimension }, _after, carries) => `bill ${units(sumOf(carries), dimension)}`,
};

export const carryOnAct = defineAct({
  name: 'carryOn',
  title: 'Carry on',
  help: 'The record expired, or holds late usage: its units are billed in a later hour.',
  fields: RECORD_FIELDS,
  perform: async (desk, name, { act, dryRun }) => toldOf(await carryOn(desk, name, act, { dryRun }), act, TELLING),
});

function sumOf(carries: readonly { readonly quantity: number }[]): number {
  return carries.reduce((sum, { quantity }) => sum + quantity, 0);
}
