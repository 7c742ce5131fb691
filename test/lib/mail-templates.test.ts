// The seller's own mail: read from files when the stacks are made, and refused by name where it can't be filled.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseMailTemplates } from '../../lambdas/contracts/mail-settings.ts';
import { parseDeployment, registrationsOf } from '../../lib/deployment.ts';
import { mailTemplates } from '../../lib/mail-templates.ts';
import { exampleSettings } from './synthesized.ts';

const deployment = parseDeployment(exampleSettings());

function inFolder(files: Readonly<Record<string, string>>): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'mail-templates-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return (name) => join(folder, name);
}

test('A seller’s files are all that the function is given: the house’s texts stand in place of the others', () => {
  const file = inFolder({ 'open.txt': 'Los: {{accessUrl}}', 'open.html': '<p><a href="{{accessUrl}}">Los</a></p>' });
  const own = { subject: 'Es geht los', textFile: file('open.txt'), htmlFile: file('open.html') };

  const templates = mailTemplates({ templates: { buyerGranted: own } }, registrationsOf(deployment));

  expect(templates).toEqual({
    buyerGranted: {
      subject: 'Es geht los',
      text: 'Los: {{accessUrl}}',
      html: '<p><a href="{{accessUrl}}">Los</a></p>',
    },
  });
  expect(parseMailTemplates(JSON.stringify(templates))).toEqual(templates);
});

test('Everything that is wrong with them is told at once, each by its name', () => {
  const file = inFolder({ 'a.txt': 'Dear {{firstName}}', 'a.html': '<p>{{supportUrl}}</p>' });
  const wrong = { subject: 'Hi', textFile: file('a.txt'), htmlFile: file('a.html') };
  const missing = { subject: 'Hi', textFile: file('a.txt'), htmlFile: file('b.html') };
  const { supportUrl: _, ...registration } = deployment.registration;
  const without = registrationsOf({ ...deployment, registration });

  const make = () => mailTemplates({ templates: { buyerGranted: wrong, buyerRevoked: missing } }, without);

  expect(make).toThrow(/buyerGranted\.text: \{\{firstName\}\} is unknown \(known here: sellerName, /);
  expect(make).toThrow('buyerGranted.html: {{supportUrl}} is used, and the setting registration.supportUrl is not set');
  expect(make).toThrow(/b\.html can't be read \(ENOENT\)/);
  expect(make).toThrow('docs/mail.md');
});
