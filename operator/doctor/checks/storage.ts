// What is kept: stacks, tables as the code knows them, secrets.
import { TABLES, type TableShape } from '../../../lambdas/stores/tables.ts';
import { deletesBillingData } from '../../../lib/removal-settings.ts';
import type { Facts, TableFacts } from '../facts.ts';
import { type Finding, note, ok, problem } from '../finding.ts';
import { unseen } from '../probed.ts';

export function checkStacks({ stacks }: Pick<Facts, 'stacks'>): Finding[] {
  const found = stacks.flatMap(({ name, probed }): Finding[] => {
    const subject = `stack ${name}`;
    if (probed.kind === 'absent') {
      return [
        problem('StackMissing', subject, {
          seen: 'There is no such stack.',
          expected: 'a deployed stack',
          remedy: 'npx cdk deploy --all, or name the deployment: --stage, --region.',
        }),
      ];
    }
    const missed = unseen('StackMissing', subject, probed);
    if (missed) return [missed];
    if (probed.kind !== 'seen') return [];
    const { status } = probed.value;
    if (/^(CREATE|UPDATE|IMPORT)_COMPLETE$/.test(status)) return [];
    if (status.endsWith('_IN_PROGRESS')) {
      const expected = 'a finished deployment';
      const remedy = 'Run the doctor again when it is done.';
      return [note('StackUnfinished', subject, { seen: `It is ${status}.`, expected, remedy })];
    }
    return [
      problem('StackUnfinished', subject, {
        seen: `It is ${status}: what runs is not what was last deployed.`,
        expected: 'CREATE_COMPLETE or UPDATE_COMPLETE',
        remedy: `aws cloudformation describe-stack-events --stack-name ${name} says why; mend it and deploy again${
          status === 'ROLLBACK_COMPLETE'
            ? ', which takes a step more the first time: docs/deployment.md#how-to-deploy'
            : ''
        }.`,
      }),
    ];
  });
  return found.length > 0 || stacks.length === 0
    ? found
    : [ok('StackMissing', 'stacks', `All ${stacks.length} are deployed.`)];
}

export function checkTables({
  tables,
  recovery,
  expiry,
  settings,
}: Pick<Facts, 'tables' | 'recovery' | 'expiry' | 'settings'>): Finding[] {
  const found = [
    ...protectionFindings(tables, settings),
    ...tables.flatMap(({ kind, name, probed }) => {
      const missed = unseen('TableMissing', `table ${kind}`, probed);
      if (missed) return [missed];
      return probed.kind === 'seen' ? tableFindings(kind, name, TABLES[kind], probed.value) : [];
    }),
    ...recovery.flatMap(({ name, probed }): Finding[] => {
      const missed = unseen('TableNotRecoverable', `table ${name}`, probed);
      if (missed) return [missed];
      if (probed.kind !== 'seen' || probed.value) return [];
      return [
        problem('TableNotRecoverable', `table ${name}`, {
          seen: 'It has no point-in-time recovery.',
          expected: 'a table that can be restored to any second of the last 35 days',
          remedy: `aws dynamodb update-continuous-backups --table-name ${name} --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true`,
        }),
      ];
    }),
    ...expiry.flatMap(({ kind, name, probed }): Finding[] => {
      if (probed.kind !== 'seen') return [];
      const shape: TableShape = TABLES[kind];
      if (probed.value === shape.expiry) return [];
      return [
        problem('TableShapeWrong', `table ${kind}`, {
          seen: `Its items expire by ${probed.value ?? 'nothing'}.`,
          expected:
            shape.expiry === undefined ? 'items that are kept for ever' : `items that expire by ${shape.expiry}`,
          remedy:
            shape.expiry === undefined
              ? `aws dynamodb update-time-to-live --table-name ${name} --time-to-live-specification Enabled=false,AttributeName=${probed.value}`
              : 'npx cdk deploy Storage sets it.',
        }),
      ];
    }),
  ];
  return found.length > 0 || tables.length === 0
    ? found
    : [ok('TableMissing', 'tables', `All ${tables.length} are as the code knows them.`)];
}

