// As much of JSON Schema as the schemas of docs/events use; a word that it does not know is a fault of the test.
interface Schema {
  readonly [word: string]: unknown;
}

const WORDS = new Set([
  '$schema',
  'title',
  'description',
  '$defs',
  '$ref',
  'oneOf',
  'type',
  'const',
  'enum',
  'required',
  'properties',
  'additionalProperties',
  'items',
  'pattern',
  'minimum',
]);

/** What is wrong with a value, by path. Members that the schema does not name are wrong, too: they are undocumented. */
export function schemaProblems(root: Schema, value: unknown, schema: Schema = root, path = '$'): string[] {
  const unknown = Object.keys(schema).find((word) => !WORDS.has(word));
  if (unknown) throw new Error(`The validator does not know ${unknown}.`);
  if (typeof schema['$ref'] === 'string') return schemaProblems(root, value, resolved(root, schema['$ref']), path);
  if (Array.isArray(schema['oneOf'])) {
    const results = schema['oneOf'].map((one: Schema) => schemaProblems(root, value, one, path));
    const fitting = results.filter((problems) => problems.length === 0).length;
    return fitting === 1 ? [] : [`${path} fits ${fitting} of the alternatives: ${results.flat().join(', ')}`];
  }
  return [...ownProblems(schema, value, path), ...memberProblems(root, schema, value, path)];
}

function resolved(root: Schema, ref: string): Schema {
  const found = (root['$defs'] as Record<string, Schema>)[ref.replace('#/$defs/', '')];
  if (!found) throw new Error(`${ref} leads nowhere.`);
  return found;
}

function ownProblems(schema: Schema, value: unknown, path: string): string[] {
  const problems: string[] = [];
  const { type, pattern, minimum } = schema;
  if (type !== undefined && !isOfType(type, value)) problems.push(`${path} is not of type ${String(type)}`);
  if ('const' in schema && value !== schema['const']) problems.push(`${path} is not the constant`);
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value)) problems.push(`${path} is none of the values`);
  if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test(String(value))) problems.push(`${path} misses`);
  if (typeof minimum === 'number' && !(Number(value) >= minimum)) problems.push(`${path} is too small`);
  return problems;
}

function memberProblems(root: Schema, schema: Schema, value: unknown, path: string): string[] {
  if (Array.isArray(value)) {
    const items = schema['items'] as Schema;
    return value.flatMap((each, index) => schemaProblems(root, each, items, `${path}[${index}]`));
  }
  if (typeof value !== 'object' || value === null) return [];
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
  const others = schema['additionalProperties'] as Schema | true | undefined;
  const required = (schema['required'] ?? []) as readonly string[];
  return [
    ...required.filter((name) => !(name in value)).map((name) => `${path}.${name} is missing`),
    ...Object.entries(value).flatMap(([name, member]) => {
      const own = properties[name] ?? others;
      if (own === true) return [];
      return own ? schemaProblems(root, member, own, `${path}.${name}`) : [`${path}.${name} is not documented`];
    }),
  ];
}

function isOfType(type: unknown, value: unknown): boolean {
  switch (type) {
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
