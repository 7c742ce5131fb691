// What every view has at hand.
import type { Desk } from '../operator/desk.ts';
import type { Launch } from './guard.ts';

export interface Site {
  readonly desk: Desk;
  readonly launch: Launch;
  /** The reader's own, such as `Europe/Berlin`: shown beside UTC. */
  readonly timeZone: string;
}
