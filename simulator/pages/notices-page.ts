// What the seller was told, as it was told.
import { isoInstant } from '../clock.ts';
import { latestNotices, type Notice } from '../world/notices.ts';
import type { World } from '../world/world.ts';
import { html } from './html.ts';
import { type PageReply, show } from './layout.ts';
import { table } from './table.ts';

const NOTICES_SHOWN = 100;

/** The latest notices, newest first, each with the text that a consumer gets. */
export function noticesPage(world: World): PageReply {
  const { url } = world.noticeTarget;
  const notices = latestNotices(world, NOTICES_SHOWN);
  const columns = ['Notice', 'At (UTC)', 'Channel', 'Name', 'Agreement', 'Body'];
  const rows = notices.map((notice) => [
    String(notice.seq),
    isoInstant(notice.dueMs).slice(0, 19).replace('T', ' '),
    notice.channel === 'sns' ? 'SNS' : 'EventBridge',
    notice.name,
    html`<code>${notice.agreementId}</code>`,
    html`<details><summary>Show<span class="hidden"> the body of notice ${notice.seq}</span></summary><pre>${indented(notice)}</pre></details>`,
  ]);
  const posted = url === undefined ? 'They are posted nowhere.' : `They are posted to ${url}.`;
  const main = html`<p class="card">The latest ${NOTICES_SHOWN} notices. ${posted}</p>
${table(columns, 'Notice', rows, 'No notice has gone out yet.')}`;
  return show({ title: 'Notices', path: '/notices', main });
}

function indented({ body }: Notice): string {
  return JSON.stringify(JSON.parse(body), undefined, 2);
}
