/**
 * Synthesis by this package's app against a minimal hand-written one that makes the same resources, each started the
 * same way, one after the other in turn. Prints medians and ratios.
 *
 *     npm run bench:synth [-- <runs>]
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { run, withoutExtraCertificates } from './processes.ts';
import { inTurn, median, medianRatio } from './statistics.ts';

const SIZES = [1, 10, 100];
const RUNS = Number(process.argv[2] ?? 9);

const folder = mkdtempSync(join(tmpdir(), 'session-broker-bench-'));
const apps = {
  minimal: fileURLToPath(new URL('minimal-app.ts', import.meta.url)),
  /** The same, but for its imports of the CDK, which are this package's: what is left is what this package does. */
  minimalByRequire: fileURLToPath(new URL('.minimal-app-by-require.ts', import.meta.url)),
  ours: fileURLToPath(new URL('../bin/app.ts', import.meta.url)),
};
type AppName = keyof typeof apps;

/** As `lib/constructs/cdk.ts` loads the CDK. */
function byRequire(source: string): string {
  const imported = /^import (\{[^}]*\}) from ('aws-cdk-lib[^']*');$/gm;
  const required = source.replace(imported, 'const $1 = createRequire(import.meta.url)($2);');
  return `import { createRequire } from 'node:module';\n${required}`;
}

/** Writes the child's own processor time, user and system together, in milliseconds, at its end. */
const meter = `data:text/javascript,${encodeURIComponent(
  "process.on('exit', () => { const { user, system } = process.cpuUsage(); console.log((user + system) / 1000); });",
)}`;

interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
}

function synthesize(app: AppName, tenants: readonly string[], outdir: string): Sample {
  const config = join(folder, `${tenants.length}.yaml`);
  const { wallMs, stdout } = run([process.execPath, '--import', 'tsx/esm', '--import', meter, apps[app]], {
    ...withoutExtraCertificates(process.env),
    CDK_OUTDIR: outdir,
    CDK_VALIDATION: 'false',
    CDK_CONTEXT_JSON: JSON.stringify({ config, tenants }),
  });
  return { wallMs, cpuMs: Number(stdout.trim()) };
}

function tenantNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `tenant-${index + 1}`);
}

function configuration(tenants: readonly string[]): string {
  const account = '111122223333';
  const lines = tenants.flatMap((tenant) => [
    `      ${tenant}:`,
    '        attribution: true',
    `        tenantRole: arn:aws:iam::${account}:role/tenants/hub-${tenant}-tenant`,
    '        inferenceProfiles:',
    '          us.anthropic.claude-sonnet-4-5-20250929-v1:0: [us-east-1, us-east-2, us-west-2]',
    `        chainTo: ["arn:aws:iam::${account}:role/${tenant}-deployer"]`,
  ]);
  const head = ['clusters:', '  hub:', `    account: "${account}"`, '    region: us-west-2', '    rollout: general'];
  return [...head, '    tenants:', ...lines, ''].join('\n');
}

type Json = { readonly [key: string]: unknown };

/** What both apps must make alike, by stack and type: names, documents and values, in one spelling. */
function resources(outdir: string): Json {
  const files = readdirSync(outdir).filter((file) => file.endsWith('.template.json'));
  return Object.fromEntries(
    files.map((file) => [file, resourcesOf(JSON.parse(readFileSync(join(outdir, file), 'utf8')))]),
  );
}

function resourcesOf(template: { Resources: Record<string, { Type: string; Properties: Json }> }): Json {
  const alike = Object.values(template.Resources).map(({ Type: type, Properties: properties }) => {
    const { Description: _description, Tags: tags, ...rest } = properties;
    return JSON.stringify(
      [type, { ...rest, ...(type !== 'AWS::IAM::ManagedPolicy' && { Tags: tags }) }],
      inOneSpelling,
    );
  });
  return { resources: alike.sort() };
}

/** Keys in order; no Sid; a lone value as a list; the role's and the parameters' ARNs as one text. */
function inOneSpelling(key: string, value: unknown): unknown {
  if (key === 'Sid') return undefined;
  if (/^(Not)?(Action|Resource)$/.test(key)) return [value].flat().map(spelledArn).sort();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function spelledArn(value: unknown): unknown {
  if (typeof value === 'string')
    return value.replace(/^arn:aws:(iam|ssm):.*(role|parameter)\/.*-session$|^arn:aws:ssm:.*/, 'ARN of ours');
  return 'ARN of ours';
}

interface Result {
  readonly size: number;
  readonly median: Record<AppName, Sample>;
  /** Medians of the ratios of runs that followed each other. */
  readonly ratioTo: (app: AppName, field: keyof Sample) => number;
}

async function measure(size: number): Promise<Result> {
  const tenants = tenantNames(size);
  writeFileSync(join(folder, `${size}.yaml`), configuration(tenants));
  const names = Object.keys(apps) as AppName[];
  const outdirOf = (app: AppName): string => join(folder, `${app}-${size}`);
  const samples = await inTurn(names, RUNS, (app) => synthesize(app, tenants, outdirOf(app)));
  for (const app of names) {
    if (isDeepStrictEqual(resources(outdirOf(app)), resources(outdirOf('ours')))) continue;
    throw new Error(`${app} does not make the same resources as ours`);
  }
  const of = (app: AppName, field: keyof Sample): readonly number[] => samples[app].map((sample) => sample[field]);
  const medianOf = (app: AppName): Sample => ({ wallMs: median(of(app, 'wallMs')), cpuMs: median(of(app, 'cpuMs')) });
  return {
    size,
    median: { minimal: medianOf('minimal'), minimalByRequire: medianOf('minimalByRequire'), ours: medianOf('ours') },
    ratioTo: (app, field) => medianRatio(of('ours', field), of(app, field)),
  };
}

function report(results: readonly Result[], field: keyof Sample, title: string): void {
  const row = (...cells: readonly (string | number)[]): void =>
    console.log(cells.map((cell) => String(cell).padStart(20)).join(''));
  console.log(`\n${title}`);
  row('tenants', 'ours', 'minimal', 'ratio', 'minimal, our imports', 'ratio');
  for (const { size, median: of, ratioTo } of results) {
    const [ours, minimal, byOurImports] = [of.ours, of.minimal, of.minimalByRequire].map((sample) =>
      sample[field].toFixed(0),
    );
    const [ratio, strict] = (['minimal', 'minimalByRequire'] as const).map((app) => ratioTo(app, field).toFixed(2));
    row(size, ours ?? '', minimal ?? '', ratio ?? '', byOurImports ?? '', strict ?? '');
  }
  const [first, last] = [results[0], results.at(-1)];
  if (!first || !last || first === last) return;
  const growth = (app: AppName): string =>
    ((last.median[app][field] - first.median[app][field]) / (last.size - first.size)).toFixed(2);
  row('growth per tenant', growth('ours'), growth('minimal'), '', growth('minimalByRequire'), '');
}

try {
  writeFileSync(apps.minimalByRequire, byRequire(readFileSync(apps.minimal, 'utf8')));
  const results: Result[] = [];
  for (const size of SIZES) results.push(await measure(size));
  console.log(`medians of ${RUNS} runs in turn, Node ${process.version}, CDK's validator off`);
  report(results, 'wallMs', 'wall clock, ms');
  report(results, 'cpuMs', 'processor time, ms');
} finally {
  rmSync(apps.minimalByRequire, { force: true });
  rmSync(folder, { recursive: true, force: true });
}
