// Every command in a line, as the help lists it. A command's module is loaded once it is called: the console, the stores and
// AWS's clients behind all of them take longer to load than most commands to run.
import type { Command, CommandGroup, ListedCommand } from './command.ts';

type Module = () => Promise<{ readonly commands: readonly Command[] }>;

const acts: Module = () => import('./commands/acts.ts');
const buyer: Module = () => import('./commands/buyer.ts');
const consoleModule: Module = () => import('./commands/console.ts');
const customers: Module = () => import('./commands/customers.ts');
const doctor: Module = () => import('./commands/doctor.ts');
const groups: Module = () => import('./commands/groups.ts');
const ledgerCompare: Module = () => import('./commands/ledger-compare.ts');
const ledgerExplain: Module = () => import('./commands/ledger-explain.ts');
const ledgerExport: Module = () => import('./commands/ledger-export.ts');
const ledgerStatus: Module = () => import('./commands/ledger-status.ts');
const ledgerVerify: Module = () => import('./commands/ledger-verify.ts');
const listing: Module = () => import('./commands/listing.ts');
const migrateSample: Module = () => import('./commands/migrate-sample.ts');
const notices: Module = () => import('./commands/notices.ts');
const reconcile: Module = () => import('./commands/reconcile.ts');
const records: Module = () => import('./commands/records.ts');
const usage: Module = () => import('./commands/usage.ts');
const usageImport: Module = () => import('./commands/usage-import.ts');

/** In the order in which the help lists them. */
export const COMMAND_GROUPS: readonly CommandGroup[] = [
  {
    title: 'Customers, and what they use',
    commands: [
      listed('customers ls', customers, 'list customers, newest first, or search for one'),
      listed('customers show', customers, 'show everything that is known of a customer'),
      listed('customers link', acts, 'say which agreement another replaces, where AWS does not'),
      listed('customers erase', acts, 'delete what a buyer told on the registration page'),
      listed('customers cut-over', acts, 'meter a buyer by licence instead of customer identifier'),
      listed('usage put', usage, 'report one usage event'),
      listed('usage ls', usage, 'show what a customer or licence used, and what became of it'),
      listed('usage import', usageImport, 'report the usage in a CSV or JSON lines file'),
    ],
  },
  {
    title: 'The ledger of what is billed',
    commands: [
      listed('ledger status', ledgerStatus, 'tell what needs a person, with the time left and the units at stake'),
      listed('ledger verify', ledgerVerify, 'check that every unit of a range stands in exactly one place'),
      listed('ledger explain', ledgerExplain, 'tell everything that is known of one hour of a licence and dimension'),
      listed('ledger export', ledgerExport, 'write the ledger of a range, or the audit, as rows'),
      listed('ledger compare', ledgerCompare, 'compare the ledger with what another pipeline submitted'),
      listed('ledger resubmit', acts, 'try the open and held records of a range now'),
      listed('ledger confirm', acts, "settle presumed and uncertain records by AWS's own log"),
      listed('reconcile', reconcile, "compare the ledger with AWS's own record: CloudTrail, or a seller report"),
    ],
  },
  {
    title: 'One record, or a group that shares a fault',
    commands: [
      listed('records release', records, 'have a quarantined record sent again'),
      listed('records settle', records, 'settle a record of which AWS holds another amount'),
      listed('records carry-on', records, 'bill expired or late units in a later hour'),
      listed('records withhold', records, 'keep units from being billed, before AWS has them'),
      listed('records credit', records, 'bill later hours less, where AWS has billed too much'),
      listed('groups ls', groups, 'list the groups of records that are held'),
      listed('groups release', records, 'have a group of records sent again that shares a fault'),
    ],
  },
  {
    title: 'What AWS tells, and what your product is told',
    commands: [
      listed('notices ls', notices, "list AWS's notices that wait to be somebody's, and count dead letters"),
      listed('notices redrive', acts, 'bring back what a queue gave up'),
      listed('webhooks ls', notices, 'list events that webhook endpoints have not got'),
      listed('webhooks resend', acts, 'post an event to a webhook endpoint again'),
    ],
  },
  {
    title: 'The deployment',
    commands: [
      listed('doctor', doctor, 'look for what is wrong with a deployment or its listing, and say what to do'),
      listed('console', consoleModule, "open the operator's console of a deployment in a browser, until Ctrl-C"),
      listed(
        'listing show',
        listing,
        'show what AWS Marketplace lists of the products, and what differs from the settings',
      ),
      listed('listing set-url', listing, "point a product's listing at this deployment"),
      listed('prices set', acts, 'say what AWS bills a unit at, for the views of money'),
      listed(
        'migrate sample',
        migrateSample,
        "bring buyers and unsent usage over from AWS's sample, or the SaaS Builder Toolkit",
      ),
      listed('completion', completion, 'print what makes bash, zsh or fish complete commands and options'),
    ],
  },
  {
    title: 'Playing the buyer at the simulated AWS Marketplace (laptop only)',
    commands: [
      listed('buyer ls', buyer, "list the simulator's agreements, newest first"),
      listed('buyer subscribe', buyer, 'subscribe to a product at the simulator'),
      listed('buyer register', buyer, "fill in the seller's registration page as the buyer"),
      listed('buyer cancel', buyer, 'cancel an agreement'),
      listed('buyer renew', buyer, 'renew an agreement'),
      listed('buyer replace', buyer, 'replace an agreement'),
      listed('buyer expire', buyer, "let an agreement's end come now"),
      listed('buyer suspend', buyer, "suspend the buyer's account"),
      listed('buyer resume', buyer, "resume the buyer's account"),
      listed('clock', buyer, "show or move the simulator's time"),
    ],
  },
];

function listed(name: string, module: Module, summary: string): ListedCommand {
  return {
    name,
    summary,
    load: async () => {
      const command = (await module()).commands.find((each) => each.name === name);
      if (!command) throw new Error(`The module of '${name}' has no command of that name.`);
      return command;
    },
  };
}

/** Knows every command, its own among them. */
async function completion(): Promise<{ readonly commands: readonly Command[] }> {
  const { completionCommand } = await import('./commands/completion.ts');
  return { commands: [completionCommand(COMMAND_GROUPS)] };
}
