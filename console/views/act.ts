// An act in three steps: what it is told, what it would do, and what it did with its line in the audit.

import type { AuditEntry } from '../../lambdas/domain/amendment.ts';
import { type Html, html } from '../../lambdas/pages/html.ts';
import type { Done, OperatorAct, Plan } from '../../operator/acts/act.ts';
import { draftAct, newAct } from '../../operator/acts/act.ts';
import { ACTS } from '../../operator/acts/acts.ts';
import type { Field } from '../../operator/acts/field.ts';
import { hidden } from '../layout.ts';
import { facts, showTable } from '../parts/table.ts';
import { instant } from '../parts/time.ts';
import type { PageRequest, Reply } from '../reply.ts';
import type { Site } from '../site.ts';

interface Given {
  readonly raw: Readonly<Record<string, string>>;
  readonly why: string;
  readonly actionId: string;
  readonly typed: string;
  readonly back: string;
}

type Problems = readonly { readonly field: string; readonly message: string }[];

/** GET: the act's form, filled in as far as the link to it says. */
export async function actForm(_site: Site, { names, url }: PageRequest): Promise<Reply> {
  const act = actNamed(names['name']);
  return act ? formPage(_site, act, givenOf(act, url.searchParams), []) : noSuchAct();
}

/** POST: what it would do; nothing is written. */
export async function actPlan(site: Site, { names, form }: PageRequest): Promise<Reply> {
  const act = actNamed(names['name']);
  if (!act) return noSuchAct();
  const given = givenOf(act, form);
  const draft = await draftAct(site.desk);
  const answer = await act.perform(site.desk, given.raw, { act: draft, dryRun: true });
  switch (answer.kind) {
    case 'mistaken':
      return formPage(site, act, given, [...answer.problems, ...whyProblem(given)]);
    case 'refused':
      return formPage(site, act, given, whyProblem(given), answer.message);
    case 'done':
    case 'already':
      return donePage(site, act, answer, given);
    case 'planned': {
      const problems = whyProblem(given);
      if (problems.length > 0) return formPage(site, act, given, problems);
      // The id is made with the plan: a second press of the button, or a reload, is the same act.
      return planPage(site, act, answer, { ...given, actionId: given.actionId || draft.actionId });
    }
  }
}

/** POST: does it, once for the id in the form, after the words where they are asked for. */
export async function actResult(site: Site, { names, form }: PageRequest): Promise<Reply> {
  const act = actNamed(names['name']);
  if (!act) return noSuchAct();
  const given = givenOf(act, form);
  const who = await newAct(site.desk, given.why, given.actionId);
  const known = await site.desk.ledger.action(given.actionId);
  if (!known) {
    const plan = await act.perform(site.desk, given.raw, { act: who, dryRun: true });
    const isConfirmed = plan.kind !== 'planned' || (plan.confirmation ?? '') === given.typed.trim();
    if (plan.kind === 'planned' && !isConfirmed) return planPage(site, act, plan, given, true);
  }
  const answer = await act.perform(site.desk, given.raw, { act: who, dryRun: false });
  switch (answer.kind) {
    case 'mistaken':
      return formPage(site, act, given, answer.problems);
    case 'refused':
      return formPage(site, act, given, [], answer.message);
    case 'planned':
    case 'done':
    case 'already':
      return donePage(site, act, answer.kind === 'planned' ? { ...answer, ...given, kind: 'done' } : answer, given);
  }
}

function actNamed(name: string | undefined): OperatorAct | undefined {
  return ACTS.find((act) => act.name === name);
}

function givenOf(act: OperatorAct, values: URLSearchParams): Given {
  const raw = Object.fromEntries(
    Object.keys(act.fields).flatMap((name) => {
      const text = values.get(name);
      return text === null ? [] : [[name, text.trim()]];
    }),
  );
  const text = (name: string) => values.get(name) ?? '';
  // Only a path of our own leads back; anything else would be a link to where somebody else wants.
  const back = /^\/(?![/\\])/.test(text('back')) ? text('back') : '/';
  return { raw, why: text('why').trim(), actionId: text('actionId'), typed: text('typed'), back };
}

function whyProblem({ why }: Given): Problems {
  return why === '' ? [{ field: 'why', message: 'is missing: the audit keeps it' }] : [];
}

