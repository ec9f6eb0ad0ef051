import { authorize } from './authorize.ts';
import { AwsFault, notModelled } from './aws-fault.ts';
import { type Call, callerOf, type Environment } from './call.ts';
import { Constraints } from './constraints.ts';
import { assertOnly, booleanIn, type JsonObject, stringIn } from './json-input.ts';
import { pageOf } from './page.ts';
import { assertParameterName } from './parameter-name.ts';
import type { Parameter, ParameterTier, ParameterVersion } from './parameter-store.ts';
import { accountOf, arnOf, type Caller, placeOf, type Store } from './store.ts';

/** @see Systems Manager API Reference, GetParameters, GetParametersByPath, GetParameterHistory, PutParameter */
const LIMITS = { names: 10, nameLength: 2048, maxResults: 10, history: 50, descriptionLength: 1024 } as const;

/**
 * Characters in a value, by tier.
 * @see Systems Manager API Reference, PutParameter, Value
 */
const VALUE_LENGTH: Readonly<Record<ParameterTier, number>> = { Standard: 4096, Advanced: 8192 };

export function getParameter(call: Call, input: JsonObject, { store }: Environment): JsonObject {
  return { Parameter: shown(parameterFor(call, input, store, ['WithDecryption'], withDecryption(input))) };
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
  const found = names.map((name) => store.parameters.find(account, call.region, name));
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
  const isRecursive = booleanIn(input, 'Recursive');
  const account = accountOf(callerOf(call));
  authorize(call, store, 'ssm:GetParametersByPath', parameterArn(callerOf(call), call.region, path));
  call.record.requestParameters = { path, recursive: isRecursive, ...withDecryption(input) };
  const below = store.parameters.below(account, call.region, path).filter(({ name }) => {
    const rest = name.slice(path.endsWith('/') ? path.length : path.length + 1);
    return isRecursive || !rest.includes('/');
  });
  const { items, rest } = listPage(input, LIMITS.maxResults, below);
  return { Parameters: items.map(shown), ...rest };
}

/** Oldest first. */
export function getParameterHistory(call: Call, input: JsonObject, { store }: Environment): JsonObject {
  const known = ['WithDecryption', 'MaxResults', 'NextToken'];
  const parameter = parameterFor(call, input, store, known, withDecryption(input));
  const { items, rest } = listPage(input, LIMITS.history, parameter.history);
  return { Parameters: items.map((version) => shownVersion(parameter, version)), ...rest };
}

/** A parameter, or with Overwrite the next version of one. */
export function putParameter(call: Call, input: JsonObject, { store }: Environment): JsonObject {
  assertOnly(call, input, ['Name', 'Value', 'Type', 'Description', 'Overwrite', 'Tier', 'DataType']);
  const caller = callerOf(call);
  const name = textOf(input, 'Name');
  assertPlainName(name);
  const arn = parameterArn(caller, call.region, name);
  assertParameterName(name, arn);
  const { value, type, description, tier: askedTier, overwrite } = readWrite(input);
  authorize(call, store, 'ssm:PutParameter', arn);
  call.record.requestParameters = {
    name,
    value: 'HIDDEN_DUE_TO_SECURITY_REASONS',
    ...(type === undefined ? {} : { type }),
    ...(description === undefined ? {} : { description }),
    ...(askedTier === undefined ? {} : { tier: askedTier }),
    overwrite,
  };
  const account = accountOf(caller);
  const existing = store.parameters.find(account, call.region, name);
  if (existing === undefined && type === undefined) {
    throw validation('A parameter type is required when you create a parameter.');
  }
  if (existing !== undefined && !overwrite) throw parameterAlreadyExists();
  if (existing !== undefined && type !== undefined && type !== existing.type) {
    throw new AwsFault(
      'HierarchyTypeMismatchException',
      400,
      `Parameter ${name} is of type ${existing.type}, which cannot be changed to ${type}.`,
    );
  }
  const tier = tierOf(askedTier, value, existing?.current.tier);
  const version = { value, tier, description, modifiedAt: call.time, modifiedBy: arnOf(caller) };
  const { current } = store.parameters.write(
    account,
    call.region,
    { arn, name, type: existing?.type ?? 'String' },
    version,
  );
  call.record.responseElements = { version: current.number, tier };
  return { Version: current.number, Tier: tier };
}

export function deleteParameter(call: Call, input: JsonObject, { store }: Environment): JsonObject {
  const { name } = parameterFor(call, input, store);
  store.parameters.remove(accountOf(callerOf(call)), call.region, name);
  return {};
}

/** The parameter that a call names, once the caller may do what it asks with it. */
function parameterFor(
  call: Call,
  input: JsonObject,
  store: Store,
  known: readonly string[] = [],
  recorded: JsonObject = {},
): Parameter {
  assertOnly(call, input, ['Name', ...known]);
  const name = textOf(input, 'Name');
  assertPlainName(name);
  const caller = callerOf(call);
  authorize(call, store, `ssm:${call.operation}`, parameterArn(caller, call.region, name));
  call.record.requestParameters = { name, ...recorded };
  const parameter = store.parameters.find(accountOf(caller), call.region, name);
  if (parameter === undefined) throw new AwsFault('ParameterNotFound', 400, '');
  return parameter;
}

