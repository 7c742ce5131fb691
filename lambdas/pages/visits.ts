// What a buyer with a session is shown, by how far they have come.
import type { Customer } from '../domain/customer.ts';
import type { Product } from '../domain/product.ts';
import type { HttpResponse } from '../runtime/http.ts';
import { pageAnswer, seeOther } from './answers.ts';
import type { PageFrame } from './frame.ts';
import { alreadyPage, donePage } from './outcomes.ts';
import { type FormView, formPage } from './registration-form.ts';
import { FORM_ROUTE } from './routes.ts';

/** The buyer behind a session, as far as known to us, and the form that it may send. */
export interface Visitor extends Pick<FormView, 'fields' | 'formToken'> {
  readonly frame: PageFrame;
  readonly customer: Customer;
  readonly product: Product;
}

type Written = Pick<FormView, 'answers' | 'problems'>;

export function showForm(visitor: Visitor): HttpResponse {
  if (visitor.customer.registeredAt !== undefined) {
    return pageAnswer(200, 'alreadyShown', alreadyPage(visitor.frame, registeredView(visitor)));
  }
  return pageAnswer(200, 'formShown', formPage(visitor.frame, formView(visitor, { answers: {}, problems: [] })));
}

export function showProblems(visitor: Visitor, written: Written): HttpResponse {
  return {
    ...pageAnswer(422, 'formIncomplete', formPage(visitor.frame, formView(visitor, written))),
    facts: { fields: written.problems.map(({ name }) => name).join(',') },
  };
}

export function showDone(visitor: Visitor): HttpResponse {
  const { frame, customer } = visitor;
  if (customer.registeredAt === undefined) return seeOther(`${frame.base}${FORM_ROUTE}`, 'sentToForm');
  return pageAnswer(200, 'doneShown', donePage(frame, registeredView(visitor)));
}

function formView({ customer, product, fields, formToken }: Visitor, { answers, problems }: Written): FormView {
  const { customerAwsAccountId } = customer;
  return { productTitle: product.title, customerAwsAccountId, fields, formToken, answers, problems };
}

function registeredView({ customer, product }: Visitor) {
  return { productTitle: product.title, customerId: customer.customerId };
}
