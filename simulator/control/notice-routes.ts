// Control: the log of notices, and where they are posted.
import { isoInstant } from '../clock.ts';
import type { JsonObject } from '../json.ts';
import { listNotices, type Notice } from '../world/notices.ts';
import type { World } from '../world/world.ts';
import { invalid, objectWith, optionalHttpUrl, optionalWhole, queryWhole } from './input.ts';
import type { Route } from './route.ts';

const LIMIT_MAX = 100_000;
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

export const noticeRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/control/notices',
    run: (world, { query }) => {
      const after = queryWhole(query, 'after', 0, Number.MAX_SAFE_INTEGER);
      const notices = listNotices(world, after, queryWhole(query, 'limit', 1000, LIMIT_MAX));
      return { notices: notices.map(noticeView), next: notices.at(-1)?.seq ?? after };
    },
  },
  { method: 'GET', path: '/control/notice-target', run: (world) => targetView(world) },
  {
    method: 'PUT',
    path: '/control/notice-target',
    run: (world, { body }) => {
      const wanted = objectWith(body, ['url', 'after']);
      const url = optionalHttpUrl(wanted, 'url');
      if (url === undefined) throw invalid('url is missing: send an address of this machine.');
      refuseElsewhere(url);
      // A target that comes back goes on where it left off, at whatever port it is now.
      const sentSeq = optionalWhole(wanted, 'after', 0, Number.MAX_SAFE_INTEGER) ?? world.noticeTarget.sentSeq;
      world.noticeTarget = { url, sentSeq };
      return targetView(world);
    },
  },
  {
    method: 'DELETE',
    path: '/control/notice-target',
    run: (world) => {
      world.noticeTarget = { ...world.noticeTarget, url: undefined };
      return targetView(world);
    },
  },
];

/** Notices name buyers; a simulator must not become a way to send them off this machine. */
function refuseElsewhere(url: string): void {
  const { protocol, hostname, username, password } = new URL(url);
  if (protocol === 'http:' && LOOPBACK.includes(hostname) && username === '' && password === '') return;
  throw invalid(`url must be an http address of this machine: ${LOOPBACK.join(', ')}, without a password.`);
}

function targetView(world: World): JsonObject {
  const { url, sentSeq } = world.noticeTarget;
  return { url: url ?? null, sentSeq };
}

function noticeView({ seq, dueMs, channel, name, agreementId, body }: Notice): JsonObject {
  return { seq, at: isoInstant(dueMs), channel, name, agreementId, body };
}
