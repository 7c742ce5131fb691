import { expect, test } from 'vitest';
import { parseMeteringPolicy, parseProducts } from '../../lambdas/contracts/product-settings.ts';
import { DEFAULT_METERING_POLICY } from '../../lambdas/domain/metering-policy.ts';

test('a metering policy that says nothing is the default one, AWS’s quota of ten calls a second included', () => {
  expect(parseMeteringPolicy('{}')).toEqual(DEFAULT_METERING_POLICY);
  expect(DEFAULT_METERING_POLICY.callsPerSecond).toBe(10);
  expect(parseMeteringPolicy('{"callsPerSecond":40}').callsPerSecond).toBe(40);
});

test.each(['0', '2.5', '-1', '"10"'])('a pace of %s calls a second is refused by name', (pace) => {
  expect(() => parseMeteringPolicy(`{"callsPerSecond":${pace}}`)).toThrow(/callsPerSecond/);
});

test('a product may be rehearsed up to an hour, and nothing but an hour', () => {
  const product = (rehearsal: object) => JSON.stringify([{ productCode: 'p', title: 'P', rehearsal }]);
  expect(parseProducts(product({ mode: 'dryRun', until: '2026-11-23T07' })).get('p')?.rehearsal).toEqual({
    mode: 'dryRun',
    until: '2026-11-23T07',
  });
  for (const until of ['2026-11-23', '2026-11-23T24', '2026-02-30T01', 'soon']) {
    expect(() => parseProducts(product({ mode: 'shadow', until }))).toThrow(/rehearsal\.until/);
  }
  expect(() => parseProducts(product({ mode: 'wet' }))).toThrow(/rehearsal\.mode/);
});
