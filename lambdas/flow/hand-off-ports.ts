// What handing a buyer on to the seller's own sign-up page needs from outside.
import type { HandOffVerdict, RedeemedHandOff } from '../domain/hand-off.ts';

/** Judges a hand-off by our own keys. Throws Unavailable and Misconfigured where they can't be read. */
export type HandOffJudge = (text: string, nowMs: number) => Promise<HandOffVerdict>;

export interface HandOffStore {
  /** Once per hand-off: `'spent'` where another redemption has it. The same redemption again is `'redeemed'`. */
  redeem(redeemed: RedeemedHandOff): Promise<'redeemed' | 'spent'>;
  redeemed(handOffId: string): Promise<RedeemedHandOff | undefined>;
}