function tableFindings(kind: string, name: string, shape: TableShape, table: TableFacts): Finding[] {
  const subject = `table ${kind}`;
  const remedy = `Point the functions at the table that the stack made (npx cdk deploy --all); ${name} was made by something else.`;
  const wrong = [
    keyProblem('key', shape.key, table.key),
    ...shape.indexes.map((index) =>
      keyProblem(
        `index ${index.name}`,
        index,
        table.indexes.find((each) => each.name === index.name),
      ),
    ),
  ].flatMap((each) => (each === undefined ? [] : [problem('TableShapeWrong', subject, { ...each, remedy })]));
  if (table.status !== 'ACTIVE') {
    wrong.push(
      note('TableUnready', subject, {
        seen: `It is ${table.status}.`,
        expected: 'ACTIVE',
        remedy: 'Run the doctor again in a few minutes.',
      }),
    );
  }
  return wrong;
}

/** Where the settings ask for it twice, that is no mistake, and is to be known. */
function protectionFindings(tables: Facts['tables'], settings: Facts['settings']): Finding[] {
  const open = tables.filter(({ probed }) => probed.kind === 'seen' && !probed.value.isProtected);
  if (open.length === 0) return [];
  if ('deployment' in settings && deletesBillingData(settings.deployment)) {
    return [
      note('TablesDeletable', 'tables', {
        seen: `${open.length} of ${tables.length} tables, billing data among them, go with their stack: removal in the settings asks for it.`,
        expected: 'a stage that is to be taken down',
        remedy: 'Take removal out of the settings and deploy (npx cdk deploy Storage) to keep them.',
      }),
    ];
  }
  return open.map(({ kind, name }) =>
    problem('TableUnprotected', `table ${kind}`, {
      seen: 'It can be deleted by one command.',
      expected: 'deletion protection',
      remedy: `aws dynamodb update-table --table-name ${name} --deletion-protection-enabled`,
    }),
  );
}

interface Keys {
  readonly partition: string;
  readonly sort?: string;
}

function keyProblem(what: string, wanted: Keys, found: Keys | undefined) {
  const text = ({ partition, sort }: Keys) => (sort === undefined ? partition : `${partition}, ${sort}`);
  if (found && text(found) === text(wanted)) return undefined;
  return { seen: `Its ${what} is ${found ? text(found) : 'missing'}.`, expected: `${what} ${text(wanted)}` };
}

export function checkSecrets({ secrets }: Pick<Facts, 'secrets'>): Finding[] {
  const found = secrets.flatMap(({ name, purpose, probed }): Finding[] => {
    const subject = purpose === 'sessionKeys' ? 'secret of the session keys' : `secret ${name}`;
    if (probed.kind === 'absent') {
      const expected = 'a secret';
      const remedy =
        purpose === 'sessionKeys'
          ? 'npx cdk deploy Storage'
          : 'Make the secret (docs/access-events.md#as-webhooks), or correct webhooks[].secretArn.';
      return [problem('SecretMissing', subject, { seen: 'It is not there.', expected, remedy })];
    }
    const missed = unseen('SecretMissing', subject, probed);
    if (missed) return [missed];
    if (probed.kind !== 'seen') return [];
    if (probed.value.isBeingDeleted) {
      const remedy = `aws secretsmanager restore-secret --secret-id ${name}`;
      return [problem('SecretMissing', subject, { seen: 'It is about to be deleted.', expected: 'a secret', remedy })];
    }
    if (purpose === 'webhook' || probed.value.isRotated) return [];
    return [
      note('SecretNotRotated', subject, {
        seen: 'Its rotation is off.',
        expected: 'a new key every 30 days',
        remedy: 'npx cdk deploy Storage turns it on.',
      }),
    ];
  });
  return found.length > 0 || secrets.length === 0
    ? found
    : [ok('SecretMissing', 'secrets', `All ${secrets.length} are there.`)];
}
