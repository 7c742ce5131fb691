// From the fulfillment URL to a registered customer: the pages that a buyer meets.
import { CfnOutput, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import type { Construct } from 'constructs';
import { PRODUCT_PAGES_FILE } from '../lambdas/contracts/registration-settings.ts';
import { GATEWAY_PAGE_HEADERS, gatewayPages } from '../lambdas/pages/gateway-pages.ts';
import { DONE_ROUTE, FORM_ROUTE, FULFILLMENT_ROUTE, KEYS_ROUTE, STYLE_ROUTE } from '../lambdas/pages/routes.ts';
import { Firewall } from './constructs/firewall.ts';
import { HandlerFunction } from './constructs/handler-function.ts';
import { PagesDomain } from './constructs/pages-domain.ts';
import { RegionalApi, TIME_TO_ANSWER } from './constructs/regional-api.ts';
import { type Deployment, hasSignUps, productPagesFile, productsSetting } from './deployment.ts';
import { allowMarketplace, callerRole, marketplaceAccess } from './marketplace-actions.ts';
import { standingAccess } from './standing-access.ts';
import type { StorageStack } from './storage-stack.ts';

export interface RegistrationStackProps extends StackProps {
  readonly deployment: Deployment;
  readonly storage: StorageStack;
}

export class RegistrationStack extends Stack {
  constructor(scope: Construct, id: string, { deployment, storage, ...props }: RegistrationStackProps) {
    super(scope, id, props);
    // The stage of the API needs the role for its logs, which nothing else refers to.
    this.addStackDependency(storage);
    const settings = {
      // Who registers may be the buyer for whom notices waited: the standing is brought up to date at once.
      ...standingAccess(storage),
      PRODUCTS: productsSetting(deployment.products),
      REGISTRATION: JSON.stringify(deployment.registration),
      SESSION_KEYS_SECRET: storage.sessionKeys.read(),
    };
    const files = { [PRODUCT_PAGES_FILE]: productPagesFile(deployment.products) };
    const resolveBuyer = new HandlerFunction(this, 'ResolveBuyer', {
      handler: 'resolve-buyer',
      ...callerRole(deployment, 'resolve-buyer'),
      description: 'The fulfillment URL: takes buyers over from AWS Marketplace',
      settings: {
        ...settings,
        MARKETPLACE_REGION: deployment.marketplaceRegion,
        MARKETPLACE_ACCESS: marketplaceAccess(this, deployment, 'ResolveCustomer'),
        STAGE: deployment.stage,
      },
      files,
      impact: 'buyers who have subscribed are shown an error instead of the registration page',
      remedy: 'docs/runbook.md#requestfailed',
      timeout: TIME_TO_ANSWER,
      logRetention: deployment.logRetentionDays,
    });
    allowMarketplace(resolveBuyer, 'ResolveCustomer', deployment);
    const registerCustomer = new HandlerFunction(this, 'RegisterCustomer', {
      handler: 'register-customer',
      description: 'The registration page: shows it and takes its form',
      settings: {
        ...settings,
        BUYERS_TABLE: storage.buyers.access(['PutItem', 'GetItem']),
      },
      files,
      impact: 'buyers who have subscribed cannot finish their registration',
      remedy: 'docs/runbook.md#requestfailed',
      timeout: TIME_TO_ANSWER,
      logRetention: deployment.logRetentionDays,
    });

    const pages = new RegionalApi(this, 'Pages', {
      description: 'Registration pages for buyers from AWS Marketplace',
      stageName: deployment.stage,
      callers: 'anyone',
      limit: deployment.pagesThrottle,
      routes: [
        { path: FULFILLMENT_ROUTE, methods: ['GET', 'HEAD', 'POST'], lambda: resolveBuyer.lambda },
        { path: FORM_ROUTE, methods: ['GET', 'HEAD', 'POST'], lambda: registerCustomer.lambda },
        { path: DONE_ROUTE, methods: ['GET', 'HEAD'], lambda: registerCustomer.lambda },
        { path: STYLE_ROUTE, methods: ['GET', 'HEAD'], lambda: registerCustomer.lambda },
        ...(hasSignUps(deployment)
          ? [{ path: KEYS_ROUTE, methods: ['GET', 'HEAD'], lambda: registerCustomer.lambda } as const]
          : []),
      ],
      gatewayAnswers: Object.fromEntries(
        Object.entries(gatewayPages(deployment.registration)).map(([name, page]) => [
          name,
          { ...page, headers: GATEWAY_PAGE_HEADERS },
        ]),
      ),
      impact: 'buyers who have subscribed are shown an error page',
      remedy: 'docs/runbook.md#requestfailed',
      logRetention: deployment.logRetentionDays,
    });
    this.#protect(pages, deployment);
    Validations.of(pages).acknowledge(
      {
        id: 'AwsSolutions-APIG4',
        reason: 'Buyers come with nothing but a registration token, which the function has AWS Marketplace vouch for.',
      },
      {
        id: 'AwsSolutions-COG4',
        reason: 'Buyers are no users of ours yet: they register here. Their session is signed by us.',
      },
    );
    new CfnOutput(this, 'FulfillmentUrl', {
      value: this.#addressOf(pages, deployment),
      description: 'The fulfillment URL for the listing on AWS Marketplace',
    });
  }

  #protect(pages: RegionalApi, { webAclArn, firewall }: Deployment): void {
    const { stageArn } = pages.api.deploymentStage;
    if (webAclArn !== undefined) {
      new CfnWebACLAssociation(this, 'Firewall', { resourceArn: stageArn, webAclArn });
    } else if (firewall.enabled) {
      new Firewall(this, 'PagesFirewall', { stageArn, requestsPerFiveMinutes: firewall.requestsPerFiveMinutes });
    } else {
      Validations.of(pages).acknowledge({
        id: 'AwsSolutions-APIG3',
        reason: 'The settings say that there is to be no web ACL (firewall.enabled); the throttles stand.',
      });
    }
  }

  #addressOf(pages: RegionalApi, { pagesDomain }: Deployment): string {
    if (!pagesDomain) return pages.api.urlForPath(FULFILLMENT_ROUTE);
    const { target } = new PagesDomain(this, 'PagesDomain', { api: pages.api, domain: pagesDomain });
    new CfnOutput(this, 'PagesDomainTarget', {
      value: target,
      description: 'Where the name of the pages has to lead, by a CNAME where the zone is not in Route 53',
    });
    return `https://${pagesDomain.name}${FULFILLMENT_ROUTE}`;
  }
}