function readWrite(input: JsonObject) {
  const constraints = new Constraints();
  const [value, type, description, tier, dataType] = ['Value', 'Type', 'Description', 'Tier', 'DataType'].map((field) =>
    stringIn(input, field),
  );
  const text = constraints.text('value', value, { required: true, min: 1, sensitive: true });
  constraints.text('type', type, { values: ['String', 'StringList', 'SecureString'] });
  constraints.text('description', description, { max: LIMITS.descriptionLength });
  constraints.text('tier', tier, { values: ['Standard', 'Advanced', 'Intelligent-Tiering'] });
  constraints.assert(validation);
  if (type !== undefined && type !== 'String') throw notModelled(`parameters of the type ${type}`);
  if (dataType !== undefined && dataType !== 'text') throw notModelled(`parameters of the data type ${dataType}`);
  if (/\{\{.*\}\}/s.test(text)) {
    throw validation('Parameter value can\'t nest another parameter. Do not use "{{}}" in the value.');
  }
  return { value: text, type, description, tier, overwrite: booleanIn(input, 'Overwrite') };
}

/** A tier that is not asked for stays as it is; an advanced parameter stays advanced. */
function tierOf(asked: string | undefined, value: string, current: ParameterTier = 'Standard'): ParameterTier {
  const isLong = value.length > VALUE_LENGTH.Standard;
  if (asked === 'Standard' && current === 'Advanced') {
    throw validation(
      "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard parameter.",
    );
  }
  const tier = asked === 'Advanced' || (asked === 'Intelligent-Tiering' && isLong) ? 'Advanced' : current;
  if (tier === 'Standard' && isLong) {
    throw validation(
      `Standard tier parameters support a maximum parameter value of ${VALUE_LENGTH.Standard} characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.`,
    );
  }
  if (value.length > VALUE_LENGTH.Advanced) {
    throw validation(
      `Advanced tier parameters support a maximum parameter value of ${VALUE_LENGTH.Advanced} characters.`,
    );
  }
  return tier;
}

/** A page of a list, and what an answer tells of the rest. */
function listPage<Item>(
  input: JsonObject,
  most: number,
  all: readonly Item[],
): { readonly items: readonly Item[]; readonly rest: JsonObject } {
  const constraints = new Constraints();
  const count = constraints.integer('maxResults', String(input['MaxResults'] ?? most), { min: 1, max: most }) ?? most;
  constraints.assert(validation);
  const invalidToken = new AwsFault('InvalidNextToken', 400, 'The specified token is not valid.');
  const { items, next } = pageOf(all, stringIn(input, 'NextToken'), count, invalidToken);
  return { items, rest: next === undefined ? {} : { NextToken: next } };
}

function shown({ name, type, arn, current }: Parameter): JsonObject {
  return {
    Name: name,
    Type: type,
    Value: current.value,
    Version: current.number,
    LastModifiedDate: current.modifiedAt.getTime() / 1000,
    ARN: arn,
    DataType: 'text',
  };
}

function shownVersion({ name, type }: Parameter, version: ParameterVersion): JsonObject {
  return {
    Name: name,
    Type: type,
    Value: version.value,
    Version: version.number,
    LastModifiedDate: version.modifiedAt.getTime() / 1000,
    LastModifiedUser: version.modifiedBy,
    ...(version.description === undefined ? {} : { Description: version.description }),
    Tier: version.tier,
    Labels: [],
    Policies: [],
    DataType: 'text',
  };
}

/** The ARN of a name or path in the caller's account. */
function parameterArn(caller: Caller, region: string, name: string): string {
  const { account, partition } = placeOf(caller);
  return `arn:${partition}:ssm:${region}:${account}:parameter${name.startsWith('/') ? '' : '/'}${name}`;
}

/** Names may also be ARNs of shared parameters, and may end in a version or a label. */
function assertPlainName(name: string): void {
  if (name.includes(':')) throw notModelled('parameter ARNs, versions and labels as names');
}

function textOf(input: JsonObject, field: string): string {
  const name = `${field.charAt(0).toLowerCase()}${field.slice(1)}`;
  const constraints = new Constraints();
  const text = constraints.text(name, stringIn(input, field), { required: true, min: 1, max: LIMITS.nameLength });
  constraints.assert(validation);
  return text;
}

function withDecryption(input: JsonObject): JsonObject {
  return typeof input['WithDecryption'] === 'boolean' ? { withDecryption: input['WithDecryption'] } : {};
}

export function parameterAlreadyExists(): AwsFault {
  return new AwsFault(
    'ParameterAlreadyExists',
    400,
    'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
  );
}

function validation(message: string): AwsFault {
  return new AwsFault('ValidationException', 400, message);
}
