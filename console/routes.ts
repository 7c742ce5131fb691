// Every address of the console.
import type { View } from './reply.ts';
import { actForm, actPlan, actResult } from './views/act.ts';
import { attentionPage } from './views/attention.ts';
import { auditPage } from './views/audit.ts';
import { booksPage } from './views/books.ts';
import {
  customerAudit,
  customerEntitlements,
  customerOverview,
  customerTimeline,
  customerUsage,
  customerWebhooks,
} from './views/customer.ts';
import { customersPage } from './views/customers.ts';
import { explainPage } from './views/explain.ts';
import { exportAuditFile, exportLedgerFile } from './views/export.ts';
import { hourPage } from './views/hour.ts';
import { meteringPage } from './views/metering.ts';
import { moneyPage } from './views/money.ts';

interface Route {
  readonly method: 'GET' | 'POST';
  readonly pattern: URLPattern;
  readonly view: View;
}

export const ROUTES: readonly Route[] = [
  get('/', attentionPage),
  get('/customers', customersPage),
  get('/customers/:customerId', customerOverview),
  get('/customers/:customerId/usage', customerUsage),
  get('/customers/:customerId/entitlements', customerEntitlements),
  get('/customers/:customerId/timeline', customerTimeline),
  get('/customers/:customerId/webhooks', customerWebhooks),
  get('/customers/:customerId/audit', customerAudit),
  get('/metering', meteringPage),
  get('/hours/:hour', hourPage),
  get('/explain', explainPage),
  get('/money', moneyPage),
  get('/books', booksPage),
  get('/audit', auditPage),
  get('/export/audit.csv', exportAuditFile),
  get('/export/ledger.csv', exportLedgerFile),
  get('/acts/:name', actForm),
  post('/acts/:name', actPlan),
  post('/acts/:name/do', actResult),
];

function get(pathname: string, view: View): Route {
  return { method: 'GET', pattern: new URLPattern({ pathname }), view };
}

function post(pathname: string, view: View): Route {
  return { method: 'POST', pattern: new URLPattern({ pathname }), view };
}
