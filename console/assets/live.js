// Brings a page up to date without reloading it: focus, scroll, open parts and what was typed stay where they are.
// Without this script the console works the same; it has to be reloaded by hand.

const lookMs = Number(document.body.dataset.lookSeconds ?? 0) * 1_000;
const status = document.getElementById('looked');
let etag = '';
let failures = 0;

/** Asks for the page again; a page that has not changed costs an empty answer. */
async function look() {
  const response = await fetch(location.href, { headers: etag ? { 'if-none-match': etag } : {}, cache: 'no-store' });
  if (response.status === 304) return;
  if (!response.ok) throw new Error(`The console answered ${response.status}.`);
  etag = response.headers.get('etag') ?? '';
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
  const said = [];
  for (const part of document.querySelectorAll('[data-live]')) {
    const next = fresh.getElementById(part.id);
    if (!next) continue;
    if (part.dataset.said !== next.dataset.said) said.push(next.dataset.said);
    become(part, next);
  }
  // Only what a person may wait for is said aloud, and only when it has changed.
  if (said.length > 0) status.textContent = said.join('. ');
}

/** Makes one element as another is, child by child, and leaves alone what is the same. */
function become(element, next) {
  if (element.isEqualNode(next)) return;
  for (const { name } of [...element.attributes]) {
    // Whether a part is open is the reader's to say.
    if (!next.hasAttribute(name) && name !== 'open') element.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (element.getAttribute(name) !== value && name !== 'open') element.setAttribute(name, value);
  }
  const keyed = new Map([...element.children].filter(({ id }) => id).map((child) => [child.id, child]));
  let at = element.firstChild;
  for (const wanted of [...next.childNodes]) {
    const kept = wanted.id ? keyed.get(wanted.id) : undefined;
    if (kept) {
      if (kept !== at) element.insertBefore(kept, at);
      else at = at.nextSibling;
      become(kept, wanted);
    } else if (at && isLike(at, wanted)) {
      const following = at.nextSibling;
      if (at.nodeType === Node.ELEMENT_NODE) become(at, wanted);
      else if (at.data !== wanted.data) at.data = wanted.data;
      at = following;
    } else {
      element.insertBefore(document.importNode(wanted, true), at);
    }
  }
  while (at) {
    const following = at.nextSibling;
    at.remove();
    at = following;
  }
}

function isLike(one, other) {
  return one.nodeType === other.nodeType && one.nodeName === other.nodeName && !one.id && !other.id;
}

/** A console that was ended, or a laptop that slept, is asked less and less often, and the page says so. */
async function keepLooking() {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(lookMs * 2 ** failures, 60_000)));
    if (document.hidden) continue;
    try {
      await look();
      if (failures > 0) status.textContent = 'Connected again.';
      failures = 0;
    } catch {
      failures += 1;
      if (failures === 1) status.textContent = 'The console does not answer; what stands here may be old.';
    }
  }
}

if (lookMs > 0) void keepLooking();

for (const select of document.querySelectorAll('select[data-submits]')) {
  select.addEventListener('change', () => select.form.requestSubmit());
}
for (const button of document.querySelectorAll('[data-for-select]')) button.hidden = true;
// A file is read here and sent as the text of its field; CloudTrail packs its files.
for (const input of document.querySelectorAll('input[data-fills]')) {
  input.hidden = false;
  input.addEventListener('change', async () => {
    const [file] = input.files;
    if (!file) return;
    const packed = file.name.endsWith('.gz')
      ? file.stream().pipeThrough(new DecompressionStream('gzip'))
      : file.stream();
    document.getElementById(input.dataset.fills).value = await new Response(packed).text();
  });
}
// The answer to a form that was not taken is read first.
document.querySelector('[role="alert"]')?.focus();
