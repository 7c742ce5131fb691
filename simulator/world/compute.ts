// Where a caller of MeterUsage or RegisterUsage runs. Real AWS reads it from the role's credentials; here the world knows it.
import { textOf } from './database.ts';
import type { World } from './world.ts';

export const PLATFORMS = ['ec2', 'ecs', 'eks', 'fargate', 'agentcore', 'lambda', 'other'] as const;

export interface Compute {
  readonly accessKeyId: string;
  readonly platform: (typeof PLATFORMS)[number];
  readonly region: string;
  readonly awsAccountId: string;
  readonly instanceId: string;
}

/** Says where the holder of an access key runs; a repeat replaces it. */
export function putCompute(world: World, compute: Compute): void {
  world.db.run(
    'INSERT OR REPLACE INTO compute VALUES (?, ?, ?, ?, ?)',
    compute.accessKeyId,
    compute.platform,
    compute.region,
    compute.awsAccountId,
    compute.instanceId,
  );
}

/** Where the holder of an access key runs, or undefined where nobody said. */
export function findCompute(world: World, accessKeyId: string | undefined): Compute | undefined {
  if (accessKeyId === undefined) return undefined;
  const row = world.db.one('SELECT * FROM compute WHERE access_key_id = ?', accessKeyId);
  if (row === undefined) return undefined;
  return {
    accessKeyId,
    platform: PLATFORMS.find((platform) => platform === row['platform']) ?? 'other',
    region: textOf(row, 'region'),
    awsAccountId: textOf(row, 'aws_account_id'),
    instanceId: textOf(row, 'instance_id'),
  };
}

/** Whether a task or pod has registered the product before. */
export function isRegistered(world: World, productCode: string, instanceId: string): boolean {
  const sql = 'SELECT 1 FROM registrations WHERE product_code = ? AND instance_id = ?';
  return world.db.one(sql, productCode, instanceId) !== undefined;
}

/** Once per product and task; a repeat changes nothing. */
export function addRegistration(world: World, productCode: string, compute: Compute): void {
  world.db.run(
    'INSERT OR IGNORE INTO registrations VALUES (?, ?, ?, ?, ?)',
    productCode,
    compute.instanceId,
    compute.awsAccountId,
    compute.region,
    world.now(),
  );
}
