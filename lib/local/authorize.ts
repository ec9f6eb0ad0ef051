import {
  evaluate,
  type NamedPolicy,
  type PoliciesInForce,
  type PolicyDocument,
  type PolicyKind,
  type RequestContext,
  type Requester,
  type Verdict,
} from '../policy/index.ts';
import { type AwsFault, accessDenied } from './aws-fault.ts';
import { type Call, callerOf } from './call.ts';
import { arnOf, type Caller, type Store } from './store.ts';

/** What a user `administrator` may do. */
const EVERYTHING: PolicyDocument = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
};

/** How AWS names the kinds of policy in a refusal. */
const KINDS: Readonly<Record<PolicyKind, string>> = {
  identity: 'identity-based policy',
  boundary: 'permissions boundary',
  session: 'session policy',
  resource: 'resource-based policy',
  'service-control': 'service control policy',
};

/**
 * Asks whether the caller may do something, and notes the decision.
 * @param about how the refusal names the resource, and the condition keys of the action and its resource
 * @throws {AwsFault} AccessDenied
 */
export function authorize(
  call: Call,
  store: Store,
  action: string,
  resource: string,
  { shownAs = resource, context = {} }: { readonly shownAs?: string; readonly context?: RequestContext } = {},
): void {
  const caller = callerOf(call);
  const verdict = evaluate(
    { requester: requesterOf(caller), action, resource, context: { ...contextOf(call), ...context } },
    policiesOf(caller, store),
  );
  call.steps.push({ action, resource, verdict });
  if (verdict.decision === 'allow') return;
  const because =
    verdict.decision === 'explicit-deny'
      ? explicitDeny(verdict)
      : ` because no ${KINDS[verdict.missing ?? 'identity']} allows the ${action} action`;
  throw accessDenied(`${notAuthorized(caller, action, shownAs)}${because}`);
}

/** The refusal to assume a role. Unlike the others it does not say what is missing. */
export function assumeRoleDenied(caller: Caller, action: string, roleArn: string, verdict: Verdict): AwsFault {
  const because = verdict.decision === 'explicit-deny' ? explicitDeny(verdict) : '';
  return accessDenied(`${notAuthorized(caller, action, roleArn)}${because}`);
}

export function requesterOf(caller: Caller): Requester {
  return caller.kind === 'user'
    ? { kind: 'user', userArn: caller.arn, userId: caller.id }
    : { kind: 'role-session', roleArn: caller.role.arn, roleId: caller.role.id, sessionName: caller.sessionName };
}

/** The policies on the caller's side. What is attached and not here grants nothing. */
export function policiesOf(caller: Caller, store: Store): Omit<PoliciesInForce, 'resource'> {
  if (caller.kind === 'user') return { identity: [{ name: 'AdministratorAccess', document: EVERYTHING }] };
  const { role, sessionPolicies } = caller;
  const identity: NamedPolicy[] = [...role.inlinePolicies].map(([name, document]) => ({ name, document }));
  for (const arn of role.attachedPolicies) {
    const policy = store.findPolicy(arn);
    if (policy !== undefined) identity.push(policy);
  }
  const boundary = role.permissionsBoundary === undefined ? undefined : store.findPolicy(role.permissionsBoundary);
  return { identity, boundary, session: sessionPolicies };
}

/** The condition keys of every call, beyond those that follow from the requester alone. */
export function contextOf(call: Call): RequestContext {
  return { ...callContext(call), ...(call.credential === undefined ? {} : sessionContext(call.credential.caller)) };
}

/** The tags of a role as keys of a resource. */
export function resourceTags(tags: Readonly<Record<string, string>>): RequestContext {
  return Object.fromEntries(
    Object.entries(tags).flatMap(([key, value]) => [
      [`aws:ResourceTag/${key}`, value],
      [`iam:ResourceTag/${key}`, value],
    ]),
  );
}

/** The tags that a call gives a resource. */
export function requestTags(tags: Readonly<Record<string, string>>): RequestContext {
  const keys = Object.keys(tags);
  return {
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    ...(keys.length === 0 ? {} : { 'aws:TagKeys': keys }),
  };
}

function callContext(call: Call): RequestContext {
  return {
    'aws:CurrentTime': call.time.toISOString(),
    'aws:EpochTime': String(Math.floor(call.time.getTime() / 1000)),
    'aws:RequestedRegion': call.region,
    // A call of AWS comes over TLS.
    'aws:SecureTransport': 'true',
    'aws:SourceIp': call.sourceIpAddress,
    'aws:UserAgent': call.userAgent,
    'aws:ViaAWSService': 'false',
  };
}

function sessionContext(caller: Caller): RequestContext {
  if (caller.kind === 'user') return {};
  const { role, issuedAt, sourceIdentity, tags, webIdentity } = caller;
  return {
    'aws:TokenIssueTime': issuedAt.toISOString(),
    'aws:MultiFactorAuthPresent': 'false',
    ...(sourceIdentity === undefined ? {} : { 'aws:SourceIdentity': sourceIdentity }),
    ...Object.fromEntries(
      Object.entries({ ...role.tags, ...tags }).map(([key, value]) => [`aws:PrincipalTag/${key}`, value]),
    ),
    ...(webIdentity === undefined
      ? {}
      : {
          'aws:FederatedProvider': webIdentity.provider,
          [`${webIdentity.issuer}:sub`]: webIdentity.subject,
          [`${webIdentity.issuer}:aud`]: webIdentity.audience,
        }),
  };
}

function notAuthorized(caller: Caller, action: string, resource: string): string {
  return `User: ${arnOf(caller)} is not authorized to perform: ${action} on resource: ${resource}`;
}

function explicitDeny({ decidedBy }: Verdict): string {
  if (decidedBy === undefined) return '';
  if (decidedBy.kind === 'resource') return ' with an explicit deny in the role trust policy';
  const kind = KINDS[decidedBy.kind];
  return ` with an explicit deny in ${kind.startsWith('i') ? 'an' : 'a'} ${kind}`;
}
