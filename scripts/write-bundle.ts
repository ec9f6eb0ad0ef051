import { join } from 'node:path';
import { bundleCommand } from './bundle.ts';

await bundleCommand(process.argv[2] ?? join(import.meta.dirname, '..', 'dist'), { write: true });
