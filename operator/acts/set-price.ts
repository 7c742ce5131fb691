// Set a price: what AWS bills a unit at, so that the views of money can say what usage is worth.
import { moneyText } from '../../lambdas/domain/money.ts';
import { setPrice } from '../../lambdas/flow/operations/set-price.ts';
import { defineAct } from './act.ts';
import { textField } from './field.ts';
import { alreadyDone } from './record-act.ts';

export const setPriceAct = defineAct({
  name: 'setPrice',
  title: 'Set a price',
  help: 'What AWS bills a unit of a dimension at. It is for the views of money alone: nothing that is sent depends on it.',
  fields: {
    productCode: textField('the product, by its code', 'prod-0123456789abc'),
    dimension: textField('the dimension, by its API name', 'requests'),
    price: textField('US dollars a unit, with up to eight decimals', '0.0035'),
  },
  perform: async (desk, input, { act, dryRun }) => {
    const outcome = await setPrice(desk, input, act, { dryRun });
    if (outcome.kind === 'refused') return outcome;
    if (outcome.kind === 'already') return alreadyDone(outcome.audit);
    const { before, after } = outcome;
    const told = {
      summary: `A unit of ${input.dimension} counts as $${moneyText(after)} in the views of money.`,
      changes: [
        {
          what: 'price in US dollars',
          before: before === undefined ? 'none' : moneyText(before),
          after: moneyText(after),
        },
      ],
      notes: [],
    };
    return outcome.kind === 'planned'
      ? { kind: 'planned', ...told }
      : { kind: 'done', actionId: act.actionId, ...told };
  },
});
