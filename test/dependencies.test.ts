import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** A package as the lock file has it. */
interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly scripts: Readonly<Record<string, string>>;
}

const manifest = read<Manifest>('package.json');
const { packages } = read<{ readonly packages: Readonly<Record<string, Locked>> }>('package-lock.json');

/** Everything that an installation without peers brings: each package is code that sees credentials. */
const ALLOWED = [
  ...['cloudtrail', 'eks', 'iam', 'ssm', 'sts'].map((service) => `@aws-sdk/client-${service}`),
  ...['core', 'nested-clients', 'signature-v4-multi-region', 'token-providers', 'types', 'xml-builder'].map(
    (name) => `@aws-sdk/${name}`,
  ),
  ...['env', 'http', 'ini', 'login', 'node', 'process', 'sso', 'web-identity'].map(
    (source) => `@aws-sdk/credential-provider-${source}`,
  ),
  '@aws/lambda-invoke-store',
  ...['core', 'credential-provider-imds', 'fetch-http-handler', 'node-http-handler', 'signature-v4', 'types'].map(
    (name) => `@smithy/${name}`,
  ),
  ...['bowser', 'tslib', 'ulid', 'valibot', 'yaml'],
].sort();

const LICENCES = ['0BSD', 'Apache-2.0', 'ISC', 'MIT'];

describe('what an installation brings', () => {
  const installed = installedBy(manifest.dependencies);
  const entries = [...installed].map(([path, locked]) => ({ name: nameOf(path), ...locked }));

  test('is on the list, and the list has no more', () => {
    expect([...new Set(entries.map(({ name }) => name))].sort()).toEqual(ALLOWED);
  });

  test('is no database driver, no part of the CDK and no second HTTP client', () => {
    const unwanted =
      /\b(?:pg|postgres|mysql2?|mariadb|mongo\w*|redis|ioredis|sqlite3?|dynamodb|rds|knex|prisma|typeorm)\b|cdk|constructs|axios|undici|request/;
    expect(entries.filter(({ name }) => unwanted.test(name))).toEqual([]);
  });

  test.each(entries)('has a licence that asks for nothing: $name', ({ license }) => {
    expect(LICENCES).toContain(license);
  });

  test.each(entries)('is what it was, by its hash, and runs nothing when it is installed: $name', (locked) => {
    expect(locked.integrity).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
    expect(locked.hasInstallScript ?? false).toBe(false);
  });

  test('is asked for by exact versions, the same as in the lock file', () => {
    for (const [name, version] of Object.entries(manifest.dependencies)) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
      expect(packages[`node_modules/${name}`]?.version).toBe(version);
    }
    expect((packages[''] as unknown as Manifest).dependencies).toEqual(manifest.dependencies);
  });

  test('needs no peer', () => {
    for (const name of Object.keys(manifest.peerDependencies)) {
      expect(manifest.peerDependenciesMeta[name], name).toEqual({ optional: true });
    }
  });
});

describe('the advisories on what an installation brings, and the signatures of its packages,', () => {
  test('are looked at before a version is published, wherever that is done', () => {
    const { audit, prepublishOnly } = manifest.scripts;
    expect(audit).toBe('npm audit --omit=dev --audit-level=low && npm audit signatures');
    expect(prepublishOnly).toMatch(/^npm run audit(?: |$)/);
  });

  test('are looked at each week, for each tag and each change of the lock file', () => {
    const workflow = readFileSync(join(ROOT, '.github', 'workflows', 'audit.yml'), 'utf8');
    expect(workflow).toContain('run: npm run audit');
    for (const trigger of ['schedule:', "tags: ['v*']", 'paths: [package-lock.json]'])
      expect(workflow).toContain(trigger);
  });
});

/** The packages that some dependencies lead to, by where they stand in `node_modules`. */
function installedBy(dependencies: Readonly<Record<string, string>>): ReadonlyMap<string, Locked> {
  const found = new Map<string, Locked>();
  const visit = (from: string, names: readonly string[]): void => {
    for (const name of names) {
      const path = resolve(from, name);
      const locked = packages[path];
      if (locked === undefined) throw new Error(`${name}, of ${from || 'this package'}, is not in the lock file`);
      if (found.has(path)) continue;
      found.set(path, locked);
      visit(path, Object.keys({ ...locked.dependencies, ...locked.optionalDependencies }));
    }
  };
  visit('', Object.keys(dependencies));
  return found;
}

/** Where Node finds a package from another: beside it, or beside what it stands in. */
function resolve(from: string, name: string): string {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (folder === '' || packages[path] !== undefined) return path;
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

function read<Content>(file: string): Content {
  return JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as Content;
}
