// A small world to try things on.
import { AS_USUAL, type Product, putProduct, SELLER, usualNotices } from './world/products.ts';
import type { World } from './world/world.ts';

/** Lists the demo products where `demo` is asked for; a repeat replaces them. */
export function seedWorld(world: World, seed: 'demo' | 'none'): void {
  if (seed === 'none') return;
  const { fulfillmentUrl } = world;
  const types = ['ExternallyMetered'] as const;
  const products: readonly Omit<Product, keyof typeof SELLER | keyof typeof AS_USUAL | 'notices'>[] = [
    {
      productCode: 'demo-product',
      productId: 'prod-demo',
      title: 'Demo Metrics Cloud',
      identityStyle: 'licence',
      pricing: 'subscription',
      fulfillmentUrl,
      dimensions: [
        { key: 'requests', description: 'Requests answered', unitPriceUsd: '0.0004', types },
        { key: 'kib_sent', description: 'KiB sent', unitPriceUsd: '0.00002', types },
        { key: 'gb_stored', description: 'GB stored, per hour', unitPriceUsd: '0.0005', types },
      ],
    },
    {
      productCode: 'demo-legacy-product',
      productId: 'prod-demo-legacy',
      title: 'Demo Search (listed before June 2026)',
      identityStyle: 'legacy',
      pricing: 'subscription',
      fulfillmentUrl,
      dimensions: [{ key: 'requests', description: 'Searches answered', unitPriceUsd: '0.001', types }],
    },
    {
      productCode: 'demo-contract-product',
      productId: 'prod-demo-contract',
      title: 'Demo Backup (contract with consumption)',
      identityStyle: 'licence',
      pricing: 'contractWithConsumption',
      fulfillmentUrl,
      dimensions: [
        { key: 'seats', description: 'Seats', types: ['Entitled'] },
        { key: 'pro_tier', description: 'Pro features', types: ['Entitled'], valueType: 'Boolean' },
        {
          key: 'gb_stored',
          description: 'GB stored, per hour',
          unitPriceUsd: '0.0005',
          types: ['ExternallyMetered', 'Entitled'],
        },
      ],
    },
  ];
  for (const product of products) {
    putProduct(world, { ...product, ...SELLER, notices: usualNotices(product.identityStyle), ...AS_USUAL });
  }
}
