// The file by which the operator's tools find what runs on a laptop.
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readDeploymentFile, writeDeploymentFile } from '../../operator/deployment-file.ts';
import { startBackendWorld, useServices } from '../backend-world.ts';
import { aFolder } from '../cli/fulfillment.ts';

const services = useServices();

test('a deployment is found by the file that its start left, which only its owner reads, and not after its end', async () => {
  const { facts } = await startBackendWorld(services());
  const file = join(aFolder(), 'start', 'deployment.json');

  const remove = writeDeploymentFile(file, facts);

  expect(readDeploymentFile(file)).toEqual(facts);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  remove();
  expect(() => readDeploymentFile(file)).toThrow(/is not there\. Run npm start/);
});

test('a file that a start of another time left open to all is closed to others again', async () => {
  const { facts } = await startBackendWorld(services());
  const file = join(aFolder(), 'deployment.json');
  writeFileSync(file, '{}', { mode: 0o644 });

  writeDeploymentFile(file, facts);

  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a file of another version is refused, and what is wrong with it is named', () => {
  const file = join(aFolder(), 'deployment.json');
  writeFileSync(file, '{"stage":"laptop"}');

  expect(() => readDeploymentFile(file)).toThrow(/does not describe a deployment of this version \(region: /);
});
