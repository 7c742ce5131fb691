// Which acts mend what: the buttons beside a record.
import { addHours, type HourStart } from '../../lambdas/domain/hour.ts';
import type { SealedHour } from '../../lambdas/domain/ledger.ts';
import { type Html, html } from '../../lambdas/pages/html.ts';
import { ACTS } from '../../operator/acts/acts.ts';

/** A link to an act's form, filled in with what is known; nothing for an act that is not offered. */
export function actLink(name: string, given: Readonly<Record<string, string>>, back: string): Html | undefined {
  const act = ACTS.find((each) => each.name === name);
  if (!act) return undefined;
  const known = Object.entries(given).filter(([field]) => field in act.fields);
  const query = new URLSearchParams([...known, ['back', back]]);
  return html`<a class="button small" href="/acts/${act.name}?${query.toString()}">${act.title}</a>`;
}

/** An hour as acts on one record name it, and as acts on a range of hours do. */
export function hourFields(hour: HourStart): Readonly<Record<'hour' | 'first' | 'end', string>> {
  return { hour, first: hour, end: addHours(hour, 1) };
}

/** The acts that may be done to a sealed hour as it stands, as docs/operations.md has them. */
export function actsFor(sealed: SealedHour, back: string): readonly (Html | undefined)[] {
  const { hour, licenceKey, dimension } = sealed;
  return actNamesFor(sealed).map((name) => actLink(name, { ...hourFields(hour), licenceKey, dimension }, back));
}

function actNamesFor({ status, heldLate, heldReasons }: SealedHour): readonly string[] {
  const late = heldLate > 0 && !heldReasons.includes('licenceEnded') ? ['carryOn'] : [];
  switch (status) {
    case 'open':
    case 'held':
      return ['resubmit', 'withhold', ...late];
    case 'quarantined':
      return ['release', 'withhold', ...late];
    case 'disputed':
      return ['settle', ...late];
    case 'presumed':
    case 'uncertain':
      return ['confirm', ...late];
    case 'expired':
      return ['carryOn'];
    case 'honoured':
      return ['credit', ...late];
    case 'withheld':
    case 'carried':
      return late;
  }
}
