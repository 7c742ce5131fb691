// From the fulfillment URL to a registered customer: the pages that a buyer meets.
import { CfnOutput, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import type { Construct } from 'constructs';
import { GATEWAY_PAGE_HEADERS, gatewayPages } from '../lambdas/pages/gateway-pages.ts';
import { DONE_ROUTE, FORM_ROUTE, FULFILLMENT_ROUTE, STYLE_ROUTE } from '../lambdas/pages/routes.ts';
import { HandlerFunction } from './constructs/handler-function.ts';
import { RegionalApi, TIME_TO_ANSWER } from './constructs/regional-api.ts';
import { type Deployment, productsSetting } from './deployment.ts';
import { allowMarketplace } from './marketplace-actions.ts';
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
    const resolveBuyer = new HandlerFunction(this, 'ResolveBuyer', {
      handler: 'resolve-buyer',
      description: 'The fulfillment URL: takes buyers over from AWS Marketplace',
      settings: {
        ...settings,
        MARKETPLACE_REGION: deployment.marketplaceRegion,
        STAGE: deployment.stage,
      },
      impact: 'buyers who have subscribed are shown an error instead of the registration page',
      remedy: 'docs/runbook.md#requestfailed',
      timeout: TIME_TO_ANSWER,
      logRetention: deployment.logRetentionDays,
    });
    allowMarketplace(resolveBuyer, 'ResolveCustomer');
    const registerCustomer = new HandlerFunction(this, 'RegisterCustomer', {
      handler: 'register-customer',
      description: 'The registration page: shows it and takes its form',
      settings: {
        ...settings,
        BUYERS_TABLE: storage.buyers.access(['PutItem', 'GetItem']),
      },
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
    if (deployment.webAclArn !== undefined) {
      new CfnWebACLAssociation(this, 'Firewall', {
        resourceArn: pages.api.deploymentStage.stageArn,
        webAclArn: deployment.webAclArn,
      });
    }
    Validations.of(pages).acknowledge(
      {
        id: 'AwsSolutions-APIG4',
        reason: 'Buyers come with nothing but a registration token, which the function has AWS Marketplace vouch for.',
      },
      {
        id: 'AwsSolutions-COG4',
        reason: 'Buyers are no users of ours yet: they register here. Their session is signed by us.',
      },
      {
        id: 'AwsSolutions-APIG3',
        reason: 'A web ACL costs money each month, so it is the setting webAclArn; without it the throttles stand.',
      },
    );
    new CfnOutput(this, 'FulfillmentUrl', {
      value: pages.api.urlForPath(FULFILLMENT_ROUTE),
      description: 'The fulfillment URL for the listing on AWS Marketplace',
    });
  }
}
