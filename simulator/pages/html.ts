// HTML as a value: what is put into a page is escaped unless it is HTML already.

/** Text that is HTML already. Made by the tag below only, so that nothing gets into a page unescaped. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Html | readonly Html[];

/** A template tag: html`<p>${name}</p>` escapes `name`. */
export function html(pieces: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = pieces[0] ?? '';
  for (const [index, part] of parts.entries()) {
    text += `${toText(part)}${pieces[index + 1] ?? ''}`;
  }
  return new Html(text);
}

function toText(part: Part): string {
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map((each) => each.text).join('');
  return String(part).replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
