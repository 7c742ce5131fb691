// The pages' one style sheet. Colours keep a contrast of at least 4.5 to 1 in light and dark.

export const STYLES = `
:root {
  color-scheme: light dark;
  --ground: #f5f6f8; --card: #ffffff; --ink: #1b2330; --soft: #566072; --line: #d7dce4; --field: #ffffff;
  --accent: #0b5cad; --accent-ink: #ffffff; --danger: #a3261f; --note: #fff4d6; --note-ink: #5a4300;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161d; --card: #1b212b; --ink: #e8ecf2; --soft: #a7b1c2; --line: #343d4b; --field: #12161d;
    --accent: #7db8f5; --accent-ink: #0d1722; --danger: #ff9d94; --note: #3a2f10; --note-ink: #ffe4a3;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; }
.banner { background: var(--note); color: var(--note-ink); padding: .5rem 1rem; text-align: center; margin: 0; }
header, main, footer { max-width: 68rem; margin: 0 auto; padding: 1rem; }
header { display: flex; flex-wrap: wrap; gap: .5rem 2rem; align-items: baseline; }
header strong { font-size: 1.15rem; }
nav ul { display: flex; gap: 1.25rem; list-style: none; margin: 0; padding: 0; }
a { color: var(--accent); }
a[aria-current] { color: var(--ink); font-weight: 600; text-decoration: none; border-bottom: 2px solid var(--accent); }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .5rem 0 1rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .75rem; }
h3 { font-size: 1.05rem; margin: 0; }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem; }
.card > * + * { margin-top: .75rem; }
.card.row > * { margin-top: 0; }
.grid > .card { display: flex; flex-direction: column; }
.grid > .card > p { margin-bottom: 0; }
.grid > .card > .row { margin-top: auto; }
.grid > .card > .row { padding-top: .75rem; }
.grid.wide { grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); }
.soft { color: var(--soft); }
.row { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
code { font: .85em ui-monospace, monospace; overflow-wrap: anywhere; }
label { display: block; font-weight: 600; }
label.inline { display: flex; gap: .5rem; align-items: center; font-weight: 400; }
input[type=text], input[type=number], select { width: 100%; font: inherit; color: inherit; background: var(--field); border: 1px solid var(--soft); border-radius: .4rem; padding: .5rem .6rem; }
details > summary { cursor: pointer; color: var(--accent); padding: .6rem 0; }
details > * + * { margin-top: .75rem; }
details p, form > p { margin-bottom: 0; }
fieldset { border: 1px solid var(--line); border-radius: .4rem; margin: 1rem 0 0; padding: .5rem .75rem .75rem; }
legend { font-weight: 600; padding: 0 .25rem; }
fieldset > p { margin: .5rem 0 0; }
pre { margin: .5rem 0 0; font: .85em/1.4 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; text-align: left; }
button { font: inherit; font-weight: 600; border: 1px solid var(--accent); border-radius: .4rem; padding: .5rem 1rem; min-height: 2.75rem; cursor: pointer; background: var(--accent); color: var(--accent-ink); }
button.quiet { background: transparent; color: var(--accent); }
button.danger { background: transparent; color: var(--danger); border-color: var(--danger); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .5rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:last-child > * { border-bottom: 0; }
th { font-weight: 600; }
thead th { color: var(--soft); font-size: .9rem; white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
@media (max-width: 40rem) {
  table, tbody, tr, th, td { display: block; }
  thead { position: absolute; clip-path: inset(50%); }
  tr { padding: .5rem .75rem; border-bottom: 1px solid var(--line); }
  tbody tr:last-child { border-bottom: 0; }
  tbody th, td { display: flex; justify-content: space-between; gap: 1rem; padding: .15rem 0; border: 0; text-align: right; white-space: normal; }
  tbody [data-label]::before { content: attr(data-label); color: var(--soft); font-weight: 400; text-align: left; white-space: nowrap; }
}
.alert { border-left: 4px solid var(--danger); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;
