// fulfillment console: the operator's console of a deployment, on this machine, until it is ended.
import { once } from 'node:events';
import { startConsole } from '../../console/console.ts';
import { atDesk, DEPLOYMENT } from '../at-desk.ts';
import { defineCommand } from '../command.ts';
import { EXIT, UsageMistake } from '../exit.ts';
import { value } from '../options.ts';

const consoleCommand = defineCommand({
  name: 'console',
  about: `A local web app over the deployment, with your own AWS credentials: nothing of it is public. Whoever has the address
that is printed has the console, so keep it to yourself.
`,
  options: { port: value('PORT', 'the port on this machine; any that is free where absent'), ...DEPLOYMENT },
  examples: ['fulfillment console', 'fulfillment console --stage prod --region eu-central-1'],
  run: ({ values }, terminal) => {
    const port = Number(values.port ?? 0);
    if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) throw new UsageMistake('--port takes 0 to 65535.');
    return atDesk(values, terminal, async (desk) => {
      const { url, close } = await startConsole({ desk, port }).catch(taken);
      terminal.stdout.write(`${url}\n`);
      terminal.stderr.write('Open the address in a browser. Ctrl-C ends it.\n');
      if (!terminal.signal.aborted) await once(terminal.signal, 'abort');
      await close();
      return EXIT.done;
    });
  },
});

function taken(error: unknown): never {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  throw isTaken ? new UsageMistake('The port is taken. Choose another, or leave --port out.') : error;
}

export const commands = [consoleCommand];
