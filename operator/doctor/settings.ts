// The settings that are to be deployed, or everything that is wrong with them.
import { parseDeployment } from '../../lib/deployment.ts';
import type { Facts } from './facts.ts';

/** Reads cdk.json, or the object under its key `fulfillment`. */
export function settingsIn(written: unknown): Facts['settings'] {
  const context = memberOf(written, 'context');
  return settingsOf(context === undefined ? written : memberOf(context, 'fulfillment'));
}

export function settingsOf(settings: unknown): Facts['settings'] {
  try {
    return { deployment: parseDeployment(settings) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
