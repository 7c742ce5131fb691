// What a route of the control API is.
import type { JsonObject } from '../json.ts';
import type { World } from '../world/world.ts';

interface ControlRequest {
  /** `id`: the part of the path that stands for the `:name`, decoded. */
  readonly params: JsonObject;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** At most one part begins with a colon and takes whatever stands there, slashes excluded unless encoded. */
  readonly path: string;
  readonly run: (world: World, request: ControlRequest) => unknown;
}
