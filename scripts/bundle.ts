import { dirname, join, posix, relative } from 'node:path';
import { type BuildOptions, type BuildResult, build, type Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');

/** Answers from an endpoint, and else loads the command line. */
const ENTRY = 'bin/session-broker';
const COMMAND_LINE = 'lib/cli/run-in';

/**
 * What the command line loads only for some commands, since Node takes its time with every line of a file, and the
 * errors, of which all must mean the same class.
 */
const SHARED = [
  'lib/errors',
  ...['quickstart', 'local', 'doctor', 'verify', 'check-trust'].map((command) => `lib/cli/${command}`),
];

/**
 * Makes the command a few files of CommonJS beside what the compiler wrote. Node starts them in less time than the
 * same code in many modules. Packages are not bundled.
 * @param folder of the compiler's output
 * @param write whether to write the files or only return them, the entry first
 */
export function bundleCommand(folder: string, { write }: { readonly write: boolean }): Promise<readonly BuildResult[]> {
  const bundle = (file: string, apart: readonly string[], options: BuildOptions = {}): Promise<BuildResult> =>
    build({
      ...COMMON,
      ...options,
      write,
      entryPoints: [join(ROOT, `${file}.ts`)],
      outfile: join(folder, `${file}.cjs`),
      plugins: [filesApart(file, apart)],
    });
  return Promise.all([
    bundle(ENTRY, [COMMAND_LINE]),
    ...[COMMAND_LINE, ...SHARED].map((file) =>
      bundle(
        file,
        SHARED.filter((other) => other !== file),
        WHERE_IT_STANDS,
      ),
    ),
  ]);
}

const COMMON: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  packages: 'external',
  supported: { 'dynamic-import': false }, // they become requires
  logLevel: 'warning',
};

/** A module that looks for files from where it stands stands, as it were, beside the bundle. */
const WHERE_IT_STANDS: BuildOptions = {
  banner: { js: `const moduleUrl = require('node:url').pathToFileURL(__filename.replace(/\\.cjs$/, '.js')).href;` },
  define: { 'import.meta.url': 'moduleUrl' },
};

/** Leaves files out of a bundle that are bundles of their own. */
function filesApart(from: string, files: readonly string[]): Plugin {
  return {
    name: 'files apart',
    setup({ onResolve }) {
      onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, resolveDir }) => {
        const file = relative(ROOT, join(resolveDir, path)).replace(/\.ts$/, '');
        if (!files.includes(file)) return undefined;
        const target = posix.relative(dirname(from), `${file}.cjs`);
        return { path: target.startsWith('.') ? target : `./${target}`, external: true };
      });
    },
  };
}
