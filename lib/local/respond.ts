import { randomUUID } from 'node:crypto';
import { SessionBrokerError } from '../errors.ts';
import type { Partition } from '../identity/index.ts';
import { AwsFault, notModelled } from './aws-fault.ts';
import type { Call, Decision, Environment } from './call.ts';
import { eventsOf } from './cloudtrail.ts';
import type { EventLog } from './event-log.ts';
import { type JsonObject, readJson } from './json-input.ts';
import { type OperationTraits, own, SERVICES } from './operations.ts';
import { type Asked, answerOf, readRequest, refusalOf, type WireAnswer, wireCode } from './protocol.ts';
import { header, isSigned, type Signer, verifySignature, type WireRequest } from './sigv4.ts';
import { placeOf } from './store.ts';

export interface ResponderProps extends Environment {
  readonly clock: () => Date;
  readonly log: EventLog;
  readonly decided: (decision: Decision) => void;
  /** The Region of calls that name none, by the account that they are about. */
  readonly regionOf: (account: string | undefined) => string;
  /** Whose events those are whose caller is not known. */
  readonly fallbackAccount: string;
}

/** Where calls of IAM, which has no Regions, are recorded. */
const IAM_REGIONS: Readonly<Record<Partition, string>> = {
  aws: 'us-east-1',
  'aws-us-gov': 'us-gov-west-1',
  'aws-cn': 'cn-north-1',
};

/** Answers one request: authenticates the caller, runs the operation, records what happened. */
export function respond(request: WireRequest, props: ResponderProps): WireAnswer {
  const asked = readRequest(request);
  const answer = answerTo(asked, props, {
    userAgent: header(request, 'user-agent') ?? '',
    authenticate: (time) => authenticate(request, props, time),
  });
  // Clients set their clocks by this one.
  return { ...answer, headers: { ...answer.headers, date: props.clock().toUTCString() } };
}

function answerTo(asked: Asked, props: ResponderProps, origin: Origin): WireAnswer {
  try {
    const { call, result, fault } = perform(asked, props, origin);
    return fault === undefined ? answerOf(asked, call.requestId, result) : refusalOf(asked, call.requestId, fault);
  } catch (error) {
    // What is not recorded is not answered: the credentials of such a call stay here.
    return refusalOf(asked, randomUUID(), faultOf(error));
  }
}

/** Where a call comes from. */
export interface Origin {
  readonly userAgent: string;
  /** @throws {AwsFault} */
  readonly authenticate: (time: Date) => Signer;
}

/** What became of a call. */
export interface Performed {
  readonly call: Call;
  readonly result: JsonObject;
  /** Absent: the call was answered with the result. */
  readonly fault: AwsFault | undefined;
}

/**
 * Runs an operation for whoever is authenticated, and records what happened.
 * @throws {SessionBrokerError} LogUnwritable
 */
export function perform(asked: Asked, props: ResponderProps, { userAgent, authenticate }: Origin): Performed {
  const time = props.clock();
  const requestId = randomUUID();
  const callOf = (signer: Signer | undefined): Call => ({
    service: asked.service ?? 'unknown',
    operation: asked.operation ?? 'Unknown',
    region: regionOf(asked, signer, props),
    time,
    requestId,
    userAgent,
    sourceIpAddress: '127.0.0.1',
    credential: signer?.credential,
    steps: [],
    record: {},
  });
  const operation = operationOf(asked);
  let call: Call | undefined;
  let result: JsonObject = {};
  let fault: AwsFault | undefined;
  try {
    const signer = operation?.isUnsigned ? undefined : authenticate(time);
    assertScope(signer, asked);
    call = callOf(signer);
    result = run(asked, call, props);
  } catch (error) {
    fault = faultOf(error);
  }
  call ??= callOf(undefined);
  if (asked.service !== undefined) {
    const errorCode = fault === undefined ? undefined : wireCode(asked, fault);
    const { fallbackAccount } = props;
    const events = eventsOf(call, { readOnly: operation?.readOnly ?? false, fault, errorCode, fallbackAccount });
    props.log.append(events, time);
    props.decided(decisionOf(call, fault, errorCode));
  }
  return { call, result, fault };
}

