// A state in a word, with a sign of its own shape beside it: colour alone says nothing.
import { type Html, html } from '../../lambdas/pages/html.ts';

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'quiet';

const SIGNS: Readonly<Record<Tone, string>> = { good: '✓', warn: '▲', bad: '✕', info: '●', quiet: '○' };

export function pill(tone: Tone, text: string): Html {
  return html`<span class="pill ${tone}"><span aria-hidden="true">${SIGNS[tone]}</span> ${text}</span>`;
}
