// npm run e2e:deploy: the stacks deployed into an AWS emulator by the plain CDK CLI, then driven as a buyer and as a
// seller by the wall's clock (docs/e2e.md).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockFolder } from '../../local/folder-lock.ts';
import { Aws } from './aws.ts';
import { LIMITS } from './cannot.ts';
import { Cdk } from './cdk.ts';
import { deadLettersOf, resourcesOf, takeDown, typesOf } from './deployed.ts';
import { freePort, installEmulator, startEmulator } from './emulator.ts';
import { startFront } from './front.ts';
import { logsOf } from './logs.ts';
import { Marketplace } from './marketplace.ts';
import { comparePermissions } from './permissions.ts';
import { LEGACY_TOPICS, MAIL_DOMAIN, settings } from './settings.ts';
import { hold, Steps, say, sinceStartSeconds } from './steps.ts';
import { Story } from './story.ts';

const FOLDER = join(import.meta.dirname, '../../.local/e2e');

const steps = new Steps();
const closers: (() => Promise<void> | void)[] = [];
let found: object = {};
try {
  found = { passed: true, ...(await run()) };
} catch (error) {
  found = { passed: false, failure: error instanceof Error ? error.message.split('\n')[0] : String(error) };
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  for (const close of closers.reverse()) await close();
}
console.log(JSON.stringify({ ...found, seconds: sinceStartSeconds() }));

async function run(): Promise<object> {
  closers.push(lockFolder(FOLDER));
  const program = await steps.take('the emulator is installed', async () => installEmulator(FOLDER));

  const { aws, cdk, marketplace, emulator, front } = await steps.take('emulator and marketplace start', start);
  await steps.take('AWS has the topics of its legacy product, and the seller an identity for mail', async () => {
    for (const Name of LEGACY_TOPICS) await aws.query('sns', 'CreateTopic', { Name });
    await aws.verifyIdentity(MAIL_DOMAIN);
  });
  await steps.take('cdk bootstrap', () => cdk.bootstrap(settings(1)));
  const outputs = await steps.take('cdk deploy --all', () => cdk.deploy(settings(1)));
  const resources = await resourcesOf(aws);
  say(typesOf(resources));

  const story = new Story({ steps, aws, cdk, marketplace, emulator, outputs, resources });
  closers.push(() => story.close());
  await story.buyAndRegister();
  await story.reportUsage();
  await story.secondVersion();
  await story.cancel();
  await story.runTheSeldom();
  const bill = await story.readBill();

  await steps.take('nothing was given up', async () => {
    const dead = await deadLettersOf(aws, resources);
    hold(dead.length === 0, `no queue of dead letters holds anything, but ${dead.join(', ')} does`);
  });
  await steps.take('no function wrote an error', async () => {
    for (const { name, lines, errors } of await logsOf(aws, resources)) {
      say(`${name}: ${lines} lines`);
      hold(errors.length === 0, `${name} wrote no error, but: ${errors[0]}`);
    }
  });
  await steps.take('the roles allow what the functions did', async () => {
    const compared = comparePermissions(resources, front.taken);
    for (const { name, used, unused, missing } of compared) {
      say(`${name}: ${used.length} permissions used, ${unused.length} not in this run, ${missing.length} missing`);
      hold(missing.length === 0, `${name} may do all that it did; its role lacks ${missing.join(', ')}`);
    }
    writeFileSync(join(FOLDER, 'permissions.json'), JSON.stringify(compared, null, 2));
  });
  const cannot = await steps.take('what the emulator cannot do', async () => {
    const deployed = { aws, cdk, resources, ...story.apis() };
    for (const { cannot, instead, seen } of LIMITS) {
      const evidence = await seen(deployed);
      hold(
        evidence !== undefined,
        `the emulator cannot ${cannot}: it can now, so drive that and strike it from cannot.ts`,
      );
      say(`cannot ${cannot}: ${evidence}; instead, ${instead}`);
    }
    return LIMITS.map(({ cannot }) => cannot);
  });
  await steps.take('what runs is taken down, and what is kept stays', async () => {
    const before = await story.items();
    await takeDown(aws);
    const after = await story.items();
    hold(before === after && before > 0, `all ${before} items are still there, of which ${after} are`);
  });
  return { resources: resources.length, bill, cannot };

  async function start() {
    const port = await freePort();
    const opened = await Marketplace.open(Date.now());
    closers.push(() => opened.close());
    const before = await startFront({ emulatorUrl: `http://127.0.0.1:${port}`, marketplaceUrl: opened.url });
    closers.push(() => before.close());
    const started = await startEmulator(program, { folder: FOLDER, port, endpoint: before.url });
    closers.push(() => started.close());
    return {
      aws: new Aws(started.url),
      cdk: new Cdk(FOLDER, before.url),
      marketplace: opened,
      emulator: started,
      front: before,
    };
  }
}