function operationOf({ protocol, service, operation }: Asked) {
  const known = own(SERVICES, service ?? '');
  if (known?.protocol !== protocol) return undefined;
  return own<OperationTraits>(known.operations, operation ?? '');
}

function authenticate(request: WireRequest, { store }: Environment, time: Date): Signer {
  if (!isSigned(request)) {
    throw new AwsFault('MissingAuthenticationToken', 403, 'Request is missing Authentication Token');
  }
  return verifySignature(request, (accessKeyId) => store.findCredential(accessKeyId), time);
}

/** A signature is good for the service that it was made for. */
function assertScope(signer: Signer | undefined, { service }: Asked): void {
  if (signer === undefined || signer.service === service) return;
  const message = `Credential should be scoped to correct service: '${service}'.`;
  throw new AwsFault('SignatureDoesNotMatch', 403, message);
}

function run(asked: Asked, call: Call, environment: Environment): JsonObject {
  const service = own(SERVICES, asked.service ?? '');
  if (service === undefined) throw notModelled(`the service ${asked.service}`);
  if (asked.fault !== undefined) throw asked.fault;
  if (service.protocol === 'query' && asked.operation === undefined) {
    throw new AwsFault('MissingAction', 400, 'The request must contain the parameter Action');
  }
  const unknown = notModelled(`the operation ${asked.service}:${asked.operation}`);
  if (service.protocol === 'json' && asked.protocol === 'json') {
    const operation = own(service.operations, asked.operation ?? '');
    if (operation === undefined) throw unknown;
    return operation.run(call, readJson(asked.body), environment);
  }
  if (service.protocol === 'rest' && asked.protocol === 'rest') {
    const operation = own(service.operations, asked.operation ?? '');
    if (operation === undefined) throw unknown;
    return operation.run(call, asked.input(), environment);
  }
  if (service.protocol === 'query' && asked.protocol === 'query') {
    const operation = own(service.operations, asked.operation ?? '');
    if (operation === undefined) throw unknown;
    const version = asked.parameters.get('Version');
    if (version === service.version) return operation.run(call, asked.parameters, environment);
    throw new AwsFault('InvalidAction', 400, `Could not find operation ${asked.operation} for version ${version}`);
  }
  throw unknown;
}

function regionOf(asked: Asked, signer: Signer | undefined, props: ResponderProps): string {
  if (signer === undefined) {
    const role = asked.protocol === 'query' ? asked.parameters.get('RoleArn') : undefined;
    return asked.region ?? props.regionOf(role?.split(':')[4]);
  }
  if (signer.service !== 'iam') return signer.region;
  return IAM_REGIONS[placeOf(signer.credential.caller).partition];
}

function faultOf(error: unknown): AwsFault {
  if (error instanceof AwsFault) return error;
  if (error instanceof SessionBrokerError && error.code === 'PolicyNotUnderstood') {
    return notModelled(`a policy that bears on this call: ${error.message}`);
  }
  const reason = error instanceof SessionBrokerError ? error.message : String(error);
  return new AwsFault('InternalFailure', 500, `the strict local account failed: ${reason}`);
}

function decisionOf(call: Call, fault: AwsFault | undefined, errorCode: string | undefined): Decision {
  const { requestId, service, operation, steps } = call;
  const refused =
    steps.find(({ verdict }) => verdict.decision !== 'allow') ?? (fault === undefined ? steps.at(-1) : undefined);
  return {
    requestId,
    operation: `${service}:${operation}`,
    allowed: fault === undefined,
    errorCode,
    reason: refused?.verdict.reason ?? (fault === undefined ? 'it needs no permission' : fault.message || fault.code),
    steps,
  };
}
