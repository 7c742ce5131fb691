// A refusal as the AWS SDKs parse it: the code travels in `__type`, the HTTP status decides who retries.

/** Errors that the service model names; everything else comes from the layers in front of the service. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  InternalServiceErrorException: 500,
  // The SDK's own schema says 409, the API reference 400; SDKs read the name, not the number.
  IdempotencyConflictException: 409,
  RequestEntityTooLargeException: 413,
};

const FRONT_LAYER_CODES = new Set([
  'AccessDeniedException',
  'InvalidSignatureException',
  'RequestEntityTooLargeException',
  'SerializationException',
  'UnauthorizedException',
  'UnknownOperationException',
  'ValidationException',
]);

/**
 * Thrown to refuse a whole call. `layer` says who refuses: the service, or what stands in front of it (credentials,
 * framing).
 */
export class WireError extends Error {
  readonly code: string;
  readonly status: number;
  readonly layer: 'service' | 'front';

  constructor(code: string, message: string, layer: 'service' | 'front' = 'service') {
    super(message);
    this.name = 'WireError';
    this.code = code;
    this.status = STATUS_BY_CODE[code] ?? 400;
    this.layer = FRONT_LAYER_CODES.has(code) ? 'front' : layer;
  }
}
