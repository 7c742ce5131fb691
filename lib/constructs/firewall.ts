// A web ACL before the pages: one address may ask for much more than any buyer needs, and no more.
import { Duration, Stack } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import { BookedAlarm } from './alarm-book.ts';

/** The span by which WAF counts, its default. */
const SPAN = Duration.minutes(5);

/** Refusals that nobody is told of: a scanner that gives up again. */
const TOLERATED_REFUSALS = 100;

export interface FirewallProps {
  /** The stage of the API to stand before. */
  readonly stageArn: string;
  /** How many requests in five minutes one address may make. */
  readonly requestsPerFiveMinutes: number;
}

export class Firewall extends Construct {
  constructor(scope: Construct, id: string, { stageArn, requestsPerFiveMinutes }: FirewallProps) {
    super(scope, id);
    const name = `${Stack.of(this).stackName}-pages`;
    const visible = (metricName: string) => ({
      cloudWatchMetricsEnabled: true,
      metricName,
      // A sample holds a request's headers, and so a buyer's session cookie.
      sampledRequestsEnabled: false,
    });
    const acl = new CfnWebACL(this, 'WebAcl', {
      name,
      description: 'Keeps one address from asking the registration pages for more than any buyer needs',
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visible(name),
      rules: [
        {
          name: 'requests-of-one-address',
          priority: 0,
          // What the caller is shown is API Gateway's answer WAF_FILTERED, a page of ours.
          action: { block: {} },
          statement: {
            rateBasedStatement: {
              aggregateKeyType: 'IP',
              limit: requestsPerFiveMinutes,
              evaluationWindowSec: SPAN.toSeconds(),
            },
          },
          visibilityConfig: visible(`${name}-rate`),
        },
      ],
    });
    new CfnWebACLAssociation(this, 'Association', { resourceArn: stageArn, webAclArn: acl.attrArn });
    new BookedAlarm(this, 'Refusals', {
      name: 'pages-firewall-refusals',
      severity: 'low',
      impact: `More than ${TOLERATED_REFUSALS} requests for the registration pages were refused: a program is knocking, or many buyers behind one address are shown "Too many requests"`,
      remedy: 'docs/runbook.md#firewall-refusals',
      metric: new Metric({
        namespace: 'AWS/WAFV2',
        metricName: 'BlockedRequests',
        dimensionsMap: { WebACL: name, Region: Stack.of(this).region, Rule: 'ALL' },
        period: SPAN,
        statistic: 'Sum',
      }),
      above: TOLERATED_REFUSALS,
    });
  }
}
