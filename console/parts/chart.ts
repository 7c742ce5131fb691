// Bars stacked by what became of the units. The table beneath each chart says the same in numbers.
import { type Html, html, raw } from '../../lambdas/pages/html.ts';
import { shortUnits, units } from './amount.ts';

/** What units can stand as. Each has a colour and a pattern of its own. */
type Place = 'billed' | 'pending' | 'atStake' | 'lost' | 'withheld';

const PLACE_NAMES: Readonly<Record<Place, string>> = {
  billed: 'Billed',
  pending: 'On its way',
  atStake: 'At stake',
  lost: 'Lost',
  withheld: 'Withheld',
};

/** From the ground up. */
const STACK: readonly Place[] = ['billed', 'pending', 'atStake', 'lost', 'withheld'];

export interface Bar {
  /** Under the bar, where there is room; and first in what is said of it. */
  readonly label: string;
  readonly amounts: Readonly<Record<Place, number>>;
}

interface Chart {
  readonly id: string;
  readonly title: string;
  readonly bars: readonly Bar[];
  /** One in so many bars has its label shown. */
  readonly labelEach: number;
}

const WIDTH = 1_000;
const HEIGHT = 200;
const GAP = 0.22;

/** Texts stand outside of the drawing, so that it can be stretched to any width and they can't. */
export function stackedBars({ id, title, bars, labelEach }: Chart): Html {
  const top = niceTop(Math.max(1, ...bars.map(totalOf)));
  const step = WIDTH / Math.max(1, bars.length);
  const drawn = bars.map((bar, index) => drawBar(bar, index * step + (step * GAP) / 2, step * (1 - GAP), top, id));
  const sum = bars.reduce((all, bar) => all + totalOf(bar), 0);
  const used = STACK.filter((place) => bars.some(({ amounts }) => amounts[place] > 0));
  const legend = used.map(
    (place) => html`<li><svg class="key" viewBox="0 0 16 16" aria-hidden="true">${patternsOf(`${id}-k`, [place])}
<rect class="place-${place}" width="16" height="16"/><rect width="16" height="16" fill="${fillOf(`${id}-k`, place)}"/></svg>${PLACE_NAMES[place]}</li>`,
  );
  const labels = bars.map(({ label }, index) => html`<span>${index % labelEach === 0 ? label : ''}</span>`);
  return html`<figure class="chart" aria-labelledby="${id}-title">
<figcaption id="${id}-title">${title}</figcaption>
<ul class="legend" role="list">${legend}</ul>
<div class="plot">
<div class="scale" aria-hidden="true"><span>${shortUnits(top)}</span><span>${shortUnits(top / 2)}</span><span>0</span></div>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${`${title}: ${units(sum)} units in all; the table below has each number.`}">
${patternsOf(id, used)}<path class="rule" d="M0 0.5H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT - 0.5}H${WIDTH}"/>
${drawn}</svg>
<div class="labels" aria-hidden="true">${labels}</div>
</div>
</figure>`;
}

function drawBar({ label, amounts }: Bar, x: number, width: number, top: number, id: string): Html {
  let ground = HEIGHT;
  const parts = STACK.flatMap((place) => {
    if (amounts[place] <= 0) return [];
    const height = Math.max(1, (amounts[place] / top) * HEIGHT);
    ground -= height;
    const box = raw(`x="${round(x)}" y="${round(ground)}" width="${round(width)}" height="${round(height)}"`);
    return [html`<rect class="place-${place}" ${box}/><rect ${box} fill="${fillOf(id, place)}"/>`];
  });
  const said = STACK.filter((place) => amounts[place] > 0).map(
    (place) => `${PLACE_NAMES[place]} ${units(amounts[place])}`,
  );
  return html`<g><title>${label}: ${said.join(', ') || 'nothing'}</title>${parts}</g>`;
}

/** The colour is the class's; on it lies a pattern, so that prints and eyes without the colour tell them apart. */
const PATTERNS: Readonly<Record<Place, string>> = {
  billed: '',
  pending: '<path d="M0 8L8 0M-2 2L2 -2M6 10L10 6"/>',
  atStake: '<path d="M0 8L8 0M0 0L8 8"/>',
  lost: '<path d="M0 2H8M0 6H8"/>',
  withheld: '<circle cx="4" cy="4" r="1.4"/>',
};

function patternsOf(id: string, places: readonly Place[]): Html {
  const patterns = places
    .filter((place) => PATTERNS[place] !== '')
    .map(
      (place) =>
        html`<pattern id="${`${id}-${place}`}" class="ink" width="8" height="8" patternUnits="userSpaceOnUse">${raw(PATTERNS[place])}</pattern>`,
    );
  return html`<defs>${patterns}</defs>`;
}

function fillOf(id: string, place: Place): string {
  return PATTERNS[place] === '' ? 'none' : `url(#${id}-${place})`;
}

function totalOf({ amounts }: Bar): number {
  return STACK.reduce((sum, place) => sum + Math.max(0, amounts[place]), 0);
}

/** The next of 1, 2, 5, 10, … that is no less. */
function niceTop(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= most) ?? most;
}

function round(length: number): number {
  return Math.round(length * 100) / 100;
}
