// The bucket of the audit trail: what its template promises about what stands in it.
import { beforeAll, describe, expect, test } from 'vitest';
import { parseDeployment } from '../../lib/deployment.ts';
import { exampleSettings, type Found, synthesize } from './synthesized.ts';

let stacks: ReturnType<typeof synthesize>;

beforeAll(() => {
  stacks = synthesize();
});

function bucketOf(each: ReturnType<typeof synthesize>): Found {
  const [bucket, ...others] = each.ofType('AWS::S3::Bucket');
  if (!bucket || others.length > 0) throw new Error('One bucket was expected.');
  return bucket;
}

describe('the bucket of the audit trail', () => {
  test('locks each object for more than a year, in all its versions', () => {
    expect(bucketOf(stacks).Properties).toMatchObject({
      ObjectLockEnabled: true,
      ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 400 } } },
      VersioningConfiguration: { Status: 'Enabled' },
    });
  });

  test('locks as long and as hard as the settings say', () => {
    const found = bucketOf(synthesize({ audit: { retentionDays: 2_555, lock: 'compliance' } }));

    expect(found.Properties).toMatchObject({
      ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 2_555 } } },
    });
  });

  test.each([
    ['less than a year', { retentionDays: 364 }, 'audit.retentionDays: has to be 365 or more'],
    ['no lock at all', { lock: 'none' }, 'audit.lock: has to be "governance" or "compliance"'],
  ])('may not be told to keep things for %s', (_, audit, message) => {
    expect(() => parseDeployment(exampleSettings({ audit }))).toThrow(message);
  });

  test('is open to nobody, takes and gives nothing unencrypted, and outlives its stack', () => {
    const bucket = bucketOf(stacks);

    expect(bucket).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    expect(bucket.Properties).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: expect.anything(),
    });
    // Nothing makes its objects go by themselves, after their time either.
    expect(bucket.Properties).not.toHaveProperty('LifecycleConfiguration');
    const policy = JSON.stringify(stacks.ofType('AWS::S3::BucketPolicy'));
    expect(policy).toContain('"aws:SecureTransport":"false"');
    expect(policy).toContain('"s3:TlsVersion":1.2');
  });

  test('is written by one function, which may put and neither read nor remove', () => {
    const statements = stacks
      .ofType('AWS::IAM::Policy')
      .filter((policy) => JSON.stringify(policy).includes('"s3:'))
      .map((policy) => [
        policy.id.split('Role')[0],
        [...JSON.stringify(policy).matchAll(/"s3:(\w+)"/g)].map(([, name]) => name),
      ]);

    expect(statements).toEqual([['Watch/ExportAudit', ['PutObject']]]);
  });
});
