import { describe, expect, test } from 'vitest';
import { clientSettings } from '../../lambdas/runtime/aws-client.ts';

const LAMBDA = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-secret' };

describe('where a service is', () => {
  test('is AWS’s own where nothing says otherwise', () => {
    expect(clientSettings(LAMBDA, 'S3')).not.toHaveProperty('endpoint');
  });

  test('is what the environment says of all services, and before that of this one', () => {
    const all = { ...LAMBDA, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };

    expect(clientSettings(all, 'S3').endpoint).toBe('http://127.0.0.1:1');
    expect(clientSettings({ ...all, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:2' }, 'S3').endpoint).toBe(
      'http://127.0.0.1:2',
    );
  });
});

test('what Lambda would set and is missing is named', () => {
  const { AWS_REGION: _, ...rest } = LAMBDA;

  expect(() => clientSettings(rest, 'S3')).toThrow(expect.objectContaining({ facts: { missing: 'AWS_REGION' } }));
});