function formPage(site: Site, act: OperatorAct, given: Given, problems: Problems, refused?: string): Reply {
  const fields = Object.entries(act.fields).map(([name, field]) => fieldOf(name, field, given.raw[name], problems));
  const alert = alertOf(act, problems, refused);
  const main = html`<h1>${act.title}</h1>
<p class="lead">${act.help}</p>
${alert}
<form class="form" method="post" action="/acts/${act.name}">
${hidden(site)}<input type="hidden" name="back" value="${given.back}">
${fields}
${whyField(given, problems)}
<p class="buttons"><button class="primary">Show what it would do</button> <a href="${given.back}">Back</a></p>
<p class="hint">Nothing is written yet.</p>
</form>`;
  return {
    kind: 'page',
    status: problems.length > 0 || refused !== undefined ? 422 : 200,
    title: alert ? `Error: ${act.title}` : act.title,
    section: 'none',
    main,
  };
}

function alertOf(act: OperatorAct, problems: Problems, refused: string | undefined): Html | undefined {
  if (refused !== undefined) {
    return html`<div class="note bad" role="alert" tabindex="-1"><p><strong>Refused; nothing was changed.</strong> ${refused}</p></div>`;
  }
  if (problems.length === 0) return undefined;
  const items = problems.map(({ field, message }) => {
    const isShown = field === 'why' || field in act.fields;
    return html`<li>${isShown ? html`<a href="#${field}">${nameOf(field)}</a>` : nameOf(field)} ${message}</li>`;
  });
  return html`<div class="note bad" role="alert" tabindex="-1"><p><strong>Please check what you wrote</strong></p><ul>${items}</ul></div>`;
}

function fieldOf(name: string, field: Field<unknown>, value: string | undefined, problems: Problems): Html {
  const problem = problems.find((each) => each.field === name)?.message;
  const about = html`aria-describedby="${name}-hint${problem === undefined ? '' : ` ${name}-problem`}"${problem === undefined ? '' : html` aria-invalid="true"`}`;
  const wrong = problem !== undefined && html`<p class="problem" id="${name}-problem">${nameOf(name)} ${problem}</p>`;
  const hint = html`<p class="hint" id="${name}-hint">${field.help}${field.isFlag || field.choices || field.isFile ? '' : html`, such as <span class="code">${field.example}</span>`}</p>`;
  if (field.isFlag) {
    return html`<div class="field"><label class="check"><input type="checkbox" id="${name}" name="${name}" value="yes" ${about}${value === 'yes' ? html` checked` : ''}> ${nameOf(name)}</label>${hint}${wrong}</div>`;
  }
  const label = html`<label for="${name}">${nameOf(name)}${field.isRequired ? '' : html` <span class="soft">(optional)</span>`}</label>`;
  return html`<div class="field">${label}${hint}${inputOf(name, field, value, about)}${wrong}</div>`;
}

function inputOf(name: string, field: Field<unknown>, value: string | undefined, about: Html): Html {
  if (field.choices) {
    const choices = field.choices.map(
      (choice) => html`<option value="${choice}"${choice === value ? html` selected` : ''}>${choice}</option>`,
    );
    return html`<select id="${name}" name="${name}" ${about}>${field.isRequired ? '' : html`<option value=""></option>`}${choices}</select>`;
  }
  if (field.isFile) {
    // Pasted, or filled by the script from a file that is chosen.
    return html`<textarea id="${name}" name="${name}" rows="6" spellcheck="false" ${about}>${value ?? ''}</textarea>
<label class="hidden" for="${name}-file">${nameOf(name)}, from a file</label><input type="file" id="${name}-file" data-fills="${name}" hidden>`;
  }
  return html`<input type="text" id="${name}" name="${name}" value="${value ?? ''}" autocomplete="off" spellcheck="false" ${about}>`;
}

function whyField({ why }: Given, problems: Problems): Html {
  const problem = problems.find(({ field }) => field === 'why')?.message;
  return html`<div class="field"><label for="why">Why</label>
<p class="hint" id="why-hint">stands in the audit for ever, with who does it; no personal data</p>
<input type="text" id="why" name="why" value="${why}" maxlength="1000" autocomplete="off" aria-describedby="why-hint"${problem === undefined ? '' : html` aria-invalid="true"`}>
${problem !== undefined && html`<p class="problem">Why ${problem}</p>`}</div>`;
}

