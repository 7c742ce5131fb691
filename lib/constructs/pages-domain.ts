// The pages under a name of the seller's own.

import { DomainName, EndpointType, type RestApi, SecurityPolicy } from 'aws-cdk-lib/aws-apigateway';
import { Certificate, CertificateValidation, type ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import { AaaaRecord, ARecord, HostedZone, type IHostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayDomain } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import type { Deployment } from '../deployment.ts';

export interface PagesDomainProps {
  readonly api: RestApi;
  readonly domain: NonNullable<Deployment['pagesDomain']>;
}

export class PagesDomain extends Construct {
  /** What the name has to lead to, by a CNAME where the zone is not ours to write. */
  readonly target: string;

  constructor(scope: Construct, id: string, { api, domain }: PagesDomainProps) {
    super(scope, id);
    const zone =
      domain.hostedZone &&
      HostedZone.fromHostedZoneAttributes(this, 'Zone', {
        hostedZoneId: domain.hostedZone.id,
        zoneName: domain.hostedZone.name,
      });
    const name = new DomainName(this, 'Name', {
      domainName: domain.name,
      certificate: this.#certificate(domain, zone),
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    // At the root: the fulfillment URL is the name and its route, without a stage.
    name.addBasePathMapping(api, { stage: api.deploymentStage });
    this.target = name.domainNameAliasDomainName;
    if (!zone) return;
    const record = { zone, recordName: `${domain.name}.`, target: RecordTarget.fromAlias(new ApiGatewayDomain(name)) };
    new ARecord(this, 'Ipv4', record);
    new AaaaRecord(this, 'Ipv6', record);
  }

  /** The one that is named; else one that Route 53 vouches for. The settings let none through that has neither. */
  #certificate({ name, certificateArn }: PagesDomainProps['domain'], zone: IHostedZone | undefined): ICertificate {
    if (certificateArn !== undefined) return Certificate.fromCertificateArn(this, 'Certificate', certificateArn);
    return new Certificate(this, 'Certificate', { domainName: name, validation: CertificateValidation.fromDns(zone) });
  }
}
