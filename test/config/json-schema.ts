/** A JSON Schema of the keywords that {@link accepts} knows. */
export interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

const ANNOTATIONS = ['$schema', 'title', 'description', 'default', 'examples'];
const KEYWORDS = ['type', 'enum', 'properties', 'required', 'additionalProperties', 'propertyNames', 'items', 'anyOf'];

/** Whether a value is valid under draft-07, as far as the keywords of our schema go; any other is an error. */
export function accepts(schema: JsonSchema, value: unknown): boolean {
  for (const keyword of Object.keys(schema)) {
    if (![...ANNOTATIONS, ...KEYWORDS].includes(keyword)) throw new Error(`keyword ${keyword} is not known here`);
  }
  if (schema.anyOf !== undefined && !schema.anyOf.some((option) => accepts(option, value))) return false;
  if (schema.enum !== undefined && !schema.enum.includes(value)) return false;
  if (schema.type !== undefined && schema.type !== typeOf(value)) return false;
  if (Array.isArray(value)) return value.every((item) => accepts(schema.items ?? {}, item));
  if (typeof value !== 'object' || value === null) return true;
  const { properties = {}, required = [], additionalProperties = true } = schema;
  if (required.some((key) => !Object.hasOwn(value, key))) return false;
  return Object.entries(value).every(([key, item]) => {
    const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (known !== undefined) return accepts(known, item);
    return typeof additionalProperties === 'boolean' ? additionalProperties : accepts(additionalProperties, item);
  });
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
