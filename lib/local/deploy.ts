import { SessionBrokerError } from '../errors.ts';
import { type Stack, type TemplateResource, unreadable } from '../template/assembly.ts';
import { Unresolvable } from '../template/intrinsics.ts';
import { AwsFault, NOT_MODELLED } from './aws-fault.ts';
import { NotCreatedYet, resolve, type Scope } from './intrinsics.ts';
import { type Attributes, type Create, type DeployTarget, type Properties, RESOURCES } from './resources.ts';

/** Resources that are about no AWS service. */
const SILENT_TYPES = ['AWS::CDK::Metadata'];

/** Resources that may be about one that is not modelled: a cluster of the app itself. */
const PASSED_OVER_TYPES = ['AWS::EKS::AccessEntry'];

/** What AWS says of a resource before what it needs is there: one that is referred to, a principal, a role to attach to. */
const COME_LATER = ['InvalidParameterException', 'MalformedPolicyDocument', 'NoSuchEntity'];

interface Pending {
  readonly stack: Stack;
  readonly scope: Scope;
  readonly created: Map<string, Attributes>;
  readonly logicalId: string;
  readonly resource: TemplateResource;
  readonly create: Create;
}

/**
 * Creates the resources of all stacks, each once what it refers to exists; a role named by its ARN counts.
 * @returns what was passed over, a sentence each
 * @throws {SessionBrokerError} AssemblyUnreadable, with AWS's refusal of a resource as cause
 */
export function deploy(stacks: readonly Stack[], target: DeployTarget): readonly string[] {
  const notices = new Set<string>();
  let pending: readonly Pending[] = stacks.flatMap((stack) => {
    const created = new Map<string, Attributes>();
    return Object.entries(stack.resources).flatMap(([logicalId, resource]) => {
      const create = Object.hasOwn(RESOURCES, resource.type) ? RESOURCES[resource.type] : undefined;
      if (create !== undefined) return [{ stack, scope: { stack, created }, created, logicalId, resource, create }];
      if (!SILENT_TYPES.includes(resource.type)) notices.add(`${resource.type} in ${stack.name} is not modelled`);
      return [];
    });
  });
  while (pending.length > 0) {
    const reasons = new Map(pending.map((item) => [item, tryToCreate(item, target)]));
    const left = pending.filter((item) => reasons.get(item) !== undefined);
    // Nothing that could come makes a difference any more.
    const isStuck = left.length === pending.length;
    const passedOver = new Set<Pending>();
    for (const item of left) {
      const reason = reasons.get(item);
      if (mayCome(reason) && !isStuck) continue;
      if (!isPassedOver(item, reason)) throw refused(item, reason);
      notices.add(`${item.resource.type} ${item.logicalId} in ${item.stack.name} is passed over: ${reason.message}`);
      passedOver.add(item);
    }
    pending = left.filter((item) => !passedOver.has(item));
  }
  return [...notices];
}

/** Why a resource could not be created, or undefined once it is. */
function tryToCreate({ stack, scope, created, logicalId, resource, create }: Pending, target: DeployTarget): unknown {
  const { properties, isConditional } = resource;
  try {
    if (isConditional) throw new Unresolvable('its Condition is not modelled');
    created.set(logicalId, create(logicalId, resolve(properties, scope) as Properties, stack, target));
    return undefined;
  } catch (reason) {
    return reason;
  }
}

function mayCome(reason: unknown): boolean {
  return reason instanceof NotCreatedYet || (reason instanceof AwsFault && COME_LATER.includes(reason.code));
}

function isPassedOver({ resource }: Pending, reason: unknown): reason is Error {
  const isUnknown = reason instanceof NotCreatedYet || reason instanceof Unresolvable;
  const isNotModelled = reason instanceof AwsFault && reason.code === NOT_MODELLED;
  return PASSED_OVER_TYPES.includes(resource.type) && (isUnknown || isNotModelled);
}

function refused(item: Pick<Pending, 'stack' | 'logicalId' | 'resource'>, reason: unknown): unknown {
  const place = `stack ${item.stack.name}, ${item.resource.type} ${item.logicalId}`;
  if (reason instanceof AwsFault) return unreadable(place, `${reason.code}: ${reason.message}`, reason);
  const isOurs =
    reason instanceof NotCreatedYet || reason instanceof Unresolvable || reason instanceof SessionBrokerError;
  return isOurs ? unreadable(place, reason.message, reason) : reason;
}
