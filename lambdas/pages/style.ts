// The one style sheet of the pages. No font, image or script comes from elsewhere.
import { createHash } from 'node:crypto';
import { accentShades } from '../domain/accent.ts';
import type { RegistrationSettings } from '../domain/registration-settings.ts';

// No number sign and no dollar sign in here: API Gateway reads both in the answers that it makes itself.
const STYLE = `
:root {
  color-scheme: light dark;
  --page: rgb(244 246 249); --card: rgb(255 255 255); --ink: rgb(17 24 39); --soft: rgb(75 85 99);
  --line: rgb(214 219 228); --field: rgb(255 255 255); --edge: rgb(122 132 148);
  --accent: rgb(29 78 216); --accent-deep: rgb(30 58 160); --on-accent: rgb(255 255 255); --tint: rgb(235 241 254);
  --good: rgb(21 112 62); --bad: rgb(180 35 24); --bad-tint: rgb(254 242 241);
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: rgb(13 17 25); --card: rgb(22 28 39); --ink: rgb(236 240 247); --soft: rgb(168 178 194);
    --line: rgb(48 57 73); --field: rgb(14 19 28); --edge: rgb(118 130 150);
    --accent: rgb(138 173 255); --accent-deep: rgb(176 200 255); --on-accent: rgb(10 20 45); --tint: rgb(27 38 62);
    --good: rgb(104 211 145); --bad: rgb(255 148 138); --bad-tint: rgb(54 26 27);
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; min-height: 100vh; min-height: 100dvh; display: flex; flex-direction: column; align-items: center;
  padding: clamp(1rem, 4vw, 3.5rem) 1rem 2rem; background: var(--page); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere;
}
body > * { width: 100%; max-width: 38rem; }
.seller { display: flex; align-items: center; gap: .75rem; margin-bottom: 1.25rem; padding-inline: .25rem; font-weight: 600; }
.seller img { height: 2.25rem; width: auto; max-width: 10rem; object-fit: contain; }
.mark {
  flex: none; display: grid; place-items: center; width: 2.25rem; height: 2.25rem; border-radius: .6rem;
  background: var(--accent); color: var(--on-accent); font-weight: 700;
}
main {
  background: var(--card); border: 1px solid var(--line); border-radius: 1rem; padding: clamp(1.25rem, 5vw, 2.5rem);
  box-shadow: 0 1px 2px rgb(0 0 0 / .04), 0 12px 32px -12px rgb(15 23 42 / .14);
}
h1 { margin: 0 0 .5rem; font-size: clamp(1.45rem, 1.2rem + 1.4vw, 1.85rem); line-height: 1.2; letter-spacing: -.015em; text-wrap: balance; }
h2 { margin: 1.75rem 0 .5rem; font-size: 1.075rem; line-height: 1.3; }
p { margin: .5rem 0; }
.lead { text-wrap: pretty; }
a { color: var(--accent); text-underline-offset: .15em; }
a:hover { color: var(--accent-deep); text-decoration-thickness: 2px; }
.lead, .soft, footer { color: var(--soft); }
.steps { display: flex; gap: .5rem; margin: 0 0 1.75rem; padding: 0; list-style: none; font-size: .875rem; }
.steps li { flex: 1; padding-top: .6rem; border-top: 4px solid var(--line); color: var(--soft); }
.steps .done { border-color: var(--good); }
.steps [aria-current] { border-color: var(--accent); color: var(--ink); font-weight: 650; }
.tick { color: var(--good); font-weight: 700; }
.field { margin-top: 1.25rem; }
label { display: block; font-weight: 600; }
.optional { color: var(--soft); font-weight: 400; }
.hint { margin: .1rem 0 0; color: var(--soft); font-size: .9rem; }
input:not([type=hidden]) {
  display: block; width: 100%; min-height: 2.9rem; margin-top: .4rem; padding: .55rem .8rem; border: 1px solid var(--edge);
  border-radius: .6rem; background: var(--field); color: inherit; font: inherit;
}
input[aria-invalid] { border: 2px solid var(--bad); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.problem { margin: .35rem 0 0; color: var(--bad); font-size: .925rem; font-weight: 600; }
.alert { margin: 0 0 1.5rem; padding: 1rem 1.15rem; border: 1px solid var(--bad); border-left-width: 6px; border-radius: .6rem; background: var(--bad-tint); }
.alert p { margin: 0; font-size: 1.075rem; font-weight: 700; }
.alert ul { margin: .4rem 0 0; padding-left: 1.2rem; }
.alert a { color: var(--bad); font-weight: 600; }
button, .button {
  display: inline-block; min-height: 2.9rem; margin-top: 1.5rem; padding: .7rem 1.4rem; border: 1px solid transparent; border-radius: .6rem;
  background: var(--accent); color: var(--on-accent); font: inherit; font-weight: 650; text-align: center; text-decoration: none; cursor: pointer;
}
button:hover, .button:hover { background: var(--accent-deep); color: var(--on-accent); }
.note { margin-top: 1.5rem; padding: 1rem 1.15rem; border-radius: .6rem; background: var(--tint); }
.note p { margin: 0; }
.note p + p { margin-top: .5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1rem; margin: 1.5rem 0 0; padding-top: 1.25rem; border-top: 1px solid var(--line); }
dt { color: var(--soft); }
dd { margin: 0; }
code { font: .925em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; user-select: all; }
form + .soft { margin-top: 1.25rem; }
footer { margin-top: 1.25rem; padding-inline: .25rem; font-size: .9rem; }
@media (max-width: 30rem) {
  .steps { flex-wrap: wrap; font-size: .8125rem; letter-spacing: -.01em; }
  .steps li { flex: 1 0 auto; }
  button, .button { width: 100%; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd + dt { margin-top: .6rem; }
}
@media (forced-colors: active) {
  .steps li, .alert, main { border-color: CanvasText; }
  .steps [aria-current] { border-color: Highlight; }
  .mark { border: 1px solid CanvasText; }
}
@media print { body { background: none; } main { border: 0; box-shadow: none; } button, .button { display: none; } }
`.trim();

/** The style sheet of a seller's pages. */
export function styleOf({ accent }: Pick<RegistrationSettings, 'accent'>): string {
  return accent === undefined ? STYLE : `${STYLE}\n${accentStyle(accent)}`;
}

/** Changes with the style: the address with it may be kept by browsers for ever. */
export function styleVersion(style: string): string {
  return createHash('sha256').update(style).digest('hex').slice(0, 12);
}

function accentStyle(accent: string): string {
  const { light, dark } = accentShades(accent);
  const rules = ({ accent: main, deep, tint }: typeof light) =>
    `:root { --accent: ${rgb(main)}; --accent-deep: ${rgb(deep)}; --tint: ${rgb(tint)}; }`;
  return `${rules(light)}\n@media (prefers-color-scheme: dark) { ${rules(dark)} }`;
}

function rgb(colour: readonly number[]): string {
  return `rgb(${colour.join(' ')})`;
}
