// One look at something: what was seen, or why nothing could be.
import type { Finding } from './finding.ts';

export type Probed<T> =
  | { readonly kind: 'seen'; readonly value: T }
  /** It was looked for, and is not there. */
  | { readonly kind: 'absent' }
  /** The caller may not look. `action` is the permission that it takes. */
  | { readonly kind: 'denied'; readonly action: string }
  | { readonly kind: 'failed'; readonly message: string }
  /** There is nothing of the kind where the doctor looks, as on a laptop. */
  | { readonly kind: 'passedOver' };

/** Why something was not seen. */
export type Unseen = Exclude<Probed<unknown>, { readonly kind: 'seen' | 'passedOver' }>;

export const ABSENT: Unseen = { kind: 'absent' };

export const PASSED_OVER = { kind: 'passedOver' } as const;

/**
 * Looks once; whatever goes wrong is part of the answer, so that one look never ends the others. Throws only what
 * `endsAll` says that every look would end by.
 */
export async function probe<T>(
  action: string,
  look: () => Promise<T>,
  endsAll: (error: unknown) => boolean = () => false,
): Promise<Probed<T>> {
  try {
    return { kind: 'seen', value: await look() };
  } catch (error) {
    if (endsAll(error)) throw error;
    const name = error instanceof Error ? error.name : '';
    if (DENIED.test(name)) return { kind: 'denied', action };
    if (isAbsent(error, name)) return ABSENT;
    const message = error instanceof Error ? error.message || name : String(error);
    return { kind: 'failed', message: `${action}: ${reason(error) ?? message}` };
  }
}

const DENIED =
  /^(AccessDenied|AccessDeniedException|AuthorizationError(Exception)?|UnauthorizedOperation|Forbidden(Exception)?)$/;
const MISSING = /NotFound|NonExistentQueue|QueueDoesNotExist|NoSuchEntity/;

function isAbsent(error: unknown, name: string): boolean {
  if (MISSING.test(name)) return true;
  // CloudFormation's only name for a stack that is not there.
  return name === 'ValidationError' && error instanceof Error && / does not exist$/.test(error.message);
}

/** The cause at the bottom: what `fetch failed` hides. */
function reason(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error)) return undefined;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}

/** What is said of something that could not be looked at; undefined where it was seen. */
export function unseen(code: string, subject: string, probed: Probed<unknown>): Finding | undefined {
  switch (probed.kind) {
    case 'seen':
    case 'passedOver':
      return undefined;
    case 'denied':
      return {
        code,
        level: 'unknown',
        subject,
        seen: `You may not look: ${probed.action} is denied.`,
        expected: 'an answer',
        remedy: `Allow ${probed.action} to whom you run this as (docs/doctor.md#what-it-needs), or pass over it.`,
      };
    case 'failed':
      return {
        code,
        level: 'unknown',
        subject,
        seen: `There was no answer. ${probed.message}`,
        expected: 'an answer',
        remedy: 'Run the doctor again; check the network and the credentials where it stays so.',
      };
    case 'absent':
      return {
        code,
        level: 'problem',
        subject,
        seen: 'It is not there.',
        expected: `${subject} exists`,
        remedy: 'Deploy it: npx cdk deploy --all',
      };
  }
}
