// Which permissions a call to DynamoDB takes: a transaction takes those of its parts.

type Call = Readonly<Record<string, unknown>>;

/** The permissions that one call to DynamoDB takes, in the words of `allowed`. */
export function permissionsOf(action: string, call: Call, kindOf: (table: unknown) => string): string[] {
  if (action === 'TransactWriteItems') {
    const items = call['TransactItems'] as readonly Readonly<Record<string, Call>>[];
    return items.flatMap((item) =>
      Object.entries(item).map(([kind, { TableName }]) => `dynamodb:${ITEM_ACTION[kind]} on ${kindOf(TableName)}`),
    );
  }
  if (action === 'BatchGetItem') {
    return Object.keys(call['RequestItems'] as object).map((table) => `dynamodb:${action} on ${kindOf(table)}`);
  }
  const index = call['IndexName'] === undefined ? '' : `/${call['IndexName']}`;
  return [`dynamodb:${action} on ${kindOf(call['TableName'])}${index}`];
}

const ITEM_ACTION: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
};
