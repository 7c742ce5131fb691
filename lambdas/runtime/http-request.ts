// An API Gateway REST proxy event as the few things that our handlers ask of a request.
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { InvalidInput } from '../domain/failure.ts';

export interface HttpRequest {
  readonly method: string;
  /** As the caller sees it: with the stage or the custom domain's base path, without a slash at the end. */
  readonly path: string;
  /** The gateway's id of the request: a reference that a caller may quote. */
  readonly requestId: string;
  /** A header's value, whatever its name's case. */
  header(name: string): string | undefined;
  cookie(name: string): string | undefined;
  /** A parameter behind the question mark. */
  query(name: string): string | undefined;
  /** The body as text. Throws InvalidInput, code BodyTooLarge, above the limit. */
  text(maxBytes: number): string;
  /**
   * The fields of a form. Throws InvalidInput, code ContentTypeUnknown, where the body is of another type; where a
   * body is broken, what can be read of it is.
   */
  form(maxBytes: number): URLSearchParams;
}

const FORM_TYPE = 'application/x-www-form-urlencoded';

export function readRequest(event: APIGatewayProxyEvent): HttpRequest {
  const header = (name: string) => headerOf(event, name);
  return {
    method: event.httpMethod === 'HEAD' ? 'GET' : event.httpMethod,
    path: trimSlashes(event.requestContext.path ?? event.path ?? ''),
    requestId: event.requestContext.requestId ?? '',
    header,
    query: (name) => event.queryStringParameters?.[name] ?? undefined,
    cookie: (name) => cookieOf(header('cookie') ?? '', name),
    text: (maxBytes) => bodyText(event, maxBytes),
    form: (maxBytes) => {
      const type = (header('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
      if (type !== FORM_TYPE) {
        throw new InvalidInput('ContentTypeUnknown', `The body has to be of type ${FORM_TYPE}.`);
      }
      return new URLSearchParams(bodyText(event, maxBytes));
    },
  };
}

function trimSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end -= 1;
  return path.slice(0, end);
}

function headerOf(event: APIGatewayProxyEvent, name: string): string | undefined {
  const wanted = name.toLowerCase();
  const found = Object.entries(event.headers ?? {}).find(([key]) => key.toLowerCase() === wanted)?.[1];
  return found ?? undefined;
}

function cookieOf(header: string, name: string): string | undefined {
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

function bodyText(event: APIGatewayProxyEvent, maxBytes: number): string {
  const body = event.body ?? '';
  const bytes = Buffer.from(body, event.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > maxBytes) {
    throw new InvalidInput('BodyTooLarge', `The body is larger than the ${maxBytes} bytes that are taken.`);
  }
  return bytes.toString('utf8');
}
