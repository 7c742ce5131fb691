// The settings of the pages' surroundings: the web ACL before them, and a name of the seller's own.
import * as v from 'valibot';
import { arnOf } from './arn-setting.ts';

const HostName = v.pipe(
  v.string(),
  v.regex(/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/, 'has to be a host name such as aws.example.com'),
);

const PagesDomainSchema = v.strictObject({
  name: HostName,
  /** A certificate of ACM in the home region; without it, one is made and proven in the hosted zone. */
  certificateArn: v.exactOptional(arnOf('acm')),
  /** The Route 53 zone in which the name is written; without it, lead the name to the output `PagesDomainTarget`. */
  hostedZone: v.exactOptional(
    v.strictObject({
      id: v.pipe(v.string(), v.regex(/^Z[A-Z0-9]{1,31}$/, 'has to be the id of a hosted zone')),
      name: HostName,
    }),
  ),
});

/** One address may stand for a whole company: 300 is some 60 buyers, each of whom makes about five requests in all. */
const FirewallSchema = v.strictObject({
  enabled: v.optional(v.boolean(), true),
  requestsPerFiveMinutes: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(10, 'has to be 10 or more, the least that WAF counts')),
    300,
  ),
});

/** Members of a deployment's settings. */
export const PagesMembers = {
  /** The web ACL before the pages that is made where `webAclArn` names none. */
  firewall: v.optional(FirewallSchema, {}),
  /** A regional WAF web ACL of your own to put before the pages. */
  webAclArn: v.exactOptional(arnOf('wafv2')),
  /** The pages under a name of your own. */
  pagesDomain: v.exactOptional(PagesDomainSchema),
};

const PagesSchema = v.strictObject(PagesMembers);

/** What no member can know by itself; a sentence each. */
export function pagesProblems(
  { firewall, webAclArn, pagesDomain }: v.InferOutput<typeof PagesSchema>,
  homeRegion: string,
): string[] {
  return [
    ...(webAclArn === undefined ? [] : webAclProblems(webAclArn, homeRegion)),
    ...(webAclArn !== undefined && !firewall.enabled
      ? ['webAclArn: a web ACL is named though firewall.enabled is false: take one of them out']
      : []),
    ...(pagesDomain ? domainProblems(pagesDomain, homeRegion) : []),
  ];
}

function webAclProblems(arn: string, homeRegion: string): string[] {
  const [, , , region, , resource = ''] = arn.split(':');
  if (region === homeRegion && resource.startsWith('regional/webacl/')) return [];
  return [`webAclArn: has to be a regional web ACL of ${homeRegion}, where the pages are; one of CloudFront is none`];
}

function domainProblems(
  { name, certificateArn, hostedZone }: v.InferOutput<typeof PagesDomainSchema>,
  homeRegion: string,
): string[] {
  const problems: string[] = [];
  if (certificateArn === undefined && !hostedZone) {
    problems.push('pagesDomain: name a certificateArn, or the hostedZone in which a new certificate can be proven');
  }
  if (certificateArn !== undefined && certificateArn.split(':')[3] !== homeRegion) {
    problems.push(`pagesDomain: the certificate has to be in ${homeRegion}, where the pages are`);
  }
  if (hostedZone && name !== hostedZone.name && !name.endsWith(`.${hostedZone.name}`)) {
    problems.push(`pagesDomain: ${name} does not lie in the zone ${hostedZone.name}`);
  }
  return problems;
}