function planPage(site: Site, act: OperatorAct, plan: Plan, given: Given, isMistyped = false): Reply {
  const { confirmation } = plan;
  const kept = Object.entries(given.raw).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  const carried = html`${hidden(site)}${kept}<input type="hidden" name="back" value="${given.back}"><input type="hidden" name="why" value="${given.why}">`;
  const words =
    confirmation !== undefined &&
    html`<div class="field"><label for="typed">Type <span class="code">${confirmation}</span> to confirm</label>
<p class="hint" id="typed-hint">AWS takes nothing back of what it is sent, and neither can this be undone here.</p>
<input type="text" id="typed" name="typed" autocomplete="off" spellcheck="false" aria-describedby="typed-hint${isMistyped ? ' typed-problem' : ''}"${isMistyped ? html` aria-invalid="true"` : ''}>
${isMistyped && html`<p class="problem" id="typed-problem">These are not the words; nothing was done.</p>`}</div>`;
  const main = html`<h1>${act.title}: what it would do</h1>
<div class="note"><p><strong>${plan.summary}</strong></p>${plan.notes.map((note) => html`<p>${note}</p>`)}</div>
${changesTable(plan.changes)}
<form class="form" method="post" action="/acts/${act.name}/do">
${carried}<input type="hidden" name="actionId" value="${given.actionId}">
${facts([['Why', given.why]])}
${words}
<p class="buttons"><button class="primary">${act.title}</button> <a href="${given.back}">Leave it as it is</a></p>
</form>
<form method="get" action="/acts/${act.name}">${kept}<input type="hidden" name="back" value="${given.back}"><input type="hidden" name="why" value="${given.why}"><button class="small">Change the entries</button></form>`;
  return {
    kind: 'page',
    status: isMistyped ? 422 : 200,
    title: `${isMistyped ? 'Error: ' : ''}${act.title}`,
    section: 'none',
    main,
  };
}

async function donePage(site: Site, act: OperatorAct, done: Done, given: Given): Promise<Reply> {
  const lines = await linesOf(site, done.actionId);
  const main = html`<h1>${act.title}: ${done.kind === 'done' ? 'done' : 'was done before'}</h1>
<div class="note good" role="status"><p><strong>${done.summary}</strong></p>${done.notes.map((note) => html`<p>${note}</p>`)}</div>
${changesTable(done.changes)}
<h2>Its line in the audit</h2>
${lines.length === 0 ? html`<p class="none">It changed nothing, so that there is none.</p>` : lines.map((line) => auditFacts(line, site.timeZone))}
<p class="buttons"><a class="button" href="${given.back}">Back</a> <a href="/audit">The audit</a></p>`;
  return { kind: 'page', title: `${act.title}: done`, section: 'none', main };
}

/** An act on many records has a line for each part, under its id and a suffix. */
async function linesOf({ desk }: Site, actionId: string): Promise<readonly AuditEntry[]> {
  const own = await desk.ledger.action(actionId);
  if (own) return [own];
  const parts: AuditEntry[] = [];
  for await (const page of desk.ledger.audit(new Date(desk.clock()).toISOString().slice(0, 7))) {
    parts.push(...page.filter((line) => line.actionId.startsWith(`${actionId}.`)));
  }
  return parts.slice(0, PARTS_SHOWN);
}

const PARTS_SHOWN = 20;

function auditFacts(line: AuditEntry, timeZone: string): Html {
  return facts([
    ['When', instant(line.at, timeZone)],
    ['Who', line.who],
    ['Why', line.why],
    ['Act', line.action],
    ['Licence', line.licenceKey],
    ['Dimension', line.dimension],
    ['Hour', line.hour],
    ...Object.entries(line.facts).map(([name, value]) => [name, String(value)] as const),
    ['Id', html`<code>${line.actionId}</code>`],
  ]);
}

function changesTable(changes: Plan['changes']): Html {
  return showTable({
    caption: 'What changes',
    columns: [
      { name: 'What', kind: 'head' },
      { name: 'Before', kind: 'number' },
      { name: 'After', kind: 'number' },
    ],
    rows: changes.map(({ what, before, after }) => [what, shown(before), shown(after)]),
    none: 'No numbers change.',
  });
}

function shown(value: string | number): string | number {
  return value === '' ? '–' : value;
}

/** `licenceKey` as `Licence key`, `awsQuantity` as `AWS quantity`. */
function nameOf(field: string): string {
  const words = field
    .replace(/^aws/, 'AWS')
    .replaceAll(/(?<=[a-zS])[A-Z](?=[a-z])/g, (letter) => ` ${letter.toLowerCase()}`);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

function noSuchAct(): Reply {
  const acts = ACTS.map(({ name, title, help }) => html`<li><a href="/acts/${name}">${title}</a>: ${help}</li>`);
  return {
    kind: 'page',
    status: 404,
    title: 'No such act',
    section: 'none',
    main: html`<h1>No such act</h1><p>What can be done here:</p><ul>${acts}</ul>`,
  };
}
