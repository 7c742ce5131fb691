// Posts each notice to the target that the control API named, one after the other, until it is taken.
import { setTimeout as pause } from 'node:timers/promises';
import { nextRenewalMs } from './world/agreements.ts';
import { settleWorld } from './world/lifecycle.ts';
import { listNotices, type Notice, nextNoticeMs } from './world/notices.ts';
import type { World } from './world/world.ts';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5000;
const ANSWER_MS = 10_000;
const LONGEST_SLEEP_MS = 3_600_000;

interface Pusher {
  /** Looks again at what is due; to be called after anything that may have changed the world. */
  readonly wake: () => void;
  /** Resolves once nothing is under way any more; the world may be closed then. */
  readonly ended: Promise<void>;
}

/** Starts posting. A notice is in the log before it is sent; one whose taking could not be noted is sent again. */
export function startPusher(world: World, closing: AbortSignal): Pusher {
  let waking = new AbortController();
  let failures = 0;
  /** Posts what is next, or waits until there is something to post. */
  const step = async (): Promise<void> => {
    // Made before looking, so that a change in between is not slept through.
    waking = new AbortController();
    const target = world.noticeTarget;
    const notice = target.url === undefined ? undefined : nextToSend(world, target.sentSeq);
    if (target.url === undefined || notice === undefined) {
      const waitMs = target.url === undefined ? LONGEST_SLEEP_MS : untilDueMs(world);
      return sleep(waitMs, AbortSignal.any([closing, waking.signal]));
    }
    const taken = await post(target.url, notice, closing);
    // Another target or a reset may have come while the answer was awaited.
    if (taken && world.noticeTarget === target) world.noticeTarget = { ...target, sentSeq: notice.seq };
    failures = taken ? 0 : failures + 1;
    if (!taken) await sleep(Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1)), closing);
  };
  const run = async (): Promise<void> => {
    while (!closing.aborted) {
      await step().catch(async (error: unknown) => {
        console.error('The simulator could not post a notice, and tries again:', error);
        await sleep(LAST_RETRY_MS, closing);
      });
    }
  };
  return { wake: () => waking.abort(), ended: run() };
}

function nextToSend(world: World, sentSeq: number): Notice | undefined {
  settleWorld(world);
  return listNotices(world, sentSeq, 1)[0];
}

async function post(url: string, notice: Notice, closing: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-notice-seq': String(notice.seq),
        'x-notice-channel': notice.channel,
      },
      body: notice.body,
      // A redirect could lead away from this machine.
      redirect: 'manual',
      signal: AbortSignal.any([closing, AbortSignal.timeout(ANSWER_MS)]),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** Wall time until the clock reaches what is planned next; long where it stands or nothing is planned. */
function untilDueMs(world: World): number {
  const plans = [nextNoticeMs(world), nextRenewalMs(world)].filter((atMs) => atMs !== undefined);
  if (world.clock.mode === 'set' || plans.length === 0) return LONGEST_SLEEP_MS;
  return Math.min(LONGEST_SLEEP_MS, Math.max(1, (Math.min(...plans) - world.now()) / world.clock.rate));
}

/** Waits, or until the signal says otherwise. Does not keep the process alive. */
async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
