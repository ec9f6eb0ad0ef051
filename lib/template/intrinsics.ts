import { quote } from '../errors.ts';

/** What the intrinsic functions of one template stand for; undefined is what is not known. */
export interface Intrinsics {
  /** Where the template is deployed: its pseudo parameters. */
  readonly environment: {
    readonly account: string | undefined;
    readonly region: string | undefined;
    readonly partition: string | undefined;
  };
  /** `Ref`, of all but these pseudo parameters. */
  readonly ref: (name: string) => string | undefined;
  readonly attribute: (logicalId: string, attribute: string) => string | undefined;
  /** `Fn::ImportValue`, where it is modelled. */
  readonly imported?: (name: string) => string | undefined;
  /** Whether all must be known by now. Else what is not known stays as it is, as the object that it is. */
  readonly isDeploying: boolean;
}

/** A function of CloudFormation, or a use of one, that is not known here. */
export class Unresolvable extends Error {
  override readonly name = 'Unresolvable';
}

/**
 * A value of a template with the values of its intrinsic functions: those that CDK emits into IAM and SSM resources.
 * @throws {Unresolvable} when deploying; and whatever `intrinsics` throw
 */
export function resolveIntrinsics(value: unknown, intrinsics: Intrinsics): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return value.filter((item) => !isNoValue(item)).map((item) => resolveIntrinsics(item, intrinsics));
  }
  const call = callOf(value);
  const known = call && resolveCall(call, intrinsics);
  if (known !== undefined) return known;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => !isNoValue(item))
      .map(([key, item]) => [key, resolveIntrinsics(item, intrinsics)]),
  );
}

type Call = readonly [name: string, argument: unknown];

function callOf(value: object): Call | undefined {
  const [call, ...others] = Object.entries(value);
  const isCall = call !== undefined && others.length === 0 && (call[0] === 'Ref' || call[0].startsWith('Fn::'));
  return isCall ? call : undefined;
}

function isNoValue(value: unknown): boolean {
  const [name, argument] = (typeof value === 'object' && value !== null && callOf(value)) || [];
  return name === 'Ref' && argument === 'AWS::NoValue';
}

function resolveCall(call: Call, intrinsics: Intrinsics): string | undefined {
  try {
    return evaluate(call, intrinsics);
  } catch (error) {
    if (intrinsics.isDeploying || !(error instanceof Unresolvable)) throw error;
    return undefined;
  }
}

function evaluate([name, argument]: Call, intrinsics: Intrinsics): string {
  const text = (value: unknown): string => textOf(name, value, intrinsics);
  const { ref, attribute, imported, environment } = intrinsics;
  switch (name) {
    case 'Ref':
      return text(pseudoParameter(text(argument), environment) ?? ref(text(argument)));
    case 'Fn::GetAtt': {
      const [logicalId, attributeName] =
        typeof argument === 'string' ? argument.split(/\.(.*)/s) : list(name, argument);
      return text(attribute(text(logicalId), text(attributeName)));
    }
    case 'Fn::Join': {
      const [delimiter, parts] = list(name, argument);
      return list(name, resolveIntrinsics(parts, intrinsics)).map(text).join(text(delimiter));
    }
    case 'Fn::Sub': {
      const [template, variables] = typeof argument === 'string' ? [argument] : list(name, argument);
      const given = new Map(
        Object.entries(variables ?? {}).map(([key, item]) => [key, resolveIntrinsics(item, intrinsics)]),
      );
      return text(template).replace(/\$\{(!?)([^}]*)\}/g, (_, literal: string, variable: string) => {
        if (literal) return `\${${variable}}`;
        if (given.has(variable)) return text(given.get(variable));
        return evaluate([variable.includes('.') ? 'Fn::GetAtt' : 'Ref', variable], intrinsics);
      });
    }
    case 'Fn::ImportValue':
      if (imported) return text(imported(text(resolveIntrinsics(argument, intrinsics))));
  }
  throw new Unresolvable(`the function ${name} is not modelled`);
}

function pseudoParameter(name: string, environment: Intrinsics['environment']): string | undefined {
  switch (name) {
    case 'AWS::AccountId':
      return environment.account;
    case 'AWS::Partition':
      return environment.partition;
    case 'AWS::Region':
      return environment.region;
    default:
      return undefined;
  }
}

function textOf(name: string, value: unknown, { isDeploying }: Intrinsics): string {
  if (typeof value === 'string') return value;
  // How a number is written is for the deployment to say.
  if (isDeploying && (typeof value === 'number' || typeof value === 'boolean')) return String(value);
  throw new Unresolvable(`${name} must have text here: ${quote(value)}`);
}

function list(name: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Unresolvable(`${name} must have a list here: ${quote(value)}`);
}
