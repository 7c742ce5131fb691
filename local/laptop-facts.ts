// What runs on a laptop, as the operator's tools want to know it.
import { DEPLOYED_SETTINGS, type DeployedSettings, type DeploymentFacts } from '../operator/deployment.ts';
import { type BackendOptions, backendEnvironment } from './backend.ts';
import { deadLettersUrl, queueUrl } from './messaging.ts';

interface Addresses {
  readonly messagingUrl: string;
  readonly appUrl: string;
  readonly simulator: { readonly url: string; readonly controlSecret: string };
}

export function laptopFacts(options: BackendOptions, { messagingUrl, appUrl, simulator }: Addresses): DeploymentFacts {
  const environment = backendEnvironment(options);
  const settings = Object.fromEntries(DEPLOYED_SETTINGS.map((name) => [name, environment[name] ?? '']));
  const queue = (name: string) => ({
    url: queueUrl(messagingUrl, name),
    deadLettersUrl: deadLettersUrl(messagingUrl, name),
  });
  return {
    stage: 'laptop',
    region: environment['AWS_REGION'] ?? '',
    tables: options.tables,
    queues: {
      notices: queue('notices'),
      webhooks: queue('webhooks'),
      ...(options.mail === undefined ? {} : { mail: queue('mail') }),
    },
    eventBus: environment['EVENT_BUS'] ?? '',
    urls: { fulfillment: `${appUrl}/register`, usage: `${appUrl}/usage` },
    settings: settings as DeployedSettings,
    functions: {},
    endpoints: { DYNAMODB: options.databaseEndpoint, SQS: messagingUrl },
    simulator: { url: simulator.url, controlSecret: simulator.controlSecret },
  };
}
