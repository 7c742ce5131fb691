// The SDK's SES client over the wire: what is sent, and what each answer means.
import { createServer } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { asciiAddress, displayName, mailClient, SesMailer } from '../../lambdas/stores/ses-mailer.ts';
import { type CaughtMail, MailCatcher, type MailFault } from '../../local/mail-catcher.ts';
import { closed, listening } from '../doubles/aws-services.ts';

const MAIL = {
  to: 'ada@example.com',
  fromName: 'Seller',
  replyTo: 'help@seller.example',
  subject: 'Grüße',
  text: 'Hällo',
  html: '<p>Hällo</p>',
};
const SENDER = { from: 'marketplace@seller.example' };

function mailerAt(endpoint: string, sender: object = {}) {
  const credentials = { accessKeyId: 'AKIALOCAL', secretAccessKey: 'local' };
  return new SesMailer(mailClient({ region: 'us-east-1', endpoint, credentials }), { ...SENDER, ...sender });
}

async function aMailer(faultOf?: (mail: CaughtMail) => MailFault | undefined, sender: object = {}) {
  const catcher = new MailCatcher(() => 0, faultOf);
  const server = await catcher.serve();
  onTestFinished(() => server.close());
  return { mailer: mailerAt(server.url, sender), mails: catcher.mails };
}

describe('a mail', () => {
  test('is handed over with both parts, from the seller by name, to be answered to support', async () => {
    const { mailer, mails } = await aMailer(undefined, { configurationSet: 'buyers' });

    expect(await mailer.send(MAIL)).toEqual({ kind: 'taken' });

    expect(mails).toEqual([
      {
        at: '1970-01-01T00:00:00.000Z',
        from: '"Seller" <marketplace@seller.example>',
        to: ['ada@example.com'],
        replyTo: ['help@seller.example'],
        subject: 'Grüße',
        text: 'Hällo',
        html: '<p>Hällo</p>',
        configurationSet: 'buyers',
      },
    ]);
  });

  test.each([
    ['a throttle', 429, 'TooManyRequestsException', { kind: 'failed', code: 'TooManyRequestsException' }],
    ['a quota that is used up', 400, 'LimitExceededException', { kind: 'failed', code: 'LimitExceededException' }],
    ['a fault of SES', 500, 'InternalServiceErrorException', { kind: 'failed' }],
    ['a mail that SES rejects', 400, 'MessageRejected', { kind: 'refused', code: 'MessageRejected' }],
    ['an address that is none', 400, 'BadRequestException', { kind: 'refused', code: 'BadRequestException' }],
  ])('that meets %s is %j', async (_what, status, type, outcome) => {
    let calls = 0;
    const { mailer } = await aMailer(() => {
      calls += 1;
      return { status, type };
    });

    expect(await mailer.send(MAIL)).toMatchObject(outcome);
    expect(calls).toBe(1);
  });

  test.each([
    ['no permission', 403, 'AccessDeniedException', 'denied'],
    ['a paused account', 400, 'SendingPausedException', 'paused'],
    ['an account that was suspended', 400, 'AccountSuspendedException', 'suspended'],
    ['a configuration set that is not there', 404, 'NotFoundException', 'no such set'],
    ['a MAIL FROM domain that is not verified', 400, 'MailFromDomainNotVerifiedException', 'not verified'],
    ['the sandbox', 400, 'MessageRejected', 'Email address is not verified: ada@example.com'],
  ])('that %s keeps back is a fault of ours, told without the address', async (_what, status, type, message) => {
    const { mailer } = await aMailer(() => ({ status, type, message }));

    const failure = await mailer.send(MAIL).catch((error: unknown) => error);

    expect(failure).toMatchObject({ code: 'MailNotAllowed', facts: { awsError: type } });
    expect(JSON.stringify([failure, String(failure)])).not.toContain('@');
  });

  test('that finds nobody there was certainly not taken', async () => {
    expect(await mailerAt('http://127.0.0.1:1').send(MAIL)).toEqual({ kind: 'failed', code: 'ECONNREFUSED' });
  });

  test('whose answer is lost may have been taken', async () => {
    const server = createServer((request) => request.on('end', () => request.socket.destroy()).resume());
    const url = await listening(server);
    onTestFinished(() => closed(server));

    expect(await mailerAt(url).send(MAIL)).toEqual({ kind: 'unanswered' });
  });

  test('to an address that SES has no form for is refused, without a call', async () => {
    const { mailer, mails } = await aMailer();

    expect(await mailer.send({ ...MAIL, to: 'ädä@example.com' })).toEqual({
      kind: 'refused',
      code: 'AddressUnsupported',
    });
    expect(mails).toEqual([]);
  });
});

test.each([
  ['ada@example.com', 'ada@example.com'],
  ['Ada+aws@BÜCHER.example', 'Ada+aws@xn--bcher-kva.example'],
  ['ada lovelace@example.com', undefined],
  ['ada@', undefined],
])('the address %s is %s to SES', (address, ascii) => {
  expect(asciiAddress(address)).toBe(ascii);
});

test.each([
  ['Example Software', '"Example Software"'],
  ['O"Brien \\ Sons <Inc>', '"O\\"Brien \\\\ Sons <Inc>"'],
  ['Müller', '=?UTF-8?B?TcO8bGxlcg==?='],
])('the name %s is %s in a header', (name, header) => {
  expect(displayName(name)).toBe(header);
});

test('a long name that is not ASCII is cut into words that hold whole characters', () => {
  const name = 'Größe😀'.repeat(12);

  const words = displayName(name).split(' ');

  for (const word of words) expect(word.length).toBeLessThanOrEqual(75);
  const read = words.map((word) => Buffer.from(word.slice(10, -2), 'base64').toString('utf8'));
  expect(read.join('')).toBe(name);
});
