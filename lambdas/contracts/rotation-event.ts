// What Secrets Manager calls a rotation function with.
import * as v from 'valibot';
import { InvalidInput } from '../domain/failure.ts';
import type { RotationStep } from '../flow/rotate-session-keys.ts';

const RotationEvent = v.object({
  SecretId: v.string(),
  ClientRequestToken: v.pipe(v.string(), v.nonEmpty()),
  Step: v.picklist(['createSecret', 'setSecret', 'testSecret', 'finishSecret'] satisfies RotationStep[]),
});

/** Reads the event. Throws InvalidInput where it is none, or one of another secret. */
export function parseRotationEvent(event: unknown, secretId: string): { step: RotationStep; versionId: string } {
  const parsed = v.safeParse(RotationEvent, event);
  if (!parsed.success || parsed.output.SecretId !== secretId) {
    throw new InvalidInput('RotationUnknown', 'The event is no step of a rotation of the session keys.');
  }
  return { step: parsed.output.Step, versionId: parsed.output.ClientRequestToken };
}
