// Billing data goes with its stack only where the seller asks for it twice, and deploys that first.
import { expect, test } from 'vitest';
import { parseDeployment } from '../../lib/deployment.ts';
import { addFulfillment } from '../../lib/fulfillment.ts';
import { exampleSettings, WITHOUT_BUNDLES, withApp } from './synthesized.ts';

interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

/** The stack that holds what is kept, as it is deployed. */
function storage(overrides: object) {
  return withApp({ context: WITHOUT_BUNDLES }, (app) => {
    const stacks = addFulfillment(app, parseDeployment(exampleSettings(overrides)));
    const artifact = app.synth({ skipValidation: true }).getStackArtifact(stacks.storage.artifactId);
    const resources: Resource[] = Object.values(artifact.template['Resources']);
    return {
      template: artifact.template as object,
      isProtected: artifact.terminationProtection,
      warnings: artifact.messages.map(({ entry }) => entry.data),
      ofType: (type: string) => resources.filter(({ Type }) => Type === type),
    };
  });
}

const BOTH = { removal: { billingData: 'delete', confirmStage: 'prod' } };

test.each([
  ['nothing', {}],
  ['billingData alone', { removal: { billingData: 'delete' } }],
  ['confirmStage alone', { removal: { confirmStage: 'prod' } }],
  ['that it is to be kept', { removal: { billingData: 'keep', confirmStage: 'prod' } }],
])('where the settings say %s, every table is kept', (_what, overrides) => {
  const { template, isProtected, warnings, ofType } = storage(overrides);

  expect(isProtected).toBe(true);
  expect(warnings).toEqual([]);
  expect(template).toEqual(storage({}).template);
  expect(ofType('AWS::DynamoDB::Table').length).toBeGreaterThan(8);
  for (const table of ofType('AWS::DynamoDB::Table')) {
    expect(table).toMatchObject({ DeletionPolicy: 'Retain', Properties: { DeletionProtectionEnabled: true } });
  }
});

test('where both ask for it, the tables go with their stack, and whoever synthesizes is told', () => {
  const { isProtected, warnings, ofType } = storage(BOTH);

  expect(isProtected).toBe(false);
  expect(warnings).toEqual([expect.stringContaining('cdk destroy Storage deletes all billing data of prod')]);
  for (const table of ofType('AWS::DynamoDB::Table')) {
    expect(table).toMatchObject({ DeletionPolicy: 'Delete', Properties: { DeletionProtectionEnabled: false } });
  }
});

test('what an update replaces is kept even then, and so are the audit trail and the key that reads it', () => {
  const { ofType } = storage({ ...BOTH, encryption: { customerManagedKey: 'create' } });

  for (const { UpdateReplacePolicy } of ofType('AWS::DynamoDB::Table')) expect(UpdateReplacePolicy).toBe('Retain');
  expect(ofType('AWS::S3::Bucket').map(({ DeletionPolicy }) => DeletionPolicy)).toEqual(['Retain']);
  expect(ofType('AWS::KMS::Key').map(({ DeletionPolicy }) => DeletionPolicy)).toEqual(['Retain']);
});

test('the name of another stage is refused', () => {
  const settings = exampleSettings({ stage: 'test', ...BOTH });

  expect(() => parseDeployment(settings)).toThrow('removal.confirmStage: the stage is test, not prod');
});
