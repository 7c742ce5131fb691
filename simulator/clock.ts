// The world's clock: real, set by hand, or running faster (or slower) than the wall.

export type ClockSetting =
  | { readonly mode: 'real' }
  | { readonly mode: 'set'; readonly at: string }
  | { readonly mode: 'accelerated'; readonly at?: string; readonly rate: number };

/** World time = anchorMs + (wall - anchorRealMs) x rate. `real` keeps no anchor, so that it follows the wall exactly. */
export interface ClockState {
  readonly mode: ClockSetting['mode'];
  readonly rate: number;
  readonly anchorRealMs: number;
  readonly anchorMs: number;
}

// The last instant that a JavaScript Date can hold.
const LAST_INSTANT_MS = 8_640_000_000_000_000;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/**
 * The wall's time in epoch milliseconds: the only place that asks for it, so that tests know where time comes from.
 */
export function wallMs(): number {
  return Date.now();
}

/** Epoch milliseconds of an ISO instant with a zone; undefined where the text is none. A zone is demanded: AWS counts in UTC. */
export function parseInstant(text: string): number | undefined {
  if (!INSTANT.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** An ISO instant in UTC, whole milliseconds. What no Date can hold is shown as the nearest one that can. */
export function isoInstant(ms: number): string {
  return new Date(Math.max(-LAST_INSTANT_MS, Math.min(LAST_INSTANT_MS, Math.floor(ms)))).toISOString();
}

/** The world's time in epoch milliseconds. Never earlier than the answer before, as long as the state is the same. */
export function worldNow(state: ClockState): number {
  switch (state.mode) {
    case 'real':
      return wallMs();
    case 'set':
      return state.anchorMs;
    case 'accelerated':
      return Math.floor(state.anchorMs + (wallMs() - state.anchorRealMs) * state.rate);
  }
}

/** The state a setting asks for, or undefined where its instant or its rate makes no sense. `nowMs` is used where no instant is given. */
export function clockState(setting: ClockSetting, nowMs: number): ClockState | undefined {
  const anchorRealMs = wallMs();
  if (setting.mode === 'real') return { mode: 'real', rate: 1, anchorRealMs, anchorMs: anchorRealMs };
  const anchorMs = setting.at === undefined ? nowMs : parseInstant(setting.at);
  if (anchorMs === undefined) return undefined;
  if (setting.mode === 'set') return { mode: 'set', rate: 0, anchorRealMs, anchorMs };
  const sensible = Number.isFinite(setting.rate) && setting.rate > 0 && setting.rate <= 1_000_000;
  return sensible ? { mode: 'accelerated', rate: setting.rate, anchorRealMs, anchorMs } : undefined;
}
