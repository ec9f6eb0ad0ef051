import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import { getConfigSchema } from '../lib/config/schema.ts';

/** The committed file. */
export const SCHEMA_FILE = 'tenants.schema.json';

/**
 * The JSON Schema (draft-07) of a configuration, for editors. It knows keys, types, defaults and descriptions;
 * `parseConfig` knows the rules.
 */
export function renderJsonSchema(): string {
  const schema = toJsonSchema(getConfigSchema(), {
    typeMode: 'input',
    errorMode: 'throw',
    // A mapping that takes no other keys is written as valibot's rest of type never.
    overrideSchema: ({ valibotSchema, jsonSchema }): JsonSchema | undefined =>
      valibotSchema.type === 'object_with_rest' ? { ...jsonSchema, additionalProperties: false } : undefined,
  });
  return `${JSON.stringify(schema, null, 2)}\n`;
}
