// The simulator's clock, followed here: the deployed handlers run on the same time as the AWS that they talk to.
import type { Clock } from '../lambdas/runtime/clock.ts';
import type { ControlClient } from './control-client.ts';

interface ClockState {
  readonly mode: 'real' | 'set' | 'accelerated';
  readonly rate: number;
  readonly anchorRealMs: number;
  readonly anchorMs: number;
}

/** A clock that computes the simulator's time from its last known state. */
export class WorldClock {
  readonly #control: ControlClient;
  #state: ClockState | undefined;
  #seen: ClockState | undefined;

  constructor(control: ControlClient) {
    this.#control = control;
  }

  readonly now: Clock = () => timeBy(this.#state);

  /** The time by what was seen last, which `now` may not have been moved to yet. */
  readonly ahead: Clock = () => timeBy(this.#seen);

  /** Asks the simulator for its clock, and leaves `now` as it is until it is moved on. */
  async look(): Promise<void> {
    this.#seen = await this.#control.get<ClockState>('/control/clock');
  }

  /** Moves `now` to what was seen last. */
  moveOn(): void {
    this.#state = this.#seen;
  }

  /** Asks the simulator for its clock, and goes by it; to be called after anything may have moved it. */
  async follow(): Promise<void> {
    await this.look();
    this.moveOn();
  }

  /** Sets the simulator's clock, and follows it. */
  async set(atMs: number): Promise<void> {
    await this.#control.put('/control/clock', { mode: 'set', at: new Date(atMs).toISOString() });
    await this.follow();
  }
}

function timeBy(state: ClockState | undefined): number {
  if (!state || state.mode === 'real') return Date.now();
  if (state.mode === 'set') return state.anchorMs;
  return Math.floor(state.anchorMs + (Date.now() - state.anchorRealMs) * state.rate);
}
