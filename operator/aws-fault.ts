// What a person can do about a call of AWS that failed.

const SIGN_IN = 'Sign in (aws sso login, or aws login), or name a profile that is (AWS_PROFILE).';

interface Remedy {
  /** What is wrong and what to do, in a sentence or two. */
  readonly message: string;
  /** Whether the same may work later though nobody does anything. */
  readonly mayPass: boolean;
}

const REMEDIES: Readonly<Record<string, string>> = {
  CredentialsProviderError: `No AWS credentials were found. ${SIGN_IN} What runs on this machine needs none: --local.`,
  TokenProviderError: `The sign-in at AWS has ended. ${SIGN_IN}`,
  ExpiredToken: `The session at AWS has expired. ${SIGN_IN}`,
  ExpiredTokenException: `The session at AWS has expired. ${SIGN_IN}`,
  InvalidClientTokenId: `AWS does not know these credentials. ${SIGN_IN}`,
  UnrecognizedClientException: `AWS does not know these credentials. ${SIGN_IN}`,
  InvalidSignatureException: 'AWS does not take the signature: wrong secret key, or a clock that is minutes off.',
  SignatureDoesNotMatch: 'AWS does not take the signature: wrong secret key, or a clock that is minutes off.',
  ResourceNotFoundException:
    'A table or function that the deployment names is not there. Was it deleted, or deployed anew?',
};

const PASSING: Readonly<Record<string, string>> = {
  ThrottlingException: 'AWS asks for fewer calls at a time. Run it again in a minute.',
  ProvisionedThroughputExceededException: 'DynamoDB asks for fewer calls at a time. Run it again in a minute.',
  TimeoutError: 'AWS did not answer in time. Run it again: what was done is not done twice under the same act id.',
};

const SIGNED_OUT =
  /^(CredentialsProviderError|TokenProviderError|ExpiredToken(Exception)?|InvalidClientTokenId|UnrecognizedClientException)$/;
const DENIED = /^(AccessDenied|AccessDeniedException|UnauthorizedOperation|AuthorizationError)$/;
const UNREACHABLE = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ECONNRESET|EHOSTUNREACH|ENETUNREACH)$/;

/** What to do about what an SDK threw; undefined for what is none of AWS's faults. */
export function awsRemedy(thrown: unknown): Remedy | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const code = unreachableCode(thrown);
  if (code !== undefined) {
    const message = `Nothing answers there (${code}). On a laptop: is npm start still running? Else: is this machine connected, and the region right?`;
    return { message, mayPass: true };
  }
  // AWS names who lacks leave to do what: the person's own role, and what an administrator has to add.
  if (DENIED.test(thrown.name)) {
    const message = `AWS refused it: ${thrown.message} Ask for that permission; docs/cli.md lists what each command needs.`;
    return { message, mayPass: false };
  }
  const [lasting, passing] = [REMEDIES[thrown.name], PASSING[thrown.name]];
  if (lasting !== undefined) return { message: lasting, mayPass: false };
  return passing === undefined ? undefined : { message: passing, mayPass: true };
}

/** Whether AWS could not know who asks: whatever else is asked ends the same way, until somebody signs in. */
export function isSignedOut(thrown: unknown): boolean {
  return thrown instanceof Error && SIGNED_OUT.test(thrown.name);
}

/** Of the fault, of what caused it, or of the addresses that were tried. */
function unreachableCode(thrown: Error): string | undefined {
  const code = 'code' in thrown ? String(thrown.code) : '';
  if (UNREACHABLE.test(code)) return code;
  return thrown.cause instanceof Error ? unreachableCode(thrown.cause) : undefined;
}
