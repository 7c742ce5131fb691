// AWS's catalog as far as a listing is read and its address changed: the real wire, one page an entry, AWS's own words.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { serveOnLoopback } from '../../../local/loopback.ts';

export interface CatalogState {
  /** By entity id. */
  readonly entities: Record<
    string,
    { readonly type: string; readonly offerOf?: string; details: Record<string, unknown> }
  >;
  readonly changes: Change[];
  /** How often a change is looked at before it ends. */
  looksUntilEnd: number;
  /** What the address answers to AWS's own look; 200 where absent. */
  addressStatus?: number;
  /** As who each call came. */
  readonly callers: string[];
  /** Every role that was taken; STS stands at the same address. */
  readonly roles: object[];
}

interface Change {
  readonly id: string;
  readonly token: string | undefined;
  readonly entityId: string;
  readonly request: unknown;
  readonly apply: () => void;
  status: string;
  looks: number;
  error?: { readonly ErrorCode: string; readonly ErrorMessage: string };
}

export const LISTED = 'prod-abcdefghijklm';

/** A SaaS product by usage with one address, its public offer, and another product besides. */
export function aCatalog(productCode: string, url: string | undefined): CatalogState {
  const option = {
    Id: 'do-1234567891234567891234',
    Type: 'SaaSUrlDeliveryOption',
    FulfillmentUrl: url,
    Visibility: 'Public',
  };
  return {
    entities: {
      [LISTED]: {
        type: 'SaaSProduct@1.0',
        details: {
          Description: { ProductCode: productCode, ProductTitle: 'Metrics Cloud', Visibility: 'Limited' },
          Versions: url === undefined ? [] : [{ Id: 'v-1', DeliveryOptions: [option] }],
          Dimensions: [{ Key: 'requests' }, { Key: 'gb_stored' }],
        },
      },
      'prod-other': {
        type: 'SaaSProduct@1.0',
        details: { Description: { ProductCode: 'other', ProductTitle: 'Other', Visibility: 'Public' }, Dimensions: [] },
      },
      'offer-1': {
        type: 'Offer@1.0',
        offerOf: LISTED,
        details: { Terms: [{ Type: 'UsageBasedPricingTerm' }, { Type: 'LegalTerm' }] },
      },
    },
    changes: [],
    looksUntilEnd: 1,
    callers: [],
    roles: [],
  };
}

class Refusal extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, message: string) {
    super(message);
    this.status = status;
    this.type = type;
  }
}

export async function startCatalog(state: CatalogState): Promise<string> {
  const server = await serveOnLoopback(async (request, response) => {
    const [, key] = /Credential=([^/]+)/.exec(request.headers.authorization ?? '') ?? [];
    state.callers.push(key ?? 'nobody');
    if (request.url === '/') return assumeRole(state, await textOf(request), response);
    try {
      answer(response, 200, operationOf(state, request, await bodyOf(request)));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      response.setHeader('x-amzn-errortype', error.type);
      answer(response, error.status, { message: error.message });
    }
  });
  onTestFinished(() => server.close());
  return server.url;
}

interface Body {
  readonly EntityType?: string;
  readonly NextToken?: string;
  readonly EntityTypeFilters?: { readonly OfferFilters?: { readonly ProductId?: { readonly ValueList: string[] } } };
  readonly FilterList?: readonly { readonly Name: string; readonly ValueList: readonly string[] }[];
  readonly ClientRequestToken?: string;
  readonly ChangeSet?: readonly ChangeRequest[];
}

interface ChangeRequest {
  readonly ChangeType: string;
  readonly Entity: { readonly Type: string; readonly Identifier: string };
  readonly DetailsDocument: { readonly DeliveryOptions: readonly OptionChange[] };
}

interface OptionChange {
  readonly Id?: string;
  readonly Details: { readonly SaaSUrlDeliveryOptionDetails: { readonly FulfillmentUrl: string } };
}

function operationOf(state: CatalogState, request: IncomingMessage, body: Body): unknown {
  const url = new URL(request.url ?? '', 'http://catalog');
  switch (`${request.method} ${url.pathname}`) {
    case 'POST /ListEntities':
      return listEntities(state, body);
    case 'GET /DescribeEntity':
      return describeEntity(state, url.searchParams.get('entityId') ?? '');
    case 'POST /ListChangeSets':
      return listChangeSets(state, body);
    case 'POST /StartChangeSet':
      return startChangeSet(state, body);
    case 'GET /DescribeChangeSet':
      return describeChangeSet(state, url.searchParams.get('changeSetId') ?? '');
    default:
      throw new Refusal(404, 'UnknownOperationException', url.pathname);
  }
}

function listEntities({ entities }: CatalogState, { EntityType, NextToken, EntityTypeFilters }: Body) {
  const products = EntityTypeFilters?.OfferFilters?.ProductId?.ValueList;
  const ids = Object.entries(entities)
    .filter(([, { type, offerOf }]) => type === `${EntityType}@1.0` && (!products || products.includes(offerOf ?? '')))
    .map(([id]) => id);
  const at = Number(NextToken ?? 0);
  return {
    EntitySummaryList: ids.slice(at, at + 1).map((EntityId) => ({ EntityId, EntityType })),
    ...(at + 1 < ids.length ? { NextToken: String(at + 1) } : {}),
  };
}

