// HTTP in and out, the same for pages and for JSON: requests read, faults answered, headers set, one log line each.
import middy, { type MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { type Failure, type SafeFacts, Unavailable } from '../domain/failure.ts';
import type { Clock } from './clock.ts';
import type { LambdaContext } from './handler.ts';
import { type HttpRequest, readRequest } from './http-request.ts';
import { type Log, safeFactsOf } from './log.ts';
import { failureOfRequest } from './outage.ts';

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What came of it, as a code to search the log for. */
  readonly outcome: string;
  /** Further facts for the log. */
  readonly facts?: SafeFacts;
}

export interface HttpSettings {
  readonly log: Log;
  readonly clock: Clock;
  /** Set on every answer; an answer's own headers win. */
  readonly headers: Readonly<Record<string, string>>;
  /** What the caller is told of a failure: never its message or cause, unless it is InvalidInput. */
  fault(failure: Failure, request: HttpRequest): HttpResponse;
}

type HttpHandler = (event: APIGatewayProxyEvent, context: LambdaContext) => Promise<APIGatewayProxyResult>;

/** What Lambda leaves us to answer in before it would stop the function and the caller saw the gateway's own 502. */
const TIME_TO_ANSWER_MS = 500;

/** Answers an API Gateway REST proxy event. Never throws: a failure becomes the answer that `fault` gives for it. */
export function httpHandler(
  settings: HttpSettings,
  answer: (request: HttpRequest) => Promise<HttpResponse>,
): HttpHandler {
  const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>({
    timeoutEarlyInMillis: TIME_TO_ANSWER_MS,
    timeoutEarlyResponse: () => {
      throw new Unavailable('OutOfTime', 'The function ran out of time before it had an answer.');
    },
  })
    .use(faultsToAnswers(settings))
    .handler(async (event) => {
      const startedAt = settings.clock();
      const response = await answer(readRequest(event));
      return finish(settings, event, response, settings.clock() - startedAt);
    });
  // Middy asks for the whole of Lambda's context but uses only the time that is left.
  return (event, context) => handler(event, context as Context);
}

function faultsToAnswers(settings: HttpSettings): MiddlewareObj<APIGatewayProxyEvent, APIGatewayProxyResult> {
  return {
    onError: (request) => {
      const failure = failureOfRequest(request.error);
      const { httpMethod, requestContext } = request.event;
      const facts = { method: httpMethod, requestId: requestContext.requestId, ...safeFactsOf(failure) };
      // What a caller did wrong is no trouble of ours: nobody is to be woken for it.
      if (failure.name === 'InvalidInput') settings.log.info('RequestRefused', facts);
      else settings.log.error('RequestFailed', facts);
      const answered = settings.fault(failure, readRequest(request.event));
      request.response = finish(settings, request.event, answered);
    },
  };
}

function finish(
  settings: HttpSettings,
  event: APIGatewayProxyEvent,
  response: HttpResponse,
  ms?: number,
): APIGatewayProxyResult {
  // The path's pattern, never the path: a caller writes whatever it likes into a path, a token included.
  settings.log.info('RequestAnswered', {
    method: event.httpMethod,
    route: event.resource,
    requestId: event.requestContext.requestId,
    status: response.status,
    outcome: response.outcome,
    ms,
    ...response.facts,
  });
  return {
    statusCode: response.status,
    headers: { ...settings.headers, ...response.headers },
    body: event.httpMethod === 'HEAD' ? '' : response.body,
  };
}

const JSON_STATUS: Readonly<Record<string, number>> = { InvalidInput: 400, Unavailable: 503 };

/** Codes of InvalidInput that HTTP has a status of its own for. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = { BodyTooLarge: 413, ContentTypeUnknown: 415 };

/** The HTTP status of a failure: 400 to 415 for the caller's fault, 503 where trying again helps, else 500. */
function statusOf(failure: Failure): number {
  return (
    (failure.name === 'InvalidInput' ? STATUS_OF_CODE[failure.code] : undefined) ?? JSON_STATUS[failure.name] ?? 500
  );
}

/** A failure as JSON: its code, whether to try again, and a sentence that gives nothing of ours away. */
export function jsonFault(failure: Failure, request: HttpRequest): HttpResponse {
  const status = statusOf(failure);
  const message =
    status < 500 ? failure.message : status === 503 ? 'Try again in a moment.' : 'This is a fault of ours.';
  return {
    status,
    headers: { 'Content-Type': 'application/json', ...(status === 503 ? { 'Retry-After': '5' } : {}) },
    body: JSON.stringify({
      error: { code: failure.code, message, retryable: failure.retryable, requestId: request.requestId },
    }),
    outcome: failure.code,
  };
}

/** Headers for answers that no browser is to render, keep or guess the type of. */
export const JSON_HEADERS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Strict-Transport-Security': 'max-age=63072000',
} as const;
