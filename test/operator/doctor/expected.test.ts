// What the doctor expects of a deployment, against what is really deployed.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseDeployment } from '../../../lib/deployment.ts';
import { addFulfillment } from '../../../lib/fulfillment.ts';
import { expectedHandlers, expectedStacks } from '../../../operator/doctor/expected.ts';
import { CONTEXT, EVERYTHING, exampleSettings, withApp } from '../../lib/synthesized.ts';

const ROOT = join(import.meta.dirname, '../../..');

test('the doctor looks for every stack of a deployment that has one of each, and for no other', {
  timeout: 240_000,
}, () => {
  const deployment = parseDeployment(exampleSettings(EVERYTHING));

  const names = withApp({ context: { ...CONTEXT, 'aws:cdk:bundling-stacks': [] } }, (app) =>
    Object.values(addFulfillment(app, deployment)).map((stack) => stack?.stackName),
  );

  const expected = expectedStacks(deployment.stage, deployment.homeRegion, deployment);
  expect(expected.map(({ name }) => name).sort()).toEqual(names.filter((name) => name !== undefined).sort());
});

test('the doctor looks for every function of such a deployment', () => {
  const handlers = readdirSync(join(ROOT, 'lambdas')).flatMap((file) => /^(.*)\.handler\.ts$/.exec(file)?.[1] ?? []);

  expect([...expectedHandlers(parseDeployment(exampleSettings(EVERYTHING)))].sort()).toEqual(handlers.sort());
});
