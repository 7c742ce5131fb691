// The queue of mail: writes to the buyer and the seller what an access event gives cause for. Nothing waits for it.
import { readMailEvent } from './contracts/mail-event.ts';
import { mailsWanted, parseMail, parseMailTemplates } from './contracts/mail-settings.ts';
import { parseProducts } from './contracts/product-settings.ts';
import { PRODUCT_PAGES_FILE, parseRegistrations } from './contracts/registration-settings.ts';
import type { OwnMailTemplates } from './domain/mail-template.ts';
import { sendMails } from './flow/send-mail.ts';
import { mailComposer } from './pages/mail.ts';
import { clientSettings } from './runtime/aws-client.ts';
import { bundledFile } from './runtime/bundled-file.ts';
import { built, type Surroundings } from './runtime/handler.ts';
import { unmeasured } from './runtime/metric.ts';
import { queueHandler } from './runtime/queue.ts';
import { readSettings } from './runtime/settings.ts';
import { DynamoBuyerStore } from './stores/buyer-store.ts';
import { DynamoDeliveryStore } from './stores/delivery-store.ts';
import { dynamoClient } from './stores/dynamo.ts';
import { mailClient, SesMailer } from './stores/ses-mailer.ts';
import { DynamoStandingReader } from './stores/standing-reader.ts';

/** `templates` are those that the seller has written; `productPages` is the text of what products have of their own. */
export function createSendMailHandler(
  { environment, clock, log, measure = unmeasured }: Surroundings,
  templates: OwnMailTemplates,
  productPages: string,
) {
  const settings = readSettings('send-mail', environment);
  const mail = parseMail(settings.MAIL);
  const registrations = parseRegistrations(settings.REGISTRATION, productPages);
  const database = dynamoClient(clientSettings(environment, 'DYNAMODB'));
  const ports = {
    deliveries: new DynamoDeliveryStore(database, settings.DELIVERIES_TABLE),
    standing: new DynamoStandingReader(database, settings.CUSTOMERS_TABLE),
    buyers: new DynamoBuyerStore(database, settings.BUYERS_TABLE),
    mailer: new SesMailer(mailClient(clientSettings(environment, 'SESV2')), {
      from: mail.from,
      configurationSet: mail.configurationSet,
    }),
    compose: mailComposer({ templates, registrations, products: parseProducts(settings.PRODUCTS), sender: mail }),
    wanted: mailsWanted(mail),
    ...(mail.sellerAddress === undefined ? {} : { sellerAddress: mail.sellerAddress }),
    clock,
    chance: Math.random,
    log,
  };

  return queueHandler(log, 'MailTried', async ({ body }) => {
    const reading = readMailEvent(body);
    if (reading.kind === 'refused') return { kind: 'refused', facts: { reason: reading.reason } };
    const { customerId, sequence, type } = reading.event;
    const mailed = await sendMails(ports, reading.event);
    const outcomes = mailed.map(({ kind, mail: name, ...rest }) => {
      return `${name}:${'status' in rest ? rest.status : 'reason' in rest ? rest.reason : kind}`;
    });
    const givenUp = mailed.filter((each) => each.kind === 'settled' && each.status !== 'delivered');
    measure('send-mail', { MailsGivenUp: givenUp.length });
    const facts = { customerId, sequence, type, mails: outcomes.join(',') };
    // The queue brings it again in its own time: nobody minds a mail that is minutes late.
    return { kind: mailed.some(({ kind }) => kind === 'again') ? 'again' : 'done', facts };
  });
}

export const handler = built((surroundings) =>
  createSendMailHandler(
    surroundings,
    parseMailTemplates(bundledFile('./mail-templates.json')),
    bundledFile(`./${PRODUCT_PAGES_FILE}`),
  ),
);
