// Where AWS Marketplace's services are.

/** The only region in which it tells of agreements and licences.
 *  https://docs.aws.amazon.com/marketplace/latest/userguide/notifications-eventbridge.html */
export const NOTICE_REGION = 'us-east-1';

/** Regions of BatchMeterUsage and ResolveCustomer.
 *  https://docs.aws.amazon.com/marketplace/latest/developerguide/metering-regions.html */
export const METERING_REGIONS: ReadonlySet<string> = new Set([
  ...['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'ca-central-1', 'sa-east-1'],
  ...['eu-west-1', 'eu-west-2', 'eu-west-3', 'eu-central-1', 'eu-central-2', 'eu-north-1', 'eu-south-1', 'eu-south-2'],
  ...['ap-south-1', 'ap-south-2', 'ap-southeast-1', 'ap-southeast-2', 'ap-southeast-3', 'ap-southeast-4'],
  ...['ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3', 'ap-east-1'],
  ...['me-south-1', 'me-central-1', 'af-south-1', 'il-central-1', 'cn-northwest-1'],
]);
