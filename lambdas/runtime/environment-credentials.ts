// Stands in for the SDK's credential chain in what is deployed: lib/constructs/bundle.ts puts it in the place of
// @aws-sdk/credential-provider-node. Lambda gives a function its role's credentials in the environment; SSO, profiles,
// instance metadata and the rest of the chain would be 140 KiB that every cold start reads for nothing.
import { type ClientSettings, clientSettings } from './aws-client.ts';

/** The name and form under which the SDK's clients ask for their default. */
export function defaultProvider(): () => Promise<ClientSettings['credentials']> {
  return async () => clientSettings(process.env, 'DYNAMODB').credentials;
}
