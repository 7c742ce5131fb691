// What a deployment has, by its settings; see lib/fulfillment.ts.
import type { HandlerName } from '../../lambdas/runtime/settings.ts';
import { type Deployment, hasSignUps } from '../../lib/deployment.ts';
import { NOTICE_REGION } from './regions.ts';

export interface NamedStack {
  readonly name: string;
  readonly region: string;
}

/** Without settings those that every deployment has. */
export function expectedStacks(stage: string, region: string, deployment?: Deployment): NamedStack[] {
  const named = (name: string, where = region): NamedStack => ({ name: `fulfillment-${stage}-${name}`, region: where });
  return [
    ...['storage', 'registration', 'metering', 'access', 'lifecycle', 'watch'].map((name) => named(name)),
    ...(deployment?.mail ? [named('mail')] : []),
    // With another publishing account that account hands the notices on, and its stack is looked at from there.
    ...(region === NOTICE_REGION || deployment?.publishingAccount ? [] : [named('notice-forwarding', NOTICE_REGION)]),
  ];
}

export function expectedHandlers({ products, webhooks, mail }: Deployment): readonly HandlerName[] {
  const hasContracts = products.some(({ pricingModel }) => pricingModel !== 'subscription');
  return [
    ...([
      'resolve-buyer',
      'register-customer',
      'record-usage',
      'read-customer',
      'close-hours',
      'send-metering',
      'rotate-session-keys',
      'tell-product',
      'apply-notice',
      'watch-deadlines',
      'summarize-hours',
      'export-audit',
    ] as const),
    ...(webhooks.length > 0 ? (['deliver-webhooks'] as const) : []),
    ...(hasContracts ? (['refresh-entitlements'] as const) : []),
    ...(mail ? (['send-mail'] as const) : []),
    ...(hasSignUps({ products }) ? (['complete-sign-up'] as const) : []),
  ];
}