function describeEntity({ entities }: CatalogState, entityId: string) {
  const entity = entities[entityId];
  if (!entity) throw new Refusal(404, 'ResourceNotFoundException', `The entity ${entityId} is not there.`);
  return { EntityIdentifier: `${entityId}@7`, EntityType: entity.type, DetailsDocument: entity.details };
}

function listChangeSets({ changes }: CatalogState, { FilterList = [] }: Body) {
  const values = (name: string) => FilterList.find(({ Name }) => Name === name)?.ValueList ?? [];
  const found = changes.filter(
    ({ entityId, status }) => values('EntityId').includes(entityId) && values('Status').includes(status),
  );
  return { ChangeSetSummaryList: found.map(({ id, status }) => ({ ChangeSetId: id, Status: status })) };
}

function startChangeSet(state: CatalogState, { ChangeSet = [], ClientRequestToken: token }: Body) {
  const known = state.changes.find((each) => token !== undefined && each.token === token);
  if (known) return { ChangeSetId: known.id };
  const [change] = ChangeSet;
  if (!change) throw new Refusal(422, 'ValidationException', 'ChangeSet is empty.');
  const { Type, Identifier } = change.Entity;
  const entity = state.entities[Identifier];
  if (!entity || entity.type !== Type) throw new Refusal(404, 'ResourceNotFoundException', Identifier);
  if (state.changes.some(({ entityId, status }) => entityId === Identifier && status === 'PREPARING')) {
    throw new Refusal(
      423,
      'ResourceInUseException',
      `Requested change set has entities locked by change sets - ${Identifier}`,
    );
  }
  const [option] = change.DetailsDocument.DeliveryOptions;
  if (!option) throw new Refusal(422, 'ValidationException', 'DeliveryOptions is empty.');
  const id = `change-${state.changes.length + 1}`;
  const { FulfillmentUrl } = option.Details.SaaSUrlDeliveryOptionDetails;
  if (!FulfillmentUrl.startsWith('https://'))
    throw new Refusal(422, 'ValidationException', 'Provide a valid fulfillment URL beginning with "https://".');
  state.changes.push({
    id,
    token,
    entityId: Identifier,
    request: change,
    status: 'PREPARING',
    looks: 0,
    apply: () => applied(entity, change.ChangeType, option, FulfillmentUrl),
  });
  return {
    ChangeSetId: id,
    ChangeSetArn: `arn:aws:aws-marketplace:us-east-1:111122223333:AWSMarketplace/ChangeSet/${id}`,
  };
}

function applied(
  entity: CatalogState['entities'][string],
  changeType: string,
  option: OptionChange,
  FulfillmentUrl: string,
): void {
  const [version] = entity.details['Versions'] as { DeliveryOptions: { Id: string }[] }[];
  const options = version?.DeliveryOptions ?? [];
  if (changeType === 'AddDeliveryOptions' && options.length > 0)
    throw new Refusal(
      0,
      'DUPLICATE_DELIVERY_OPTIONS',
      'You provided one or more delivery option types that already exist.',
    );
  if (changeType === 'UpdateDeliveryOptions' && !options.some(({ Id }) => Id === option.Id))
    throw new Refusal(0, 'INVALID_DELIVERY_OPTION_IDS', `IDs not found: ${option.Id}`);
  entity.details['Versions'] = [{ Id: 'v-2', DeliveryOptions: [{ Id: option.Id ?? 'do-new', FulfillmentUrl }] }];
}

function describeChangeSet(state: CatalogState, changeSetId: string) {
  const change = state.changes.find(({ id }) => id === changeSetId);
  if (!change) throw new Refusal(404, 'ResourceNotFoundException', changeSetId);
  change.looks += 1;
  if (change.status === 'PREPARING' && change.looks >= state.looksUntilEnd) ended(state, change);
  const { id, status, error } = change;
  return { ChangeSetId: id, Status: status, ChangeSet: [{ ErrorDetailList: error ? [error] : [] }] };
}

function ended({ addressStatus = 200 }: CatalogState, change: Change): void {
  try {
    if (addressStatus !== 200) {
      const message = `The URL you provided returned HTTP status code ${addressStatus}. Provide a fulfillment URL that renders with a 200.`;
      throw new Refusal(0, 'INVALID_FULFILLMENT_URL', message);
    }
    change.apply();
    change.status = 'SUCCEEDED';
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    change.status = 'FAILED';
    change.error = { ErrorCode: error.type, ErrorMessage: error.message };
  }
}

function assumeRole({ roles }: CatalogState, form: string, response: ServerResponse): void {
  const fields = new URLSearchParams(form);
  roles.push({ RoleArn: fields.get('RoleArn'), ExternalId: fields.get('ExternalId') });
  const credentials = `<Credentials><AccessKeyId>ASIAPUBLISHER</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>`;
  response
    .writeHead(200, { 'content-type': 'text/xml' })
    .end(`<AssumeRoleResponse><AssumeRoleResult>${credentials}</AssumeRoleResult></AssumeRoleResponse>`);
}

async function bodyOf(request: IncomingMessage): Promise<Body> {
  const text = await textOf(request);
  return text === '' ? {} : (JSON.parse(text) as Body);
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
