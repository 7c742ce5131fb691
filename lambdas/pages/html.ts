// Text to HTML: everything that is filled into a template is escaped, unless it is HTML of ours already.

/** HTML that is safe to send. Made by `html` and `raw` only. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

type Filling = string | number | Html | undefined | false | readonly Filling[];

/** A template whose fillings are escaped; lists are joined; undefined and false are left out. */
export function html(strings: TemplateStringsArray, ...fillings: readonly Filling[]): Html {
  const parts = strings.map((text, index) => text + filled(fillings[index]));
  return new Html(parts.join(''));
}

/** Text of ours that is HTML, or CSS inside of it. Never for what somebody else wrote. */
export function raw(text: string): Html {
  return new Html(text);
}

function filled(filling: Filling): string {
  if (filling === undefined || filling === false) return '';
  if (filling instanceof Html) return filling.toString();
  if (typeof filling === 'object') return filling.map(filled).join('');
  return String(filling).replace(/[&<>"'`]/g, (char) => ENTITIES[char] ?? '');
}

// Names rather than numbers: API Gateway would read a number sign in its own answers as a template's.
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '`': '&grave;',
};
