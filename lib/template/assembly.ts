import { quote, quoteBeginning, SessionBrokerError } from '../errors.ts';
import { type Partition, partitionOf } from '../identity/index.ts';

/** A resource of a template. */
export interface TemplateResource {
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** Whether a condition of the template decides if it exists. */
  readonly isConditional: boolean;
}

/** A stack of a cloud assembly. */
export interface Stack {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly partition: Partition;
  /** By logical id. */
  readonly resources: Readonly<Record<string, TemplateResource>>;
}

type JsonObject = Readonly<Record<string, unknown>>;

/** A file's text, or undefined if there is no such file. It may throw as well. */
export type ReadFile = (path: string) => string | undefined;

/** The file that makes a folder a cloud assembly. */
export const MANIFEST = 'manifest.json';

/**
 * The stacks of a synthesized cloud assembly, those of its stages included.
 * @param folder `cdk.out`
 * @throws {SessionBrokerError} AssemblyUnreadable
 */
export function readAssembly(folder: string, readFile: ReadFile): readonly Stack[] {
  return readStacks(folder, [], readFile);
}

/** @param outer the manifests of the assemblies that this one is nested in: one that is the same nests without end */
function readStacks(folder: string, outer: readonly string[], readFile: ReadFile): readonly Stack[] {
  const manifest = readText(folder, MANIFEST, readFile);
  const artifacts = objectIn(parseJson(manifest)['artifacts'], `${folder}, ${MANIFEST}`);
  const here = manifest.text;
  if (outer.includes(here)) {
    throw unreadable(folder, 'an assembly must not be nested in itself; make the assembly again with cdk synth');
  }
  return Object.entries(artifacts).flatMap(([id, value]) => {
    const place = `${folder}, artifact ${id}`;
    const artifact = objectIn(value, place);
    const properties = objectIn(artifact['properties'] ?? {}, place);
    switch (artifact['type']) {
      case 'cdk:cloud-assembly':
        return readStacks(
          `${folder}/${textIn(properties['directoryName'], `${place}, directoryName`)}`,
          [...outer, here],
          readFile,
        );
      case 'aws:cloudformation:stack':
        return [readStack(folder, id, artifact, properties, readFile)];
      default:
        return [];
    }
  });
}

function readStack(
  folder: string,
  id: string,
  artifact: JsonObject,
  properties: JsonObject,
  readFile: ReadFile,
): Stack {
  const place = `${folder}, stack ${id}`;
  const environment = textIn(artifact['environment'], `${place}, environment`);
  const [, account, region] = /^aws:\/\/(\d{12})\/([a-z0-9-]+)$/.exec(environment) ?? [];
  if (account === undefined || region === undefined || region === 'unknown-region') {
    throw unreadable(
      place,
      `the environment must name an account and a Region: ${quote(environment)}; give the stack both as env`,
    );
  }
  const file = textIn(properties['templateFile'], `${place}, templateFile`);
  const template = parseJson(readText(folder, file, readFile));
  const resources = Object.entries(objectIn(template['Resources'] ?? {}, `${place}, Resources`)).map(
    ([logicalId, value]) => {
      const resource = objectIn(value, `${place}, ${logicalId}`);
      const type = textIn(resource['Type'], `${place}, ${logicalId}, Type`);
      const resourceProperties = objectIn(resource['Properties'] ?? {}, `${place}, ${logicalId}`);
      const isConditional = resource['Condition'] !== undefined;
      return [logicalId, { type, properties: resourceProperties, isConditional }] as const;
    },
  );
  return {
    name: typeof properties['stackName'] === 'string' ? properties['stackName'] : id,
    account,
    region,
    partition: partitionOf(region),
    resources: Object.fromEntries(resources),
  };
}

interface FileText {
  readonly path: string;
  readonly text: string;
}

function readText(folder: string, file: string, readFile: ReadFile): FileText {
  const path = `${folder}/${file}`;
  const fault = 'the file must be readable; make the assembly with cdk synth and give its folder';
  let text: string | undefined;
  try {
    text = readFile(path);
  } catch (cause) {
    throw unreadable(path, fault, cause);
  }
  if (text === undefined) throw unreadable(path, fault);
  return { path, text };
}

function parseJson({ path, text }: FileText): JsonObject {
  try {
    return objectIn(JSON.parse(text), path);
  } catch (cause) {
    if (cause instanceof SessionBrokerError) throw cause;
    throw unreadable(path, 'the file must be JSON; make the assembly again with cdk synth', cause);
  }
}

function objectIn(value: unknown, place: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw unreadable(
    place,
    `there must be a JSON object: ${quoteBeginning(value)}; make the assembly again with cdk synth`,
  );
}

function textIn(value: unknown, place: string): string {
  if (typeof value === 'string') return value;
  throw unreadable(place, `there must be text: ${quote(value)}; make the assembly again with cdk synth`);
}

/** An assembly that cannot be loaded. */
export function unreadable(place: string, fault: string, cause?: unknown): SessionBrokerError {
  return new SessionBrokerError('AssemblyUnreadable', `cloud assembly ${place}: ${fault}`, { cause });
}
