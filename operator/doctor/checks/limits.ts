// The account's room, and this machine's clock.
import { MINUTE_MS, SECOND_MS } from '../../../lambdas/domain/hour.ts';
import type { Facts, GatewayFacts } from '../facts.ts';
import { type Finding, note, ok, problem } from '../finding.ts';
import { unseen } from '../probed.ts';

/** AWS refuses signatures that are five minutes off, and usage that lies ahead is refused by the door. */
const MOST_SKEW_MS = 2 * MINUTE_MS;

export function checkClock({ clockAheadMs }: Pick<Facts, 'clockAheadMs'>): Finding[] {
  const subject = 'clock of this machine';
  const missed = unseen('ClockWrong', subject, clockAheadMs);
  if (missed) return [missed];
  if (clockAheadMs.kind !== 'seen') return [];
  const seconds = Math.round(clockAheadMs.value / SECOND_MS);
  const seen = `It is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} AWS's.`;
  if (Math.abs(clockAheadMs.value) <= MOST_SKEW_MS) return [ok('ClockWrong', subject, seen)];
  const remedy = 'Set it by NTP (timedatectl set-ntp true), here and where your product stamps its usage.';
  return [problem('ClockWrong', subject, { seen, expected: 'less than two minutes apart', remedy })];
}

/** The schedules, the queues and the APIs of one deployment at their busiest. */
const LEAST_CONCURRENCY = 50;

export function checkQuotas({
  concurrency,
  gateway,
  settings,
}: Pick<Facts, 'concurrency' | 'gateway' | 'settings'>): Finding[] {
  const missed = [
    unseen('ConcurrencyLow', 'Lambda quota', concurrency),
    unseen('GatewayQuotaLow', 'API Gateway', gateway),
  ];
  const found = missed.flatMap((each) => each ?? []);
  if (concurrency.kind === 'seen' && concurrency.value < LEAST_CONCURRENCY) {
    found.push(
      problem('ConcurrencyLow', 'Lambda quota', {
        seen: `The account may run ${concurrency.value} functions at once, of all kinds.`,
        expected: `${LEAST_CONCURRENCY} or more; AWS's usual quota is 1,000`,
        remedy:
          'aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000',
      }),
    );
  }
  if (gateway.kind === 'seen') found.push(...gatewayFindings(gateway.value, settings));
  if (found.length > 0 || concurrency.kind !== 'seen') return found;
  return [ok('ConcurrencyLow', 'quotas', 'Lambda and API Gateway have room.')];
}

function gatewayFindings(
  { ratePerSecond, logsRole, isLogsRoleGone }: GatewayFacts,
  settings: Facts['settings'],
): Finding[] {
  const found: Finding[] = [];
  if (logsRole === undefined || isLogsRoleGone) {
    found.push(
      note('GatewayLogless', 'API Gateway', {
        seen: isLogsRoleGone
          ? `It writes its logs by ${logsRole}, which does not exist any more: another stack may have taken it along.`
          : 'It has no role to write logs by in this region.',
        expected: 'a role: without it no request leaves a line in the access log',
        remedy:
          'Set apiGatewayLogsRole to "create" and deploy Storage. Where it says so already: aws apigateway update-account --patch-operations op=replace,path=/cloudwatchRoleArn,value=<the role ApiGatewayLogsRole of that stack>',
      }),
    );
  }
  if (!('deployment' in settings) || ratePerSecond === undefined) return found;
  const { pagesThrottle, usageThrottle } = settings.deployment;
  const wanted = Math.max(pagesThrottle.ratePerSecond, usageThrottle.ratePerSecond);
  if (wanted <= ratePerSecond) return found;
  found.push(
    note('GatewayQuotaLow', 'API Gateway', {
      seen: `All APIs of the account together may take ${ratePerSecond} requests a second.`,
      expected: `${wanted}, as the settings have it for one route`,
      remedy: 'Ask AWS for more (Service Quotas, API Gateway, L-8A5B8E43), or lower the throttle.',
    }),
  );
  return found;
}
