// The control API: finds the route, runs it in one transaction, answers JSON.
import type { JsonObject } from '../json.ts';
import { parseJson } from '../json.ts';
import { seedWorld } from '../seed.ts';
import { settleWorld } from '../world/lifecycle.ts';
import type { World } from '../world/world.ts';
import { agreementRoutes } from './agreement-routes.ts';
import { catalogRoutes } from './catalog-routes.ts';
import { ControlError, invalid, objectWith, optionalChoice } from './input.ts';
import { noticeRoutes } from './notice-routes.ts';
import type { Route } from './route.ts';
import { worldRoutes, worldView } from './world-routes.ts';

interface ControlCall {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}

const ROUTES: readonly Route[] = [
  ...catalogRoutes,
  ...agreementRoutes,
  ...noticeRoutes,
  ...worldRoutes,
  { method: 'GET', path: '/control/world', run: worldView },
  {
    method: 'POST',
    path: '/control/reset',
    run: (world, { body }) => {
      const seed = optionalChoice(objectWith(body, ['seed']), 'seed', ['demo', 'none']) ?? 'none';
      world.reset();
      seedWorld(world, seed);
      return { reset: true, seed };
    },
  },
];

/** Answers one call. A refused call has changed nothing. */
export function answerControl(world: World, call: ControlCall): ControlAnswer {
  try {
    const { route, params } = findRoute(call.method, call.path);
    const body = readBody(call.body);
    const result = world.db.transaction(() => {
      settleWorld(world);
      return route.run(world, { params, query: call.query, body });
    });
    return { status: 200, body: result };
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    return { status: error.status, body: { error: { code: error.code, message: error.message } } };
  }
}

function findRoute(method: string, path: string): { route: Route; params: JsonObject } {
  const parts = path.split('/');
  const samePath = ROUTES.flatMap((route) => {
    const params = match(route.path.split('/'), parts);
    return params === undefined ? [] : [{ route, params }];
  });
  // "/control/agreements/batch" is also of the form "/control/agreements/:id": the literal one is meant.
  const found = samePath
    .filter(({ route }) => route.method === method)
    .toSorted((one, other) => Object.keys(one.params).length - Object.keys(other.params).length)[0];
  if (found !== undefined) return found;
  if (samePath.length === 0) {
    throw new ControlError(404, 'NotFound', `There is no ${path}: simulator/README.md lists the control API.`);
  }
  const methods = samePath.map(({ route }) => route.method).join(', ');
  throw new ControlError(405, 'MethodNotAllowed', `${path} has no ${method}; it has ${methods}.`);
}

function match(pattern: readonly string[], parts: readonly string[]): JsonObject | undefined {
  if (pattern.length !== parts.length) return undefined;
  const params: JsonObject = {};
  for (const [index, expected] of pattern.entries()) {
    const part = parts[index] ?? '';
    if (!expected.startsWith(':')) {
      if (expected !== part) return undefined;
      continue;
    }
    params['id'] = decoded(part);
  }
  return params;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid('The path is not well encoded.');
  }
}

function readBody(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  const json = parseJson(body.toString());
  if (json === undefined) throw invalid('The body is no JSON.');
  return json.value;
}
