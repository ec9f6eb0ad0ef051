import { authorize } from './authorize.ts';
import { AwsFault, notModelled } from './aws-fault.ts';
import { type Call, callerOf, type Environment } from './call.ts';
import { Constraints } from './constraints.ts';
import { accountOf, type Caller, type Parameter } from './store.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** @see Systems Manager API Reference, GetParameters, GetParametersByPath */
const LIMITS = { names: 10, nameLength: 2048, maxResults: 10 } as const;

export function getParameter(call: Call, input: JsonObject, { store }: Environment): JsonObject {
  assertOnly(call, input, ['Name', 'WithDecryption']);
  const name = textOf(input, 'Name');
  assertPlainName(name);
  const account = accountOf(callerOf(call));
  authorize(call, store, 'ssm:GetParameter', parameterArn(callerOf(call), call.region, name));
  call.record.requestParameters = { name, ...withDecryption(input) };
  const parameter = store.findParameter(account, call.region, name);
  if (parameter === undefined) throw new AwsFault('ParameterNotFound', 400, '');
  return { Parameter: shown(parameter) };
}

export function getParameters(call: Call, input: JsonObject, { store }: Environment): JsonObject {
  assertOnly(call, input, ['Names', 'WithDecryption']);
  const names = input['Names'];
  if (!Array.isArray(names) || names.some((name) => typeof name !== 'string'))
    throw validation("Value at 'names' failed to satisfy constraint: Member must be a list of strings");
  const constraints = new Constraints();
  constraints.listLength('names', names.length, { min: 1, max: LIMITS.names });
  constraints.assert(validation);
  const account = accountOf(callerOf(call));
  for (const name of names) assertPlainName(name);
  for (const name of names)
    authorize(call, store, 'ssm:GetParameters', parameterArn(callerOf(call), call.region, name));
  call.record.requestParameters = { names, ...withDecryption(input) };
  const found = names.map((name) => store.findParameter(account, call.region, name));
  return {
    Parameters: found.filter((parameter) => parameter !== undefined).map(shown),
    InvalidParameters: names.filter((_, index) => found[index] === undefined),
  };
}

export function getParametersByPath(call: Call, input: JsonObject, { store }: Environment): JsonObject {
  assertOnly(call, input, ['Path', 'Recursive', 'WithDecryption', 'MaxResults', 'NextToken']);
  const path = textOf(input, 'Path');
  if (!path.startsWith('/')) {
    throw validation('The parameter path must begin with "/"');
  }
  const maxResults = input['MaxResults'] ?? LIMITS.maxResults;
  const constraints = new Constraints();
  constraints.integer('maxResults', String(maxResults), { min: 1, max: LIMITS.maxResults });
  constraints.assert(validation);
  const start = Number(input['NextToken'] ?? 0);
  if (!Number.isSafeInteger(start) || start < 0)
    throw new AwsFault('InvalidNextToken', 400, 'The specified token is not valid.');
  const account = accountOf(callerOf(call));
  authorize(call, store, 'ssm:GetParametersByPath', parameterArn(callerOf(call), call.region, path));
  call.record.requestParameters = { path, recursive: input['Recursive'] === true, ...withDecryption(input) };
  const below = store.parametersBelow(account, call.region, path).filter(({ name }) => {
    const rest = name.slice(path.endsWith('/') ? path.length : path.length + 1);
    return input['Recursive'] === true || !rest.includes('/');
  });
  const end = start + Number(maxResults);
  return {
    Parameters: below.slice(start, end).map(shown),
    ...(end < below.length ? { NextToken: String(end) } : {}),
  };
}

function shown({ name, type, value, arn, modifiedAt }: Parameter): JsonObject {
  return {
    Name: name,
    Type: type,
    Value: value,
    Version: 1,
    LastModifiedDate: modifiedAt.getTime() / 1000,
    ARN: arn,
    DataType: 'text',
  };
}

/** The ARN of a name or path in the caller's account. */
function parameterArn(caller: Caller, region: string, name: string): string {
  const { partition } = caller.kind === 'user' ? caller : caller.role;
  return `arn:${partition}:ssm:${region}:${accountOf(caller)}:parameter${name.startsWith('/') ? '' : '/'}${name}`;
}

/** Names may also be ARNs of shared parameters, and may end in a version or a label. */
function assertPlainName(name: string): void {
  if (name.includes(':')) throw notModelled('parameter ARNs, versions and labels as names');
}

function textOf(input: JsonObject, field: string): string {
  const name = `${field.charAt(0).toLowerCase()}${field.slice(1)}`;
  const value = input[field];
  const constraints = new Constraints();
  if (value !== undefined && value !== null && typeof value !== 'string') {
    throw new AwsFault('SerializationException', 400, `${field} must be a string`);
  }
  const text = constraints.text(name, value ?? undefined, { required: true, min: 1, max: LIMITS.nameLength });
  constraints.assert(validation);
  return text;
}

function assertOnly(call: Call, input: JsonObject, known: readonly string[]): void {
  for (const [name, value] of Object.entries(input)) {
    if (!known.includes(name) && value !== null) throw notModelled(`the parameter ${name} of ssm:${call.operation}`);
  }
}

function withDecryption(input: JsonObject): JsonObject {
  return typeof input['WithDecryption'] === 'boolean' ? { withDecryption: input['WithDecryption'] } : {};
}

function validation(message: string): AwsFault {
  return new AwsFault('ValidationException', 400, message);
}
