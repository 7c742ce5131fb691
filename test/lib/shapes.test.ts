// A snapshot of each shape: the defaults as a whole, every other one by what differs from them. After a change that is
// meant, `npx vitest run test/lib/shapes.test.ts -u` writes them anew, and the pull request shows what is deployed.
import { Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test } from 'vitest';
import { parseDeployment } from '../../lib/deployment.ts';
import { addFulfillment } from '../../lib/fulfillment.ts';
import { difference, type ReadableStacks, readableStacks, whole } from './readable-template.ts';
import { SHAPES } from './shapes.ts';
import { exampleSettings, WITHOUT_BUNDLES, withApp } from './synthesized.ts';

/** Throws at any finding of cdk-nag that nobody gave a reason for, as `npm run synth` does. */
function shapeOf(overrides: object): ReadableStacks {
  return withApp({ context: WITHOUT_BUNDLES }, (app) => {
    const deployment = parseDeployment(exampleSettings(overrides));
    addFulfillment(app, deployment);
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    const assembly = app.synth();
    expect(assembly.stacks.flatMap(({ messages }) => messages)).toEqual([]);
    return readableStacks(assembly, deployment.homeRegion);
  });
}

test('the defaults have no finding of cdk-nag, and are as the snapshot says', async () => {
  await expect(whole(shapeOf({}))).toMatchFileSnapshot('shapes/defaults.txt');
});

test.each(Object.entries(SHAPES))(
  'the shape %s has no finding of cdk-nag, and differs as its snapshot says',
  async (name, overrides) => {
    await expect(difference(shapeOf({}), shapeOf(overrides))).toMatchFileSnapshot(`shapes/${name}.txt`);
  },
);
