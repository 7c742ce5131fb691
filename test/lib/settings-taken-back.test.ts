// Settings that are taken back again. CloudFormation refuses to take away what another deployed stack still imports, so
// each step is played through as it would be deployed: one stack after the other, those before it at their new template.
import { describe, expect, test } from 'vitest';
import { parseDeployment } from '../../lib/deployment.ts';
import { addFulfillment } from '../../lib/fulfillment.ts';
import { EVERYTHING, exampleSettings, WITHOUT_BUNDLES, withApp } from './synthesized.ts';

interface Template {
  readonly Outputs?: Readonly<Record<string, { readonly Export?: { readonly Name: string } }>>;
}

/** Stacks by their names, in the order in which they are deployed. */
type Stacks = ReadonlyMap<string, Template>;

function synthesized(overrides: object): Stacks {
  return withApp({ context: WITHOUT_BUNDLES }, (app) => {
    addFulfillment(app, parseDeployment(exampleSettings(overrides)));
    const { stacks } = app.synth({ skipValidation: true });
    return new Map(stacks.map(({ id, template }) => [id, template]));
  });
}

function exportsOf({ Outputs = {} }: Template): string[] {
  return Object.values(Outputs).flatMap(({ Export }) => (Export ? [Export.Name] : []));
}

function importsOf(template: Template): string[] {
  return [...JSON.stringify(template).matchAll(/"Fn::ImportValue":"([^"]+)"/g)].map(([, name = '']) => name);
}

/** What CloudFormation would refuse: `Storage: <export>, which Mail imports`. Stacks that are not named stay as they are. */
function refusals(deployed: Stacks, next: Stacks, order: readonly string[] = [...next.keys()]): string[] {
  const standing = new Map(deployed);
  return order.flatMap((stack) => {
    const [before, after] = [standing.get(stack), next.get(stack)];
    if (!after) return [`${stack} is not in the app`];
    standing.set(stack, after);
    const lost = before ? exportsOf(before).filter((name) => !exportsOf(after).includes(name)) : [];
    return [...standing].flatMap(([other, template]) =>
      lost
        .filter((name) => importsOf(template).includes(name))
        .map((name) => `${stack}: ${name}, which ${other} imports`),
    );
  });
}

const { homeRegion } = EVERYTHING;

describe('can be taken back in one deployment', () => {
  test.each<[string, object, object]>([
    ['everything, for the defaults', EVERYTHING, { homeRegion }],
    ['webhooks', { homeRegion, webhooks: EVERYTHING.webhooks }, { homeRegion }],
    ['mail, whose stack goes on standing', { homeRegion, mail: EVERYTHING.mail }, { homeRegion }],
    ['mails of alarms', { alarms: { emails: ['ada@example.com'] } }, {}],
    ['a firewall', {}, { firewall: { enabled: false } }],
  ])('%s', (_what, before, after) => {
    const [deployed, next] = [synthesized(before), synthesized(after)];

    expect([...deployed.values()].flatMap(importsOf).length).toBeGreaterThan(20);
    expect(refusals(deployed, next)).toEqual([]);
  });
});

test('a key that was made goes once the stacks that use it have let go of it', () => {
  const prepared = synthesized({ encryption: { customerManagedKey: 'create', prepareOnly: true } });
  const next = synthesized({});
  const users = [...next.keys()].filter((stack) => stack !== 'Storage');

  expect(refusals(prepared, next)).not.toEqual([]);
  expect(refusals(prepared, next, [...users, 'Storage'])).toEqual([]);
});
