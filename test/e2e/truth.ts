// What was used beyond what contracts include, by licence, dimension and hour: what the bill has to say.
import { hourOf } from '../../lambdas/domain/hour.ts';
import type { BillLine, Purchase } from './marketplace.ts';

export class Truth {
  readonly #units = new Map<string, number>();

  add({ productCode, licenceArn }: Purchase, dimension: string, timeMs: number, quantity: number): void {
    const place = [productCode, licenceArn, dimension, hourOf(timeMs)].join(' ');
    this.#units.set(place, (this.#units.get(place) ?? 0) + quantity);
  }

  /** Every place where a bill says something else; empty where it is true. */
  differenceFrom(lines: readonly BillLine[]): string {
    const billed = new Map<string, number>();
    for (const { productCode, licenceArn, dimension, hour, quantity } of lines) {
      const place = [productCode, licenceArn, dimension, hourOf(Date.parse(hour))].join(' ');
      billed.set(place, (billed.get(place) ?? 0) + quantity);
    }
    return [...new Set([...this.#units.keys(), ...billed.keys()])]
      .filter((place) => (this.#units.get(place) ?? 0) !== (billed.get(place) ?? 0))
      .map((place) => `${place}: used ${this.#units.get(place) ?? 0}, billed ${billed.get(place) ?? 0}`)
      .join('; ');
  }
}
