// What a function did beside what its role allows: a permission that is missing has to show, since the emulator lets all pass.
import { expect, test } from 'vitest';
import { comparePermissions } from './permissions.ts';

const RECORD_USAGE = {
  stack: 'fulfillment-e2e-metering',
  logicalId: 'RecordUsageFunction0A1B2C3D',
  type: 'AWS::Lambda::Function',
  physicalId: 'record-usage-in-the-account',
};

test('tells apart what was used, what was not, and what was done without leave', () => {
  const done = new Set(['dynamodb:PutItem on usage', 'dynamodb:DeleteItem on ledger', 'events:PutEvents']);
  const [compared] = comparePermissions([RECORD_USAGE], new Map([[RECORD_USAGE.physicalId, done]]));
  expect(compared).toMatchObject({
    name: 'RecordUsage',
    used: ['dynamodb:PutItem on usage'],
    missing: ['dynamodb:DeleteItem on ledger', 'events:PutEvents'],
  });
  expect(compared?.unused).toContain('dynamodb:GetItem on usage');
});
