import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderJsonSchema, SCHEMA_FILE } from './json-schema.ts';

writeFileSync(join(import.meta.dirname, '..', SCHEMA_FILE), renderJsonSchema());
