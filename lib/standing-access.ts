// What bringing a customer's standing up to date takes, whichever function does it.
import type { Access } from './constructs/handler-function.ts';
import type { TableAction } from './constructs/kept-table.ts';
import type { StorageStack } from './storage-stack.ts';

/** The tables of customers, notices and waiting usage; `more` is what a function does to the last besides. */
export function standingAccess(
  storage: StorageStack,
  more: readonly TableAction[] = [],
): Readonly<Record<'CUSTOMERS_TABLE' | 'NOTICES_TABLE' | 'WORK_TABLE', Access>> {
  const all = ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem'] as const;
  return {
    CUSTOMERS_TABLE: storage.customers.access(all),
    NOTICES_TABLE: storage.notices.access(['Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem']),
    WORK_TABLE: storage.work.access(['Query', 'UpdateItem', 'DeleteItem', ...more]),
  };
}
